import importlib
import io
import json
import logging
import os
import runpy
import shutil
import sys
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner
from rich.console import Console

from service.cli import main
from service.cli.effects import Effects, production
from service.cli.progress import BarProgress, waiting
from service.errors import (
    DeadlineExceededError,
    ModelBusyError,
    ModelSchemaError,
    ModelUnavailableError,
    SetupError,
)
from service.pipeline.analyze import Services
from service.prompt_files import find_prompts, load_prompts
from service.settings import SETTING_NAMES, Settings
from tests.fakes import FixedClock, ScriptedModel, claim

TEXT = "The mayor said SECRETWORD prices rose by 5 percent. Nobody denied it."
ENGLISH = ("--language", "en")
EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


def reply(*claims):
    return json.dumps({"claims": list(claims)})


ONE_CLAIM = reply(claim(1, "prices rose by 5 percent", text="Prices rose by 5 percent.", worth=0.8))


class World:
    """The outside world of one run of the command line: what it offers, and what was done to it."""

    def __init__(self, *outcomes, environ=None, terminal=False, folder=None, fails_with=None):
        self.model = ScriptedModel(*outcomes)
        self.environ = environ or {}
        self.terminal = terminal
        self.folder = folder or find_prompts()
        self.fails_with = fails_with
        self.built = []
        self.closed = []
        self.served = []
        self.fetched = []
        self.log_levels = []

    def build_services(self, settings, *, progress, drafts):
        progress.start("weights", 0)
        progress.done()
        self.built.append((settings, drafts))
        if self.fails_with is not None:
            raise self.fails_with
        library = load_prompts(self.folder, drafts=drafts)
        return Services(self.model, library, FixedClock(), lambda: self.closed.append(True))

    def fetch(self, entry, model_dir, hub_url, progress):
        progress.start(entry.title, entry.size_bytes)
        progress.done()
        self.fetched.append((entry.name, model_dir, hub_url))
        return model_dir / entry.file

    def run(self, *args, stdin=None):
        effects = Effects(
            environ=self.environ,
            build_services=self.build_services,
            serve=self.served.append,
            fetch=self.fetch,
            find_prompts=lambda: self.folder,
            configure_logs=self.log_levels.append,
            is_terminal=lambda _: self.terminal,
        )
        runner = CliRunner(env={"COLUMNS": "80", "FORCE_COLOR": None, "TTY_COMPATIBLE": None})
        return runner.invoke(main, list(args), input=stdin, obj=effects, catch_exceptions=False)


@pytest.fixture
def article(tmp_path):
    path = tmp_path / "article.txt"
    path.write_text(TEXT, "utf-8")
    return str(path)


@pytest.fixture
def prompts(tmp_path):
    """A copy of the prompts, with a version of extract_claims that is not sealed."""
    folder = tmp_path / "prompts"
    shutil.copytree(find_prompts(), folder)
    task = folder / "extract_claims"
    (task / "v9.md").write_text((task / "v1.md").read_text("utf-8").replace("You read", "You study"), "utf-8")
    return folder


def test_into_a_pipe_goes_json_on_one_line(article):
    result = World(ONE_CLAIM).run("analyze", article, *ENGLISH)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1
    answer = json.loads(result.stdout)
    assert answer["file"] == article
    quote = answer["claims"][0]["quote"]
    assert TEXT[quote["start"] : quote["end"]] == "prices rose by 5 percent"
    assert "text" not in answer["article"]


def test_a_terminal_gets_a_table(article):
    result = World(ONE_CLAIM, terminal=True).run("analyze", article, *ENGLISH)
    assert result.stdout.startswith(TEXT)
    assert "claimant  article\n" in result.stdout


def test_a_terminal_gets_json_indented_when_it_asks_for_json(article):
    result = World(ONE_CLAIM, terminal=True).run("analyze", article, *ENGLISH, "--json")
    assert result.stdout.startswith('{\n  "file": ')


def test_a_pipe_gets_a_table_without_colour_when_it_asks_for_a_table(article):
    result = World(ONE_CLAIM).run("analyze", article, *ENGLISH, "--table")
    assert "0.80  event" in result.stdout
    assert "\x1b" not in result.stdout


def test_any_export_is_printed_when_its_name_is_asked_for(article):
    result = World(ONE_CLAIM).run("analyze", article, *ENGLISH, "--format", "markdown")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("# Claims in: ")


