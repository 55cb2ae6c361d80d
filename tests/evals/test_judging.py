import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.bootstrap import value
from evals.items import Item, NoGold
from evals.judgements import JUDGE_FILE, Judge, Judgements, judge_of, to_ask
from evals.judging import JUDGE_TASK, PAIRS_PER_CALL, judging, read_verdicts
from evals.results import load_run, pairs_of
from evals.run import Outcome
from evals.scores.judged import FIGURES
from service.errors import (
    ArticleTooLongError,
    ModelMisconfiguredError,
    ModelSchemaError,
    ModelUnavailableError,
    SetupError,
    UnknownPromptError,
)
from service.pipeline.analyze import Services
from service.prompt_files import find_prompts, load_prompts
from tests.evals.bench import Bench
from tests.evals.miniature import claim, document
from tests.evals.runs import keep_run
from tests.examples import examples
from tests.fakes import TRAITS, ScriptedModel

EXIT_FAILED, EXIT_USAGE = 1, 2
SAME, OTHER = True, False
COST, OPENED = "the bridge cost 40 million euros", "It opened in May"
LIBRARY = load_prompts(find_prompts())
PROMPT = LIBRARY.select(None, JUDGE_TASK)
ITEM = Item("bridge", "Text.", "en", None, NoGold())
JUDGE = Judge("judge_same_claim@1#x", "0" * 64, "scripted", "nowhere")


def verdict(number, same, differs=""):
    return {"n": number, "differs": differs, "same": same}


def reply(*same):
    return json.dumps({"verdicts": [verdict(number, one) for number, one in enumerate(same, 1)]})


@pytest.fixture
def run(data, tmp_path):
    """A run that found both claims of the reference set; the second in the annotator's own words."""
    found = document(claim(COST, text="It cost 40 million."), claim(OPENED, text="The bridge  opened in May."))
    return keep_run(tmp_path / "run", data, {"reference": [found], "policlaim": [document(), document()]})


def figures(run, data):
    result = load_run(run, data).sets["reference"]
    (row,) = result.rows().values()
    return {figure.name: value(figure, row) for figure in FIGURES}


def test_without_a_judge_there_is_no_figure(run, data):
    assert set(figures(run, data).values()) == {None}
    assert judge_of(run) is None


def test_pairs_are_the_claims_found_beside_the_annotated_ones(run, data):
    result = load_run(run, data).sets["reference"]
    assert pairs_of(result) == {
        "bridge": [
            ("It cost 40 million.", "The bridge cost 40 million euros."),
            ("The bridge  opened in May.", "The bridge opened in May."),
        ]
    }


def test_what_differs_in_white_space_only_needs_no_judge():
    assert to_ask([("a b", "a  b\n"), ("a", "b")]) == (("a", "b"),)


@pytest.mark.parametrize(("same", "share"), [(True, 1.0), (False, 0.5)], ids=["same", "other"])
def test_verdicts_become_a_figure_beside_the_others(run, data, same, share):
    bench = Bench(data, reply(same))
    result = bench.run("judge", run)
    assert result.exit_code == 0, result.output
    assert re.search(rf"reference\s+Wording and kind: Judged equivalent\s+{100 * share:.1f}\s", result.stdout)
    assert figures(run, data) == {"judged_equivalent": share, "judged_pairs": 2, "judge_failed": 0}
    (call,) = bench.model.calls
    assert call.messages[-1].content == '{"n":1,"a":"The bridge cost 40 million euros.","b":"It cost 40 million."}'
    assert call.schema.name == "same_claim.v1"
    assert judge_of(run).model == "scripted"


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(ModelUnavailableError("gone SECRET"), id="endpoint"),
        pytest.param("no JSON SECRET", id="no JSON"),
        pytest.param(reply(), id="no verdict"),
        pytest.param(reply(SAME, SAME), id="a verdict too many"),
    ],
)
def test_a_failed_call_counts_as_failed_and_never_as_another_meaning(run, data, failure):
    result = Bench(data, failure).run("judge", run)
    assert result.exit_code == EXIT_FAILED
    assert "bridge: upstream-" in result.stderr
    assert "SECRET" not in result.output
    assert figures(run, data) == {"judged_equivalent": None, "judged_pairs": None, "judge_failed": 1.0}
    kept = Bench(data).run("judge", run, "--keep-failed")
    assert kept.exit_code == EXIT_FAILED
    again = Bench(data, reply(OTHER)).run("judge", run)
    assert again.exit_code == 0
    assert figures(run, data) == {"judged_equivalent": 0.5, "judged_pairs": 2, "judge_failed": 0.0}


def test_what_was_judged_is_not_asked_again(run, data):
    Bench(data, reply(SAME)).run("judge", run)
    assert Bench(data).run("judge", run).exit_code == 0


