import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from evals.items import Item, NoGold
from evals.run import Asked, Outcome, RunInfo
from evals.running import folder_name, progress
from service.errors import ModelMisconfiguredError, ModelSchemaError, SetupError
from tests.evals.bench import Bench
from tests.evals.miniature import document
from tests.evals.runs import keep_run
from tests.fakes import claim

EXIT_FAILED, EXIT_USAGE = 1, 2
COST = "the bridge cost 40 million euros"
REPLY = json.dumps({"claims": [claim(1, COST, claimant="Mayor Ann Roe")]})


def test_sets_are_listed_with_those_that_are_missing(data):
    result = Bench(data).run("sets")
    assert result.exit_code == 0
    lines = {line.split()[0]: line for line in result.stdout.splitlines()}
    assert re.search(r"reference\s+1\s+every claim", lines["reference"])
    assert "(private)" in lines["newsclaims"]
    assert "missing" in lines["semeval2025_t10_en"]


def test_sets_are_listed_as_json(data):
    (reference, *_) = json.loads(Bench(data).run("sets", "--json").stdout)
    assert (reference["name"], reference["articles"], reference["private"]) == ("reference", 1, False)


def test_a_data_folder_must_be_named(data):
    result = Bench(data, environ={"FACTCHECK_DATA": ""}).run("sets")
    assert isinstance(result.exception, SetupError)


def test_a_run_answers_the_articles_prints_its_folder_and_sums_up(data, tmp_path):
    bench = Bench(data, REPLY)
    result = bench.run("run", "--set", "reference", "--out", tmp_path / "out")
    assert result.exit_code == 0
    folder = Path(result.stdout.strip())
    assert folder.parent == tmp_path / "out"
    assert folder.name.startswith("extract_claims@1-scripted-")
    assert "1 of 1" in result.stderr
    assert re.search(r"reference\s+1\s+0\s+Claim F1\s+66\.7", result.stderr)
    for figure in (
        "Cost: Calls",
        "Cost: … cached",
        "Cost per claim: Tokens out",
        "Read alone: Stands alone",
        "Proof: Set aside",
    ):
        assert re.search(rf"scripted\s+reference\s+{figure}\s+\d", result.stderr), figure
    assert bench.closed == [None]


def test_a_run_that_is_done_asks_nobody_again(data, tmp_path):
    Bench(data, REPLY).run("run", "--set", "reference", "--out", tmp_path)
    result = Bench(data).run("run", "--set", "reference", "--out", tmp_path)
    assert result.exit_code == 0


def test_failures_end_in_a_status_of_their_own_and_are_told_by_code(data, tmp_path):
    result = Bench(data, ModelSchemaError("SECRET")).run("run", "--set", "reference", "--out", tmp_path)
    assert result.exit_code == EXIT_FAILED
    assert "bridge: upstream-schema" in result.stderr
    assert "1 failed" in result.stderr
    assert "SECRET" not in result.output
    kept = Bench(data).run("run", "--set", "reference", "--out", tmp_path, "--keep-failed")
    assert kept.exit_code == EXIT_FAILED


def test_an_endpoint_that_rejects_us_ends_the_run_with_its_reason(data, tmp_path):
    result = Bench(data, ModelMisconfiguredError("the key is not accepted")).run("run", "--set", "reference", "--out", tmp_path)
    assert result.exit_code == EXIT_FAILED
    assert "upstream-misconfigured: the key is not accepted" in result.stderr


def test_each_prompt_on_each_model_is_a_run_of_its_own(data, tmp_path):
    bench = Bench(data, REPLY, REPLY, REPLY, REPLY)
    prompts = ("--prompt", "extract_claims@1", "--prompt", "extract_claims@1#82afff43")
    result = bench.run(
        "run", "--set", "reference", "--out", tmp_path, *prompts, "--model", "one", "--model", "two", "--drafts", "--limit", 1
    )
    assert result.exit_code == 0, result.stderr
    assert bench.built == [("one", True), ("two", True)]
    # Both refs name the same prompt, so each model has one run, and the second time nothing is asked.
    assert len(result.stdout.split()) == 4
    assert [Path(name).name.split("-")[1] for name in sorted(set(result.stdout.split()))] == ["one", "two"]
    assert len(bench.model.calls) == 2


def test_options_make_another_run(data, tmp_path):
    plain = Bench(data, REPLY).run("run", "--set", "reference", "--out", tmp_path)
    limited = Bench(data, REPLY).run("run", "--set", "reference", "--out", tmp_path, "--max-claims", 3)
    assert plain.stdout != limited.stdout
    assert "max_claims-3" in limited.stdout


def test_baselines_need_no_model(data, tmp_path):
    names = ("--baseline", "every_sentence", "--baseline", "majority")
    bench = Bench(data)
    result = bench.run("run", "--set", "reference", "--set", "policlaim", "--out", tmp_path, *names)
    assert result.exit_code == 0
    assert len(result.stdout.split()) == 2
    assert bench.built == []