def test_answers_go_to_a_file_and_words_to_stderr(article, tmp_path):
    page = tmp_path / "claims.html"
    result = World(ONE_CLAIM).run("analyze", article, *ENGLISH, "--output", str(page))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert page.read_text("utf-8").startswith("<!doctype html>")
    failed = World(ModelSchemaError("broken")).run("analyze", article, *ENGLISH, "--output", str(page))
    assert (failed.exit_code, failed.stdout) == (EXIT_FAILED, "")
    assert "upstream-schema" in failed.stderr
    assert page.read_text("utf-8").startswith("<!doctype html>")


def test_one_form_can_be_asked_for_only(article):
    result = World().run("analyze", article, "--json", "--format", "csv")
    assert result.exit_code == EXIT_USAGE
    assert "--json goes without --format csv" in result.stderr


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
def test_several_files_give_a_line_of_json_each(article, terminal):
    world = World(ONE_CLAIM, ONE_CLAIM, terminal=terminal)
    result = world.run("analyze", article, article, *ENGLISH, "--json")
    assert [json.loads(line)["file"] for line in result.stdout.splitlines()] == [article, article]
    assert len(world.built) == 1


def test_several_tables_have_their_file_above_them(article):
    result = World(ONE_CLAIM, ONE_CLAIM).run("analyze", article, article, *ENGLISH, "--table")
    assert result.stdout.count("article.txt ─") == 2


def test_of_a_long_path_the_end_is_above_the_table(tmp_path):
    folder = tmp_path / ("deep" * 30)
    folder.mkdir()
    articles = [folder / name for name in ("first.txt", "second.txt")]
    for article in articles:
        article.write_text(TEXT, "utf-8")
    result = World(ONE_CLAIM, ONE_CLAIM).run("analyze", *map(str, articles), *ENGLISH, "--table")
    rules = [line for line in result.stdout.splitlines() if line.startswith("─ …")]
    assert [rule.split("/")[-1] for rule in rules] == ["first.txt ─", "second.txt ─"]


def test_a_dash_is_standard_input_taken_as_it_is():
    result = World(ONE_CLAIM).run("analyze", "-", *ENGLISH, stdin="\r\n" + TEXT + "\r\n")
    answer = json.loads(result.stdout)
    assert answer["file"] == "-"
    assert answer["article"]["code_points"] == len(TEXT) + 4


def test_the_language_is_detected_when_it_is_not_told(article):
    assert json.loads(World(ONE_CLAIM).run("analyze", article).stdout)["article"]["language"] == "en"


def test_options_reach_the_flow(article, prompts):
    world = World(ONE_CLAIM, folder=prompts)
    result = world.run(
        *("analyze", article, "--title", "A title", "--language", "de", "--prompt", "extract_claims@9", "--model", "other"),
        *("--max-claims", "3", "--min-check-worthiness", "0.9", "--drafts"),
    )
    answer = json.loads(result.stdout)
    assert (answer["article"]["title"], answer["article"]["language"]) == ("A title", "de")
    assert answer["provenance"]["prompt"].startswith("extract_claims@9#")
    assert answer["set_aside"] == [{"reason": "below_check_worthiness", "text": "Prices rose by 5 percent."}]
    assert "at most 3 claims" in world.model.calls[0].messages[-1].content
    ((settings, drafts),) = world.built
    assert (settings.model, drafts) == ("other", True)


def test_settings_are_those_of_the_environment(article):
    world = World(ONE_CLAIM, environ={"FACTCHECK_MODEL": "mine", "FACTCHECK_DEADLINE_S": "7"})
    world.run("analyze", article, *ENGLISH)
    ((settings, drafts),) = world.built
    assert (settings.model, settings.deadline_s, drafts) == ("mine", 7.0, False)


@pytest.mark.parametrize(
    ("environ", "level"),
    [pytest.param({}, "error", id="few by default"), pytest.param({"FACTCHECK_LOG_LEVEL": "debug"}, "debug", id="as asked")],
)
def test_log_lines_come_when_asked_for(article, environ, level):
    world = World(ONE_CLAIM, environ=environ)
    world.run("analyze", article, *ENGLISH)
    assert world.log_levels == [level]


