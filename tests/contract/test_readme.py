"""The README is true: each command, setting, endpoint and error code in it is in the code, and the other way round."""

import json
import re
import shlex
from pathlib import Path

import pytest
from click import Group

from service.app import create_app
from service.cli import main
from service.cli.output import FORMAT_NAMES
from service.export.formats import FORMATS
from service.pipeline.analyze import Services
from service.prompt_files import find_prompts, load_prompts
from service.secret_files import SECRET_FILES
from service.settings import SETTING_NAMES, Settings
from service.web.openapi.examples import example
from service.web.problems import PROBLEMS
from tests.fakes import ScriptedModel

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title):
    return re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)[1]


def first_column(title):
    return re.findall(r"^\| `([^`]+)`", section(title), re.MULTILINE)


def test_the_first_two_commands_are_make_run_and_make_test():
    commands = re.findall(r"^(make \w+)", README, re.MULTILINE)
    assert commands[:2] == ["make run", "make test"]


def test_ci_runs_the_readmes_test_command():
    assert "\nmake test\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_every_make_target_named_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"\bmake (\w+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_settings_are_exactly_those_the_code_reads():
    assert sorted(first_column("Settings")) == sorted(SETTING_NAMES)


def test_every_secret_that_can_be_a_file_is_told():
    assert set(re.findall(r"`(\w+_FILE)`", section("Settings").partition("| Variable")[0])) == SECRET_FILES


def test_the_error_codes_are_exactly_those_the_code_answers():
    told = {code: int(status) for code, status in re.findall(r"^\| `([^`]+)` \| (\d+) \|", section("Errors"), re.MULTILINE)}
    assert told == {problem.code: problem.status for problem in PROBLEMS.values()}


def test_the_endpoints_are_exactly_those_the_service_has():
    app = create_app(Settings(), Services(ScriptedModel(), load_prompts(find_prompts())))
    rules = {
        f"{method} " + re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert set(first_column("Endpoints")) == rules


def commands(group, prefix=()):
    for name, command in group.commands.items():
        if isinstance(command, Group):
            yield from commands(command, (*prefix, name))
        else:
            yield " ".join((*prefix, name)), command


def test_every_command_of_the_program_is_told_and_exists():
    told = re.findall(r"^factcheck (.*)$", README, re.MULTILINE)
    known = dict(commands(main))
    used = set()
    for line in told:
        words = shlex.split(line, comments=True)
        name = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
        assert name in known, line
        used.add(name)
        options = {option for parameter in known[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line
    assert used == set(known)


def test_every_form_of_an_answer_is_told():
    told = section("Commands")
    assert all(f"`{name}`" in told for name in FORMAT_NAMES)
    assert all(f"`{offered.extension}`" in told for offered in FORMATS)
    assert all(offered.media_type.split(";")[0] in README for offered in FORMATS)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_file_linked_exists(link):
    assert (ROOT / link).exists()


def test_the_example_shown_is_that_of_the_openapi_document():
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", README, re.DOTALL)[:2]]
    assert shown == [example("request"), example("answer")], "python -m scripts.openapi takes it from the README"


def test_the_answer_shown_quotes_the_article_shown():
    request, answer = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", README, re.DOTALL)[:2])
    text = request["article"]["text"]
    assert answer["claims"]
    for claim in answer["claims"]:
        quote = claim["quote"]
        assert text[quote["start"] : quote["end"]] == quote["text"]
