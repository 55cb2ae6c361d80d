import json
import threading

import pytest

from evals.items import Item, NoGold
from evals.run import Asked, Outcome, RunFolder, RunInfo, Working, answer_items, first_items
from service.errors import (
    ModelMisconfiguredError,
    ModelQuotaError,
    ModelSchemaError,
    ModelUnavailableError,
    SetupError,
)
from tests.evals.miniature import document

ASKED = Asked("extract_claims@1#abc", "0" * 64, "scripted", {"max_claims": None})
INFO = RunInfo("extract_claims@1 · scripted", ASKED, "nowhere", "1.0", {"reference": None})


def item(name, text=None):
    return Item(name, text or f"Text of {name}.", "en", None, NoGold())


ITEMS = [item(name) for name in ("one", "two", "three")]


class Answers:
    """A fake that answers by item, or raises what it was told to, and remembers who was asked."""

    def __init__(self, **failures):
        self.failures = failures
        self.asked = []

    def __call__(self, asked):
        self.asked.append(asked.id)
        if asked.id in self.failures:
            raise self.failures[asked.id]
        return document(id=f"an_{asked.id}")


@pytest.fixture
def run(tmp_path):
    return RunFolder.begin(tmp_path / "run", INFO)


def test_answers_come_back_in_the_order_of_the_items_and_are_kept(run):
    outcomes = answer_items(run, "reference", ITEMS, Answers(), Working(workers=3))
    assert [outcome.item for outcome in outcomes] == ["one", "two", "three"]
    assert [outcome.answer["id"] for outcome in outcomes] == ["an_one", "an_two", "an_three"]
    assert len(list((run.path / "answers" / "reference").iterdir())) == 3


def test_what_is_on_disk_is_not_asked_again(run):
    answer_items(run, "reference", ITEMS[:2], Answers(), Working())
    again = Answers()
    told = []
    outcomes = answer_items(RunFolder.load(run.path), "reference", ITEMS, again, Working(tell=told.append))
    assert again.asked == ["three"]
    assert [outcome.item for outcome in outcomes] == [outcome.item for outcome in told] == ["one", "two", "three"]


def test_a_killed_run_goes_on_where_it_was(run):
    with pytest.raises(KeyboardInterrupt):
        answer_items(run, "reference", ITEMS, Answers(two=KeyboardInterrupt()), Working())
    again = Answers()
    answer_items(run, "reference", ITEMS, again, Working())
    assert "one" not in again.asked
    assert "two" in again.asked


def test_a_failure_is_kept_by_its_code_and_is_no_answer(run):
    failing = Answers(two=ModelSchemaError("broken"))
    outcomes = answer_items(run, "reference", ITEMS, failing, Working())
    assert [(outcome.failure, outcome.answer is None) for outcome in outcomes] == [
        (None, False),
        ("upstream-schema", True),
        (None, False),
    ]
    assert "broken" not in "".join(path.read_text(encoding="utf-8") for path in run.path.rglob("*.json"))


def test_failures_are_tried_again_unless_told_not_to(run):
    answer_items(run, "reference", ITEMS, Answers(two=ModelUnavailableError("gone")), Working())
    kept = Answers()
    outcomes = answer_items(run, "reference", ITEMS, kept, Working(retry_failed=False))
    assert (kept.asked, outcomes[1].failure) == ([], "upstream-unavailable")
    again = Answers()
    outcomes = answer_items(run, "reference", ITEMS, again, Working())
    assert (again.asked, outcomes[1].failure) == (["two"], None)


@pytest.mark.parametrize(
    "error", [ModelMisconfiguredError("key"), ModelQuotaError("empty"), SetupError("damaged")], ids=lambda error: error.code
)
def test_what_would_befall_every_article_stops_the_run_and_is_not_kept(run, error):
    failing = Answers(one=error)
    with pytest.raises(type(error)):
        answer_items(run, "reference", ITEMS, failing, Working())
    assert run.outcome("reference", ITEMS[0]) is None
    assert len(failing.asked) < len(ITEMS) + 1


def test_an_error_that_is_not_ours_is_not_swallowed(run):
    with pytest.raises(ZeroDivisionError):
        answer_items(run, "reference", ITEMS, Answers(one=ZeroDivisionError()), Working())


def test_the_seconds_an_answer_took_are_kept(run):
    times = iter([10.0, 12.5])
    (outcome,) = answer_items(run, "reference", ITEMS[:1], Answers(), Working(clock=lambda: next(times)))
    assert outcome.seconds == 2.5