BAD_FILES = [
    pytest.param(b"", "empty-body: The article is empty", id="empty"),
    pytest.param(b" \n", "invalid-request: This has to change:\n  - the article: This is blank", id="blank"),
    pytest.param(b"SECRETWORD caf\xe9", "invalid-encoding: The article is not UTF-8 at byte 14", id="not UTF-8"),
    pytest.param(b"SECRETWORD\x00", "control character (U+0000) at offset 10", id="control character"),
    pytest.param(b"SECRETWORD " * 10, "article-too-long: The article has 110 characters", id="too many characters"),
    pytest.param(b"SECRETWORD " * 40, "article-too-long: The article has more than 400 bytes", id="too many bytes"),
]


@pytest.mark.parametrize(("data", "told"), BAD_FILES)
def test_a_file_that_cannot_be_taken_is_told_and_the_others_are_analysed(tmp_path, article, data, told):
    bad = tmp_path / "bad.txt"
    bad.write_bytes(data)
    world = World(ONE_CLAIM, environ={"FACTCHECK_MAX_ARTICLE_CHARS": "100"})
    result = world.run("analyze", str(bad), article, *ENGLISH)
    assert result.exit_code == EXIT_FAILED
    assert result.stderr.startswith(f"{bad}: ")
    assert told in result.stderr
    assert "SECRETWORD" not in result.stderr
    assert json.loads(result.stdout)["file"] == article


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param("missing.txt", "The article cannot be read: No such file or directory.", id="missing"),
        pytest.param(".", "The article cannot be read: Is a directory.", id="folder"),
    ],
)
def test_nothing_is_built_when_no_file_can_be_read(tmp_path, name, told):
    world = World()
    result = world.run("analyze", str(tmp_path / name))
    assert result.exit_code == EXIT_FAILED
    assert told in result.stderr
    assert result.stdout == ""
    assert world.built == []


def test_the_name_of_a_file_cannot_steer_the_terminal():
    assert "\x1b" not in World().run("analyze", "\x1b[2Jmissing").stderr


def test_a_bad_title_is_told_by_its_option(article):
    result = World().run("analyze", article, "--title", "a\x07b")
    assert result.exit_code == EXIT_FAILED
    assert "  - --title: There is a control character (U+0007)" in result.stderr


