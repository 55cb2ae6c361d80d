import pytest

from evals.bootstrap import Estimate
from evals.datasets import DATASETS
from evals.figures import Better, Unit
from evals.results import (
    baseline_results,
    compare,
    estimate,
    figures_of,
    load_run,
    load_runs,
    read_items,
    relabelled_results,
    tally,
)
from evals.run import Outcome, RunFolder, RunInfo
from evals.standings import compare_sets, comparison_summary, standings, written, written_range
from service.errors import SetupError
from tests.evals.miniature import answer, claim, document
from tests.evals.runs import asked, keep_run

COST, OPENED = "the bridge cost 40 million euros", "It opened in May"


def test_a_run_is_read_back_and_scored(data, tmp_path):
    path = keep_run(tmp_path / "a", data, {"reference": [document(claim(COST))]})
    result = load_run(path, data).sets["reference"]
    assert estimate(result)["claim_recall"].value == 0.5
    assert (len(result.answered), result.failed) == (1, 0)


def test_failures_are_counted_and_not_scored(data, tmp_path):
    path = keep_run(tmp_path / "a", data, {"policlaim": [document(), "upstream-schema"]})
    result = load_run(path, data).sets["policlaim"]
    assert (len(result.answered), result.failures, result.failed) == (1, {"upstream-schema": 1}, 1)
    assert set(result.rows()) == {"OZ2020"}


def test_articles_that_were_not_asked_are_not_in_a_result(data, tmp_path):
    path = keep_run(tmp_path / "a", data, {"policlaim": [document()]})
    assert len(load_run(path, data).sets["policlaim"].scored) == 1


def test_an_article_that_changed_since_was_not_asked(data, tmp_path):
    path = keep_run(tmp_path / "a", data, {"reference": [document()]})
    file = data / DATASETS["reference"].file
    file.write_text(file.read_text(encoding="utf-8").replace("in May.", "in June"), encoding="utf-8")
    assert load_run(path, data).sets["reference"].scored == ()


def test_parts_of_one_speech_are_one_row(data, tmp_path):
    file = data / DATASETS["policlaim"].file
    file.write_text(file.read_text(encoding="utf-8").replace("OZ2021", "OZ2020"), encoding="utf-8")
    path = keep_run(tmp_path / "a", data, {"policlaim": [document()]})
    ((name, row),) = load_run(path, data).sets["policlaim"].rows().items()
    assert (name, row["sentences"]) == ("OZ2020", 3)


def test_an_answer_of_another_shape_is_named(data, tmp_path):
    path = keep_run(tmp_path / "a", data, {"reference": [{"claims": []}]})
    with pytest.raises(SetupError, match="reference/bridge is not in the shape"):
        load_run(path, data)


def test_a_set_that_is_not_known_is_named(data, tmp_path):
    RunFolder.begin(tmp_path / "a", RunInfo("x", asked(), "nowhere", "1.0", {"weather": None}))
    with pytest.raises(SetupError, match="not known: weather"):
        load_run(tmp_path / "a", data)


def test_a_failure_without_a_code_is_an_internal_error(data, tmp_path):
    path = keep_run(tmp_path / "a", data, {"reference": [document()]})
    (item,) = read_items(DATASETS["reference"], data)
    RunFolder.load(path).keep("reference", item, Outcome("bridge", None, None, 0.0))
    assert load_run(path, data).sets["reference"].failures == {"internal-error": 1}


def test_a_set_can_be_read_from_another_file(data, tmp_path):
    other = tmp_path / "mine.jsonl"
    other.write_text((data / DATASETS["reference"].file).read_text(encoding="utf-8"), encoding="utf-8")
    (data / DATASETS["reference"].file).unlink()
    path = keep_run(tmp_path / "a", data, {"reference": [document()]}, files={"reference": str(other)})
    assert len(load_run(path, data).sets["reference"].answered) == 1


def test_runs_that_share_a_label_are_told_apart_by_their_folder(data, tmp_path):
    paths = [keep_run(tmp_path / name, data, {"reference": [document()]}, prompt=f"p@1#{name}", label="same") for name in "ab"]
    assert [run.info.label for run in load_runs(paths, data)] == ["same (a)", "same (b)"]