def test_another_judge_is_asked_anew_and_counts_alone(run, data):
    Bench(data, reply(SAME)).run("judge", run)
    other = Bench(data, reply(OTHER)).run("judge", run, "--model", "stricter")
    assert other.exit_code == 0, other.output
    assert judge_of(run).model == "stricter"
    assert figures(run, data)["judged_equivalent"] == 0.5
    assert Bench(data).run("judge", run).exit_code == 0
    assert figures(run, data)["judged_equivalent"] == 1.0


def test_verdicts_are_recorded_and_replayed_without_a_model(run, data, tmp_path):
    Bench(data, reply(OTHER)).run("judge", run, "--record", tmp_path / "records")
    for kept in (run / "judgements").rglob("*.json"):
        kept.unlink()
    bench = Bench(data)
    assert bench.run("judge", run, "--replay", tmp_path / "records").exit_code == 0
    assert bench.built == []
    assert figures(run, data)["judged_equivalent"] == 0.5


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(("--record", "r", "--replay", "r"), "--record goes without --replay", id="record and replay"),
        pytest.param(("--replay", "r", "--model", "m"), "--replay goes without --model", id="replay and model"),
    ],
)
def test_what_does_not_go_together_is_told(run, data, arguments, told):
    result = Bench(data).run("judge", run, *arguments)
    assert (result.exit_code, told in result.stderr) == (EXIT_USAGE, True)


def test_a_run_without_worded_claims_cannot_be_judged(data, tmp_path):
    run = keep_run(tmp_path / "run", data, {"policlaim": [document(), document()]})
    result = Bench(data).run("judge", run)
    assert isinstance(result.exception, SetupError)


def test_a_prompt_of_another_task_does_not_judge(run, data):
    assert isinstance(Bench(data).run("judge", run, "--prompt", "extract_claims@1").exception, UnknownPromptError)


def test_an_endpoint_that_rejects_us_ends_the_judging_with_its_reason(run, data):
    result = Bench(data, ModelMisconfiguredError("the key is not accepted")).run("judge", run)
    assert result.exit_code == EXIT_FAILED
    assert "upstream-misconfigured: the key is not accepted" in result.stderr


def test_runs_judged_by_different_judges_are_not_compared_by_their_verdicts(run, data, tmp_path):
    found = document(claim(COST, text="It cost 40 million."))
    other = keep_run(tmp_path / "other", data, {"reference": [found]}, prompt="p@2")
    Bench(data, reply(SAME)).run("judge", run)
    Bench(data, reply(SAME)).run("judge", other, "--model", "stricter")
    assert "Judged" not in Bench(data).run("compare", run, other).stdout
    Bench(data, reply(SAME)).run("judge", other)
    assert "Judged equivalent" in Bench(data).run("compare", run, other).stdout


def test_a_report_says_who_judged(run, data, tmp_path):
    Bench(data, reply(SAME)).run("judge", run)
    page = tmp_path / "report.html"
    assert Bench(data).run("report", run, "--out", page).exit_code == 0
    assert f"wordings judged by scripted at nowhere with <code>{PROMPT.ref}</code>" in page.read_text("utf-8")


# One article's calls.


def answer_of(pairs, *outcomes, traits=TRAITS):
    model = ScriptedModel(*outcomes, traits=traits)
    return judging(PROMPT, Services(model, LIBRARY), 60, {"bridge": pairs})(ITEM), model


def test_many_pairs_take_several_calls_and_keep_their_order():
    pairs = [(f"a{number}", f"b{number}") for number in range(PAIRS_PER_CALL + 1)]
    found, model = answer_of(pairs, reply(*[SAME] * PAIRS_PER_CALL), reply(OTHER))
    assert found["same"] == [*[True] * PAIRS_PER_CALL, False]
    assert found["usage"] == {"calls": 2, "input_tokens": 200, "cached_tokens": 80, "output_tokens": 40}
    assert [len(call.messages[-1].content.splitlines()) for call in model.calls] == [PAIRS_PER_CALL, 1]


def test_the_constant_part_comes_first_and_holds_nothing_of_the_claims():
    _, model = answer_of([("a", "b")] * 2, reply(SAME, SAME))
    (call,) = model.calls
    assert call.messages[0] == PROMPT.render({"pairs": ""})[0]
    assert call.messages[0].role == "system"


def test_claims_that_no_call_can_take_are_told():
    with pytest.raises(ArticleTooLongError):
        answer_of([("a" * 200_000, "b")])


def test_a_line_break_in_a_claim_opens_no_other_pair():
    _, model = answer_of([('x"}\n{"n":2,"a":"y', "b")], reply(SAME))
    (line,) = model.calls[0].messages[-1].content.splitlines()
    assert json.loads(line) == {"n": 1, "a": "b", "b": 'x"}\n{"n":2,"a":"y'}