def test_a_set_can_be_read_from_a_file_of_ones_own(data, tmp_path):
    mine = tmp_path / "mine.jsonl"
    mine.write_text((data / "reference/dev.jsonl").read_text(encoding="utf-8"), encoding="utf-8")
    (data / "reference/dev.jsonl").unlink()
    result = Bench(data, REPLY).run("run", "--set", f"reference={mine}", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output


def test_what_was_recorded_is_replayed_without_a_model(data, tmp_path):
    records = tmp_path / "records"
    first = Bench(data, REPLY).run("run", "--set", "reference", "--out", tmp_path / "a", "--record", records)
    assert first.exit_code == 0, first.output
    bench = Bench(data)
    again = bench.run("run", "--set", "reference", "--out", tmp_path / "b", "--replay", records)
    assert again.exit_code == 0, again.output
    assert bench.built == []
    folders = [Path(result.stdout.strip()) for result in (first, again)]
    kept = [json.loads(next((folder / "answers/reference").iterdir()).read_bytes()) for folder in folders]
    one, two = (outcome["outcome"]["answer"] for outcome in kept)
    assert one["claims"] == two["claims"]
    assert one["id"] == two["id"]


def test_an_article_that_was_not_recorded_fails(data, tmp_path):
    records = tmp_path / "records"
    Bench(data, REPLY).run("run", "--set", "reference", "--out", tmp_path / "a", "--record", records)
    result = Bench(data).run("run", "--set", "polnear", "--set", "newsclaims", "--out", tmp_path / "b", "--replay", records)
    assert result.exit_code == EXIT_FAILED
    assert "upstream-unavailable" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(("--baseline", "majority", "--model", "x"), "--baseline goes without", id="baseline and model"),
        pytest.param(("--record", "r", "--replay", "r"), "--record goes without --replay", id="record and replay"),
        pytest.param(("--replay", "r", "--model", "x"), "--replay goes without --model", id="replay and model"),
        pytest.param(("--record", "r", "--model", "x", "--model", "y"), "one --model only", id="record two models"),
        pytest.param(("--set", "weather"), "no such set: weather; there is: reference", id="unknown set"),
        pytest.param(("--baseline", "guess"), "'guess' is not one of", id="unknown baseline"),
    ],
)
def test_what_does_not_go_together_is_told(data, tmp_path, arguments, told):
    result = Bench(data).run("run", "--set", "reference", "--out", tmp_path, *arguments)
    assert result.exit_code == EXIT_USAGE
    assert told in result.stderr


@pytest.fixture
def folders(data, tmp_path):
    before = keep_run(tmp_path / "a", data, {"policlaim": [document(), document()]}, prompt="p@1")
    rows = {
        "reference": [document()],
        "policlaim": [document(usage={"input_tokens": 50}), document(usage={"input_tokens": 50})],
    }
    return before, keep_run(tmp_path / "b", data, rows, prompt="p@2")


def test_runs_are_compared_in_a_table(data, folders):
    result = Bench(data).run("compare", *folders)
    assert result.exit_code == 0
    assert "from p@1 · scripted to p@2 · scripted" in result.stderr
    assert re.search(r"policlaim\s+Cost: Tokens in\s+100\s+50\.0\s+−50\.0\s+−50\.0 … −50\.0\s+better", result.stdout)
    assert "Sentences: Recall" in result.stdout


def test_only_clear_changes_are_shown_when_asked(data, folders):
    lines = Bench(data).run("compare", *folders, "--clear").stdout.splitlines()
    assert len(lines) > 1
    assert all(line.endswith("better") for line in lines[1:])


def test_a_comparison_is_json_when_asked(data, folders):
    found = json.loads(Bench(data).run("compare", *folders, "--json").stdout)
    assert list(found) == ["policlaim"]
    assert found["policlaim"]["figures"]["input_tokens"]["verdict"] == "better"


def test_a_report_is_written_with_its_figures(data, folders, tmp_path):
    out, figures = tmp_path / "report.html", tmp_path / "report.json"
    result = Bench(data).run("report", folders[0], "--out", out, "--json", figures)
    assert result.stdout.strip() == str(out)
    assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert list(json.loads(figures.read_text(encoding="utf-8"))["sets"]) == ["policlaim"]


def test_a_report_that_cannot_be_written_is_told(data, folders, tmp_path):
    result = Bench(data).run("report", folders[0], "--out", tmp_path / "no" / "report.html")
    assert isinstance(result.exception, SetupError)
    assert "cannot be written" in str(result.exception)


def test_a_run_folder_that_is_not_there_is_a_usage_error(data, tmp_path):
    assert Bench(data).run("compare", tmp_path / "a", tmp_path / "b").exit_code == EXIT_USAGE


def item(number):
    return Item(str(number), "Text.", "en", None, NoGold())


def test_on_a_terminal_a_bar_shows_how_far_it_is(capsys):
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    with progress(console, "reference", [item(1), item(2)]) as tell:
        tell(Outcome("1", document(), None, 1.0))
        tell(Outcome("2", None, "upstream-empty", 1.0))
    assert "reference" in console.file.getvalue()
    assert capsys.readouterr().err == "reference: 2: upstream-empty\n"


def test_elsewhere_a_line_for_each_tenth_shows_how_far_it_is(capsys):
    console = Console(file=io.StringIO(), force_terminal=False)
    items = [item(number) for number in range(30)]
    with progress(console, "reference", items) as tell:
        for one in items:
            tell(Outcome(one.id, document(), None, 1.0))
    lines = capsys.readouterr().err.splitlines()
    assert (len(lines), lines[-1]) == (10, "reference: 30 of 30")


@pytest.mark.parametrize("label", ["../../etc/passwd · x", "...", "p@1 · model/name:7b"])
def test_a_folders_name_is_harmless_and_tells_runs_apart(label):
    names = [folder_name(RunInfo(label, Asked(prompt, "0", "m", {}), "nowhere", "1.0", {})) for prompt in ("p@1", "p@2")]
    assert all(re.fullmatch(r"[A-Za-z0-9@_][A-Za-z0-9@._-]*", name) for name in names)
    assert len(set(names)) == 2