def test_the_same_run_twice_is_refused(data, tmp_path):
    path = keep_run(tmp_path / "a", data, {"reference": [document()]})
    with pytest.raises(SetupError, match="given twice"):
        load_runs([path, path], data)


def test_every_count_of_an_answer_is_there_once(data):
    (item,) = read_items(DATASETS["reference"], data)
    counts = tally(DATASETS["reference"], item, answer(claim(COST)))
    assert (counts["articles"], counts["hits"], counts["slices"]) == (1, 1, 1)


def test_figures_of_a_set_have_names_of_their_own():
    for dataset in DATASETS.values():
        names = [figure.name for figure in figures_of(dataset)]
        assert len(names) == len(set(names))
        assert dataset.scorer.headline_figure.name == dataset.scorer.headline
        assert all(name in names for name in dataset.scorer.curve or ())


def test_baselines_are_scored_on_the_articles_that_were_answered(data, tmp_path):
    path = keep_run(tmp_path / "a", data, {"policlaim": [document(), "upstream-empty"]})
    result = load_run(path, data).sets["policlaim"]
    found = baseline_results(result, ["every_sentence", "reporting_verb"])
    assert [len(one.answered) for one in found.values()] == [1, 1]
    assert estimate(found["every_sentence"])["sentence_recall"].value == 1.0


def test_relabelling_keeps_the_claims_and_changes_what_is_said_of_them(data, tmp_path):
    path = keep_run(tmp_path / "a", data, {"reference": [document(claim(COST, claimant="Mayor Ann Roe", kind="quantity"))]})
    result = load_run(path, data).sets["reference"]
    relabelled = {name: estimate(one) for name, one in relabelled_results(result).items()}
    assert {one["claim_f1"].value for one in relabelled.values()} == {estimate(result)["claim_f1"].value}
    assert (relabelled["always_author"]["own_voice"].value, relabelled["majority"]["own_voice"].value) == (0.0, 1.0)
    assert (relabelled["always_author"]["kind"].value, relabelled["majority"]["kind"].value) == (1.0, 0.0)


def two_runs(data, tmp_path, before, after):
    paths = [
        keep_run(tmp_path / name, data, {"policlaim": documents}, prompt=f"p@{number}#{name}")
        for number, (name, documents) in enumerate((("a", before), ("b", after)), 1)
    ]
    return load_runs(paths, data)


def found_sentence(data, number):
    return claim("fell by" if number else "four hundred", read_items(DATASETS["policlaim"], data)[number].text)


def test_runs_are_compared_on_the_articles_both_answered(data, tmp_path):
    one, two = two_runs(
        data, tmp_path, [document(), "upstream-empty"], [document(found_sentence(data, 0)), document(found_sentence(data, 1))]
    )
    shared, found = compare(one.sets["policlaim"], two.sets["policlaim"])
    assert shared == 1
    assert (found["sentence_recall"].before, found["sentence_recall"].after) == (0.0, 1.0)


def test_changes_are_better_worse_moved_or_unclear(data, tmp_path):
    more = [document(found_sentence(data, number), usage={"input_tokens": 200}) for number in (0, 1)]
    one, two = two_runs(data, tmp_path, [document(), document()], more)
    comparison = compare_sets(one.sets["policlaim"], two.sets["policlaim"])
    verdicts = {change.figure.name: change.verdict for change in comparison.changes}
    assert (verdicts["sentence_recall"], verdicts["input_tokens"], verdicts["calls"], verdicts["claims"]) == (
        "better",
        "worse",
        "unclear",
        "moved",
    )
    assert {change.figure.name for change in comparison.clear} == {name for name, it in verdicts.items() if it != "unclear"}
    summary = comparison_summary(comparison)
    assert summary["articles"] == 2
    assert summary["figures"]["sentence_recall"]["gain"] == {"value": 1.0, "low": 1.0, "high": 1.0}