# Its reply.


def test_verdicts_are_read_in_order_also_from_a_fence():
    assert read_verdicts(reply(SAME, OTHER), 2) == [SAME, OTHER]
    assert read_verdicts(f"```json\n{reply(SAME)}\n```", 1) == [SAME]


@pytest.mark.parametrize(
    "document",
    [
        pytest.param([verdict(1, SAME)], id="no object"),
        pytest.param({"verdicts": [verdict(1, SAME)], "note": ""}, id="something beside"),
        pytest.param({"verdicts": {"1": True}}, id="no list"),
        pytest.param({"verdicts": [verdict(2, SAME)]}, id="another number"),
        pytest.param({"verdicts": [verdict(1.0, SAME)]}, id="no whole number"),
        pytest.param({"verdicts": [verdict(SAME, SAME)]}, id="true for one"),
        pytest.param({"verdicts": [verdict(1, "yes")]}, id="verdict in words"),
        pytest.param({"verdicts": [verdict(1, 1)]}, id="one for true"),
        pytest.param({"verdicts": [verdict(1, None)]}, id="no verdict"),
        pytest.param({"verdicts": [verdict(1, SAME, None)]}, id="no words"),
        pytest.param({"verdicts": [{"n": 1, "same": True}]}, id="a field missing"),
        pytest.param({"verdicts": [{**verdict(1, SAME), "sure": 1}]}, id="a field too many"),
        pytest.param({"verdicts": [True]}, id="bare verdict"),
    ],
)
def test_a_reply_that_is_not_exactly_what_was_asked_for_is_no_verdict(document):
    with pytest.raises(ModelSchemaError):
        read_verdicts(json.dumps(document), 1)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["verdicts", "n", "differs", "same"]), inner),
    max_leaves=10,
)


@examples()
@given(json_values.map(json.dumps) | st.text(max_size=40), st.integers(1, 3))
def test_any_reply_gives_a_verdict_for_each_pair_or_none_at_all(text, many):
    try:
        found = read_verdicts(text, many)
    except ModelSchemaError:
        return
    assert len(found) == many
    assert {type(one) for one in found} == {bool}


def test_the_example_in_the_prompt_is_a_valid_reply():
    lines = PROMPT.blocks[0].template.splitlines()
    assert read_verdicts(next(line for line in lines if line.startswith('{"verdicts":[{')), 2) == [True, False]


def test_schema_prompt_and_reader_name_the_same_fields():
    schema = PROMPT.output.document["properties"]["verdicts"]["items"]
    assert schema["required"] == list(schema["properties"])
    assert re.findall(r'^- "(\w+)":', PROMPT.blocks[0].template, re.MULTILINE) == schema["required"]


# Its files.


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param({"same": [True, True]}, id="a verdict too many"),
        pytest.param({"same": None}, id="no list"),
        pytest.param({}, id="nothing"),
    ],
)
def test_a_judgement_that_does_not_fit_its_pairs_is_damaged(tmp_path, kept):
    judgements = Judgements(tmp_path, JUDGE, {"reference": {"bridge": [("a", "b")]}})
    judgements.keep("reference", ITEM, Outcome("bridge", kept, None, 1.0))
    with pytest.raises(SetupError, match="damaged"):
        judgements.count("reference", ITEM)


def test_a_damaged_judge_is_told(tmp_path):
    (tmp_path / JUDGE_FILE).write_text('{"format": 1, "judge": {"prompt": 1}}')
    with pytest.raises(SetupError, match="damaged"):
        judge_of(tmp_path)


def test_the_key_of_a_judgement_holds_all_it_depends_on():
    keys = {
        JUDGE.key([("a", "b")]),
        JUDGE.key([("a", "c")]),
        JUDGE.key([("a", "b"), ("a", "b")]),
        Judge("judge_same_claim@2#y", "0" * 64, "scripted", "nowhere").key([("a", "b")]),
        Judge("judge_same_claim@1#x", "1" * 64, "scripted", "nowhere").key([("a", "b")]),
        Judge("judge_same_claim@1#x", "0" * 64, "other", "nowhere").key([("a", "b")]),
    }
    assert len(keys) == 6
    assert JUDGE.key([]) == Judge("judge_same_claim@1#x", "0" * 64, "scripted", "elsewhere").key([])


def test_an_article_that_is_not_judged_yet_counts_nothing(run, data):
    pairs = {"reference": pairs_of(load_run(run, data).sets["reference"])}
    judgements = Judgements(run, JUDGE, pairs)
    assert judgements.count("reference", ITEM) == {}
    assert not (Path(run) / "judgements").exists()