def test_whom_to_tell_is_told_in_the_callers_thread(run):
    threads = set()
    answer_items(run, "reference", ITEMS, Answers(), Working(workers=2, tell=lambda _: threads.add(threading.current_thread())))
    assert threads == {threading.current_thread()}


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(Asked("extract_claims@2#abc", "0" * 64, "scripted", {"max_claims": None}), id="prompt"),
        pytest.param(Asked("extract_claims@1#abc", "1" * 64, "scripted", {"max_claims": None}), id="schema"),
        pytest.param(Asked("extract_claims@1#abc", "0" * 64, "other", {"max_claims": None}), id="model"),
        pytest.param(Asked("extract_claims@1#abc", "0" * 64, "scripted", {"max_claims": 3}), id="options"),
    ],
)
def test_the_key_changes_with_everything_an_answer_depends_on(changed):
    assert changed.key(ITEMS[0]) != ASKED.key(ITEMS[0])


def test_the_key_changes_with_the_article_and_not_with_its_name_or_gold():
    assert ASKED.key(item("other", ITEMS[0].text)) == ASKED.key(ITEMS[0])
    assert ASKED.key(item("one", "Another text.")) != ASKED.key(ITEMS[0])
    assert ASKED.key(Item("one", ITEMS[0].text, "de", None, NoGold())) != ASKED.key(ITEMS[0])
    assert ASKED.key(Item("one", ITEMS[0].text, "en", "Title", NoGold())) != ASKED.key(ITEMS[0])


def test_a_folder_of_another_run_is_refused(run):
    other = RunInfo("x", Asked("other@1#a", "0" * 64, "scripted", {}), "nowhere", "1.0", {})
    with pytest.raises(SetupError, match=r"holds a run of extract_claims@1#abc on scripted"):
        RunFolder.begin(run.path, other)


def test_a_run_that_goes_on_adds_to_its_sets(run):
    more = RunInfo(INFO.label, ASKED, "nowhere", "1.0", {"polnear": "/elsewhere.jsonl"})
    assert RunFolder.begin(run.path, more).info.sets == {"reference": None, "polnear": "/elsewhere.jsonl"}
    assert RunFolder.load(run.path).info.sets == {"reference": None, "polnear": "/elsewhere.jsonl"}


@pytest.mark.parametrize("content", ["", "[]", '{"format": 2}', '{"format": 1}', '{"format": 1, "asked": {}}'], ids=repr)
def test_a_damaged_run_file_is_named(run, content):
    (run.path / "run.json").write_text(content, encoding="utf-8")
    with pytest.raises(SetupError, match=r"run\.json"):
        RunFolder.load(run.path)


@pytest.mark.parametrize("content", ["", '{"format": 1}', '{"format": 1, "outcome": {"item": "one"}}'], ids=repr)
def test_a_damaged_outcome_is_named(run, content):
    run.keep("reference", ITEMS[0], Outcome("one", document(), None, 1.0))
    (path,) = (run.path / "answers" / "reference").iterdir()
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SetupError, match=path.name):
        run.outcome("reference", ITEMS[0])


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SetupError, match="cannot be written"):
        RunFolder.begin(tmp_path / "file" / "run", INFO)


def test_an_answer_that_cannot_be_written_leaves_no_part_of_itself(run):
    with pytest.raises(ValueError, match="JSON compliant"):
        run.keep("reference", ITEMS[0], Outcome("one", {"claims": float("nan")}, None, 1.0))
    assert [path.name for path in run.path.rglob("*") if path.is_file()] == ["run.json"]


def test_an_outcome_is_whole_json_with_its_key(run):
    run.keep("reference", ITEMS[0], Outcome("one", document(), None, 1.0))
    (path,) = (run.path / "answers" / "reference").iterdir()
    assert json.loads(path.read_text(encoding="utf-8"))["key"] == path.stem == ASKED.key(ITEMS[0])


def test_a_limit_takes_some_items_in_their_order_and_a_larger_one_only_adds_to_them():
    items = [item(str(number)) for number in range(20)]
    few, more = first_items(items, 5), first_items(items, 12)
    assert len(few) == 5
    assert set(few) < set(more)
    assert few == sorted(few, key=items.index)
    assert first_items(items, None) == first_items(items, 99) == items


def test_baselines_are_told_from_prompts():
    assert not INFO.is_baseline
    assert RunInfo("x", Asked("baseline:majority", "none", "none", {}), "none", "1.0", {}).is_baseline