@pytest.mark.parametrize(
    ("failure", "told", "kept"),
    [
        pytest.param(
            ModelUnavailableError("the endpoint could not be reached"),
            "upstream-unavailable: The model behind this service could not be reached, or failed, also when asked again.\n"
            "  - the endpoint could not be reached\n",
            "",
            id="with the endpoint's reason",
        ),
        pytest.param(ModelBusyError("it answered 429"), "upstream-busy: ", "", id="busy"),
        pytest.param(
            ModelSchemaError("SECRETWORD"),
            "upstream-schema: The model's answer could not be believed, also after it was asked to correct it.\n",
            "SECRETWORD",
            id="without what a reply said",
        ),
        pytest.param(DeadlineExceededError("SECRETWORD"), "deadline-exceeded: ", "SECRETWORD", id="time is spent"),
    ],
)
def test_a_file_whose_analysis_fails_is_told_and_the_next_one_is_analysed(article, failure, told, kept):
    world = World(failure, ONE_CLAIM)
    result = world.run("analyze", article, article, *ENGLISH)
    assert result.exit_code == EXIT_FAILED
    assert result.stderr.startswith(f"{article}: {told}")
    assert not kept or kept not in result.stderr
    assert len(result.stdout.splitlines()) == 1
    assert world.closed == [True]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        pytest.param((), "Missing argument 'FILE...'", id="no file"),
        pytest.param(("-", "-"), "standard input (-) can be read only once", id="stdin twice"),
        pytest.param(("a", "b", "--title", "T"), "--title goes with one FILE only", id="one title for two"),
        pytest.param(("a", "--max-claims", "0"), "0 is not in the range", id="no claims wanted"),
        pytest.param(("a", "--min-check-worthiness", "2"), "2.0 is not in the range", id="too worthy"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_done(args, told):
    world = World()
    result = world.run("analyze", *args)
    assert result.exit_code == EXIT_USAGE
    assert told in result.stderr
    assert world.built == []


def test_an_unknown_prompt_is_told_with_those_that_exist_and_services_are_closed(article):
    world = World()
    result = world.run("analyze", article, "--prompt", "extract_claims@77")
    assert result.exit_code == EXIT_USAGE
    assert "unknown-prompt: no prompt 'extract_claims@77'; there is: extract_claims@1#" in result.stderr
    assert world.closed == [True]


def test_services_that_cannot_be_set_up_are_told_with_every_fault(article):
    world = World(fails_with=SetupError("these are wrong", ["one", "two"]))
    result = world.run("analyze", article)
    assert (result.exit_code, result.stderr) == (EXIT_USAGE, "these are wrong\n  - one\n  - two\n")


def test_wrong_settings_are_told(article):
    result = World(environ={"FACTCHECK_PORT": "x", "FACTCHECK_COLOR": "1"}).run("analyze", article)
    assert result.exit_code == EXIT_USAGE
    assert "FACTCHECK_COLOR: no such setting" in result.stderr
    assert "FACTCHECK_PORT" in result.stderr


class Interrupted(ScriptedModel):
    def complete(self, _call, _deadline):
        raise KeyboardInterrupt


def test_an_interrupt_ends_quietly_and_closes_the_services(article):
    world = World()
    world.model = Interrupted()
    result = world.run("analyze", article, *ENGLISH)
    assert (result.exit_code, result.output) == (EXIT_INTERRUPTED, "")
    assert world.closed == [True]


def test_json_holds_no_character_that_a_terminal_obeys_or_a_reader_ends_a_line_at(tmp_path):
    text = "Prices\u2028rose\x9b2J today in the city, he said."
    path = tmp_path / "a.txt"
    path.write_text(text, "utf-8")
    result = World(reply(claim(1, ""), claim(2, ""))).run("analyze", str(path), *ENGLISH)
    assert not {"\x9b", "\u2028"} & set(result.stdout)
    answer = json.loads(result.stdout)
    for found in answer["claims"]:
        assert found["quote"]["text"] == text[found["quote"]["start"] : found["quote"]["end"]]


def test_serve_hands_over_the_settings():
    world = World(environ={"FACTCHECK_PORT": "9001"})
    assert world.run("serve").exit_code == 0
    assert world.served == [Settings(port=9001)]


@pytest.mark.parametrize("port", [0, 8080])
def test_serve_takes_host_and_port_from_its_options(port):
    world = World(environ={"FACTCHECK_PORT": "9001"})
    world.run("serve", "--host", "0.0.0.0", "--port", str(port))  # noqa: S104 - nothing listens in this test
    assert world.served == [Settings(host="0.0.0.0", port=port)]  # noqa: S104 - nothing listens in this test


def test_settings_are_shown_without_secrets():
    world = World(environ={"OPENAI_API_KEY": "sk-SECRETWORD", "FACTCHECK_PORT": "9001"})
    lines = world.run("settings").stdout.splitlines()
    assert {line.split()[0] for line in lines} == SETTING_NAMES
    shown = {line.split()[0]: line.split(maxsplit=1)[1] for line in lines}
    assert shown["OPENAI_API_KEY"] == "(set)"
    assert shown["FACTCHECK_PORT"] == "9001"
    assert shown["FACTCHECK_HOST"].split() == ["127.0.0.1", "default"]
    assert shown["FACTCHECK_MODEL"].split() == ["(not", "set)", "default"]


def test_a_secret_from_a_file_is_shown_as_set_and_its_way_in_too(tmp_path):
    (tmp_path / "secret").write_text("SECRETWORD" * 4, "utf-8")
    run = World(environ={"FACTCHECK_ACCESS": "header", "FACTCHECK_HEADER_SECRET_FILE": str(tmp_path / "secret")}).run(
        "settings"
    )
    shown = {line.split()[0]: line.split()[1:] for line in run.stdout.splitlines()}
    assert (shown["FACTCHECK_HEADER_SECRET"], shown["FACTCHECK_ACCESS"]) == (["(set)"], ["header"])
    assert "SECRETWORD" not in run.output


def test_settings_as_json_are_shown_without_secrets():
    world = World(environ={"OPENAI_API_KEY": "sk-SECRETWORD"})
    shown = json.loads(world.run("settings", "--json").stdout)
    assert shown.keys() == SETTING_NAMES
    assert (shown["OPENAI_API_KEY"], shown["FACTCHECK_PORT"], shown["OPENAI_BASE_URL"]) == ("(set)", 8000, None)
    assert json.loads(World().run("settings", "--json").stdout)["OPENAI_API_KEY"] is None


def test_fallbacks_are_shown_without_their_keys():
    endpoint = {"BASE_URL": "https://one.test/v1", "MODEL": "m", "API_KEY": "sk-SECRETWORD"}
    given = {"OPENAI_API_KEY": "sk-1", "FACTCHECK_FALLBACK": "1, embedded"}
    world = World(environ=given | {f"FACTCHECK_FALLBACK_1_{name}": value for name, value in endpoint.items()})
    run = world.run("settings", "--json")
    shown = json.loads(run.stdout)
    assert "SECRETWORD" not in run.stdout
    assert (shown["FACTCHECK_FALLBACK"], shown["FACTCHECK_FALLBACK_1_API_KEY"]) == ("1,embedded", "(set)")
    assert json.loads(World().run("settings", "--json").stdout)["FACTCHECK_FALLBACK"] is None


def test_models_are_listed_with_what_is_on_disk(tmp_path):
    world = World(environ={"FACTCHECK_MODEL_DIR": str(tmp_path)})
    head, *lines = world.run("models", "list").stdout.splitlines()
    assert head.split()[:2] == ["NAME", "SIZE"]
    (default,) = [line for line in lines if "(default" in line]
    assert default.split() == "smollm2-135m 98 MB 4,096 Apache-2.0 no SmolLM2 135M Instruct, Q4_1 (default, trial)".split()


def test_models_as_json_have_their_digests(tmp_path):
    world = World(environ={"FACTCHECK_MODEL_DIR": str(tmp_path)})
    models = json.loads(world.run("models", "list", "--json").stdout)
    assert [model["name"] for model in models if model["default"]] == ["smollm2-135m"]
    assert all(len(model["sha256"]) == 64 and model["stored"] is False for model in models)


@pytest.mark.parametrize(
    ("environ", "names", "fetched"),
    [
        pytest.param({}, (), ["smollm2-135m"], id="the default"),
        pytest.param({"FACTCHECK_MODEL": "qwen3-4b"}, (), ["qwen3-4b"], id="the one that is set"),
        pytest.param(
            {"FACTCHECK_MODEL": "gpt", "OPENAI_API_KEY": "k"}, (), ["smollm2-135m"], id="not the one a remote endpoint has"
        ),
        pytest.param({}, ("qwen3-4b", "smollm2-135m"), ["qwen3-4b", "smollm2-135m"], id="those named"),
    ],
)
def test_models_are_fetched_and_their_paths_printed(tmp_path, environ, names, fetched):
    world = World(environ={"FACTCHECK_MODEL_DIR": str(tmp_path), **environ})
    result = world.run("models", "pull", *names)
    assert [name for name, _, _ in world.fetched] == fetched
    assert [Path(line).parent for line in result.stdout.splitlines()] == [tmp_path] * len(fetched)


def test_nothing_is_fetched_when_one_name_is_unknown():
    world = World()
    result = world.run("models", "pull", "smollm2-135m", "unheard-of")
    assert result.exit_code == EXIT_USAGE
    assert "no model is named 'unheard-of'" in result.stderr
    assert world.fetched == []


def test_the_path_of_weights_on_disk_is_printed(tmp_path):
    weights = tmp_path / "mine.gguf"
    weights.write_bytes(b"GGUF")
    result = World().run("models", "path", str(weights))
    assert (result.exit_code, result.stdout) == (0, f"{weights}\n")


def test_weights_that_are_not_on_disk_have_no_path(tmp_path):
    result = World(environ={"FACTCHECK_MODEL_DIR": str(tmp_path)}).run("models", "path", "qwen3-4b")
    assert (result.exit_code, result.stdout) == (EXIT_FAILED, "")
    assert "factcheck models pull qwen3-4b" in result.stderr


def test_prompts_are_listed_drafts_too(prompts):
    lines = [line.split()[:3] for line in World(folder=prompts).run("prompts", "list").stdout.splitlines()]
    shipped = [(prompt.name, "active" if prompt.active else "sealed") for prompt in load_prompts(find_prompts())]
    assert [(ref.split("#")[0], *rest[:1]) for ref, *rest in lines] == sorted([*shipped, ("extract_claims@9", "draft")])


def test_prompts_as_json_are_those_of_the_api(prompts):
    listed = json.loads(World(folder=prompts).run("prompts", "list", "--json").stdout)
    shipped = [(prompt.name, True) for prompt in load_prompts(find_prompts())]
    assert [(prompt["name"], prompt["sealed"]) for prompt in listed] == sorted([*shipped, ("extract_claims@9", False)])


def test_a_prompt_is_shown_as_its_file(prompts):
    result = World(folder=prompts).run("prompts", "show", "extract_claims@9")
    assert result.stdout == (prompts / "extract_claims" / "v9.md").read_text("utf-8")
    assert result.stderr.endswith(", draft\n")


def test_a_prompt_of_any_task_may_be_named():
    assert World().run("prompts", "show", "repair_claims").exit_code == 0


def test_a_prompt_of_no_task_is_told_with_all_there_are():
    result = World().run("prompts", "show", "nothing@1")
    assert result.exit_code == EXIT_USAGE
    assert "extract_claims@1#" in result.stderr
    assert "repair_claims@1#" in result.stderr


def test_a_prompt_is_rendered_exactly_as_it_is_sent(article):
    world = World(ONE_CLAIM)
    world.run("analyze", article, "--title", "A title")
    sent = world.model.calls[0].messages
    result = World().run("prompts", "render", "extract_claims@1", article, "--title", "A title")
    assert result.stdout == "".join(f"{message.content}\n" for message in sent)
    assert result.stderr.splitlines()[1:] == ["=== system ===", "=== user ==="]
    rendered = json.loads(World().run("prompts", "render", "extract_claims@1", article, "--title", "A title", "--json").stdout)
    assert rendered["prompt"].startswith("extract_claims@1#")
    assert rendered["messages"] == [{"role": message.role, "content": message.content} for message in sent]


def test_a_draft_is_rendered_from_standard_input(prompts):
    result = World(folder=prompts).run("prompts", "render", "extract_claims@9", "-", stdin=TEXT)
    assert result.stdout.startswith("You study")
    assert f"[1] {TEXT.partition('. ')[0]}." in result.stdout


def test_a_prompt_that_takes_no_article_is_not_rendered(article):
    result = World().run("prompts", "render", "repair_claims", article)
    assert result.exit_code == EXIT_USAGE
    assert "only prompts of extract_claims" in result.stderr


def test_rendering_tells_what_is_wrong_with_a_file(tmp_path):
    (tmp_path / "blank.txt").write_text(" ", "utf-8")
    result = World().run("prompts", "render", "extract_claims", str(tmp_path / "blank.txt"))
    assert result.exit_code == EXIT_USAGE
    assert result.stderr == "invalid-request: This has to change:\n  - the article: This is blank: put words here.\n"


def test_two_prompts_are_compared(prompts):
    result = World(folder=prompts).run("prompts", "diff", "extract_claims@1", "extract_claims@9")
    assert "\n-You read a news article" in result.stdout
    assert "\n+You study a news article" in result.stdout


def test_equal_prompts_have_no_difference():
    result = World().run("prompts", "diff", "extract_claims", load_prompts(find_prompts()).select(None, "extract_claims").ref)
    assert (result.stdout, result.stderr) == ("", "no difference\n")


def test_sound_prompts_are_counted():
    result = World().run("prompts", "check")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"{len(load_prompts(find_prompts()).prompts)} prompts are sound and sealed\n"


def test_one_sound_prompt_is_singular(prompts):
    for task in ("repair_claims", "judge_same_claim", "name_speaker"):
        shutil.rmtree(prompts / task)
    for path in (prompts / "extract_claims").glob("v[!1].md"):
        path.unlink()
    (seal,) = [line for line in (prompts / "index.toml").read_text("utf-8").splitlines() if "extract_claims@1" in line]
    (prompts / "index.toml").write_text(f"[active]\nextract_claims = 1\n[sha256]\n{seal}\n", "utf-8")
    assert World(folder=prompts).run("prompts", "check").stderr == "1 prompt is sound and sealed\n"


def test_a_draft_does_not_pass_the_check(prompts):
    result = World(folder=prompts).run("prompts", "check")
    assert result.exit_code == EXIT_USAGE
    assert "extract_claims/v9.md: not sealed" in result.stderr


def test_a_draft_is_sealed(prompts):
    world = World(folder=prompts)
    result = world.run("prompts", "seal", "extract_claims@9")
    assert result.stdout.startswith("extract_claims@9#")
    assert world.run("prompts", "check").exit_code == 0


COMMANDS = [
    *(["analyze"], ["serve"], ["settings"], ["models"], ["models", "list"], ["models", "pull"], ["models", "path"]),
    *(["prompts"], *(["prompts", name] for name in ("list", "show", "render", "diff", "check", "seal")), []),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(command):
    result = World().run(*command, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")


def test_the_program_starts_with_the_effects_of_a_real_run(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["factcheck", "--version"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("factcheck, version ")


def test_the_package_runs_as_a_module_and_only_then(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["factcheck", "prompts", "check"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("service.cli", run_name="__main__")
    assert ended.value.code == 0
    assert "sound and sealed" in capsys.readouterr().err
    importlib.import_module("service.cli.__main__")
    assert capsys.readouterr() == ("", "")


def test_output_that_is_no_file_of_text_is_left_as_it_is(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["factcheck", "--version"])
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    with pytest.raises(SystemExit):
        main()
    assert sys.stdout.getvalue().startswith("factcheck, version ")


def test_a_stdout_that_is_not_unicode_gets_json_in_ascii(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="latin-1"))
    monkeypatch.setattr(sys, "argv", ["factcheck", "settings", "--json"])
    monkeypatch.setattr(os, "environ", {"FACTCHECK_MODEL": "mödel ✚"})
    with pytest.raises(SystemExit):
        main()
    sys.stdout.flush()
    assert json.loads(raw.getvalue().decode("ascii"))["FACTCHECK_MODEL"] == "mödel ✚"


@pytest.fixture
def _logging_put_back():
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)


def test_real_services_are_built_from_the_settings():
    effects = production({})
    settings = Settings(base_url="http://127.0.0.1:9/v1", model="far-away")
    services = effects.build_services(settings, progress=BarProgress(Console(file=io.StringIO())), drafts=False)
    assert services.model.traits.name == "far-away"
    services.close()


@pytest.mark.usefixtures("_logging_put_back")
def test_the_real_server_refuses_an_address_that_is_none(capsys):
    effects = production({})
    with pytest.raises(SystemExit) as ended:
        effects.serve(Settings(host="a" * 70))
    assert ended.value.code == EXIT_USAGE
    assert "cannot listen on" in capsys.readouterr().err
    assert not effects.is_terminal(io.StringIO())


def progress_on(*, terminal):
    console = Console(file=io.StringIO(), force_terminal=terminal, width=100, _environ={"TERM": "xterm"})
    return BarProgress(console), console


def test_a_terminal_sees_how_far_a_download_is():
    progress, console = progress_on(terminal=True)
    progress.start("fetching [a] model", 1000)
    progress.advance(500)
    progress.done()
    assert "fetching [a] model" in console.file.getvalue()
    assert "kB" in console.file.getvalue() or "bytes" in console.file.getvalue()


def test_a_step_may_begin_anew_and_have_no_known_length():
    progress, console = progress_on(terminal=True)
    progress.start("fetching", 1000)
    progress.start("waiting for another process", 0)
    progress.advance(1)
    progress.done()
    progress.done()
    progress.advance(1)
    assert "waiting for another process" in console.file.getvalue()


def test_nothing_but_a_terminal_sees_progress():
    progress, console = progress_on(terminal=False)
    progress.start("fetching", 1000)
    progress.advance(1000)
    progress.done()
    with waiting(console, "reading") as tell:
        tell("still reading")
    assert console.file.getvalue() == ""


def test_a_terminal_sees_what_is_waited_for():
    _, console = progress_on(terminal=True)
    with waiting(console, "reading [1]") as tell:
        tell("still reading [2]")
    assert "still reading [2]" in console.file.getvalue()


def test_the_openapi_document_is_that_of_the_settings():
    document = json.loads(World(environ={"FACTCHECK_MAX_ARTICLE_CHARS": "123"}).run("openapi").stdout)
    assert document["components"]["schemas"]["ArticleRequest"]["properties"]["text"]["maxLength"] == 123