def test_tables_have_the_runs_the_baselines_and_the_relabelled_claims_as_rows(data, tmp_path):
    runs = two_runs(data, tmp_path, [document(), document()], [document(found_sentence(data, 0)), document()])
    (standing,) = standings(runs)
    assert [system.label for system in standing.systems] == [
        "p@1#a · scripted",
        "p@2#b · scripted",
        "A’s claims, always author",
        "A’s claims, majority",
        "B’s claims, always author",
        "B’s claims, majority",
        "every sentence",
        "reporting verb",
    ]
    assert [system.letter for system in standing.runs] == ["A", "B"]
    assert standing.best_baseline.label in {"every sentence", "reporting verb"}
    assert standing.comparison.shared == 2


def test_a_row_that_only_relabels_is_left_out_where_it_says_nothing_new(data, tmp_path):
    document_with = document(claim(COST, claimant="Mayor Ann Roe", kind="quantity"), claim(OPENED))
    path = keep_run(tmp_path / "a", data, {"reference": [document_with]})
    (standing,) = standings(load_runs([path], data))
    rows = {group.title: [system.label for system in group.systems] for group in standing.groups()}
    assert rows["Claims"] == ["p@1#x · scripted", "every sentence", "reporting verb"]
    assert "A’s claims, always author" in rows["Attribution"]
    assert "A’s claims, majority" in rows["Wording and kind"]
    assert standing.comparison is None


def test_baselines_that_are_runs_are_not_rows_twice_and_are_not_relabelled(data, tmp_path):
    path = keep_run(
        tmp_path / "a", data, {"reference": [document(claim(COST))]}, prompt="baseline:every_sentence", label="every sentence"
    )
    (standing,) = standings(load_runs([path], data))
    assert [system.label for system in standing.systems] == ["every sentence", "reporting verb"]


def test_what_costs_nothing_in_every_row_has_no_column(data, tmp_path):
    free = document(
        claim(COST),
        usage={"calls": 0, "input_tokens": 0, "cached_tokens": 0, "output_tokens": 0, "duration_ms": 0},
    )
    path = keep_run(tmp_path / "a", data, {"reference": [free]})
    (standing,) = standings(load_runs([path], data))
    assert "Cost" not in [group.title for group in standing.groups()]


def test_a_set_that_one_run_lacks_is_compared_between_those_that_have_it(data, tmp_path):
    paths = [
        keep_run(tmp_path / "a", data, {"reference": [document()]}, prompt="p@1#a"),
        keep_run(tmp_path / "b", data, {"reference": [document()], "polnear": [document()]}, prompt="p@2#b"),
    ]
    both, single = standings(load_runs(paths, data))
    assert both.comparison.shared == 1
    assert (single.comparison, [system.letter for system in single.runs]) == (None, ["B"])


@pytest.mark.parametrize(
    ("number", "unit", "signed", "expected"),
    [
        pytest.param(0.7012, Unit.PERCENT, False, "70.1", id="percent"),
        pytest.param(-0.05, Unit.PERCENT, True, "−5.0", id="loss"),
        pytest.param(0.05, Unit.PERCENT, True, "+5.0", id="gain"),
        pytest.param(1204.4, Unit.NUMBER, False, "1204", id="large number"),
        pytest.param(2.25, Unit.NUMBER, False, "2.2", id="small number"),
        pytest.param(2.255, Unit.SECONDS, False, "2.25", id="seconds"),
        pytest.param(None, Unit.PERCENT, False, "–", id="undefined"),
    ],
)
def test_values_are_written_for_reading(number, unit, signed, expected):
    assert written(number, unit, signed=signed) == expected


def test_ranges_are_written_for_reading():
    assert written_range(Estimate(0.5, 0.25, 0.75), Unit.PERCENT) == "25.0 … 75.0"
    assert written_range(Estimate(None), Unit.PERCENT) == ""


def test_most_figures_have_a_direction():
    neither = {figure.name for one in DATASETS.values() for figure in figures_of(one) if figure.better is Better.NEITHER}
    assert neither == {"claims", "claims_ratio", "found_ufs", "judged_pairs", "cached_tokens", "cached_tokens_per_claim"}
