from dataclasses import replace

import pytest

from service.domain import AnalysisStatus, Caveat, Coverage, PassageCoverage, SetAsideReason, StanceLabel
from service.export import report
from tests.export_cases import analysis, article, latin

NOTHING = analysis(article("Nothing."), [])


def test_claims_are_ranked_by_check_worthiness_then_by_their_place():
    low, high, same = latin().claims
    low = replace(low, check_worthiness=0.1)
    ranked = report.ranked(replace(latin(), claims=(low, high, same)))
    assert ranked == (high, same, low)


def test_every_reason_and_every_stance_has_words():
    assert set(report.SET_ASIDE_WORDS) == set(SetAsideReason)
    assert set(report.STANCE_MEANINGS) == set(StanceLabel)


def test_a_stance_of_the_article_that_was_not_found_out_is_told_as_unknown():
    claim = latin().claims[0]
    assert report.article_stance(claim) is StanceLabel.DISCUSSES
    assert report.article_stance(replace(claim, stances=claim.stances[:1])) is None


@pytest.mark.parametrize(
    ("claims", "status", "words"),
    [
        pytest.param(3, AnalysisStatus.COMPLETE, "3 claims, most worth checking first", id="several"),
        pytest.param(1, AnalysisStatus.PARTIAL, "1 claim", id="one"),
        pytest.param(0, AnalysisStatus.COMPLETE, "No claims: the article was read and none were found", id="none"),
        pytest.param(0, AnalysisStatus.PARTIAL, "No claims in the part of the article that was read", id="none, partial"),
    ],
)
def test_no_claims_never_sounds_like_a_failure_nor_a_failure_like_no_claims(claims, status, words):
    assert report.claims_words(replace(latin(), claims=latin().claims[:claims], status=status)) == words


@pytest.mark.parametrize(
    ("status", "coverage", "words"),
    [
        pytest.param(AnalysisStatus.COMPLETE, Coverage(1, 1, ()), "Its only sentence was read", id="one"),
        pytest.param(AnalysisStatus.COMPLETE, Coverage(2, 2, ()), "All 2 sentences were read", id="all"),
        pytest.param(AnalysisStatus.PARTIAL, Coverage(9, 2, ()), "Only 2 of 9 sentences were read", id="some"),
    ],
)
def test_coverage_is_told_in_words(status, coverage, words):
    assert report.coverage_words(replace(NOTHING, status=status, coverage=coverage)) == words


def test_what_was_not_read_is_warned_of_first():
    coverage = Coverage(2, 1, (PassageCoverage(0, 4, "a"), PassageCoverage(4, 8, "b", "upstream-truncated")))
    told = report.warnings(replace(NOTHING, coverage=coverage, warnings=(Caveat("late", "It was late."),)))
    assert [code for code, _ in told] == ["upstream-truncated", "late"]
    assert "4 to 8" in told[0][1]


def test_set_aside_is_counted_most_frequent_first():
    assert report.set_aside_counts(latin()) == [(SetAsideReason.QUOTE_NOT_FOUND, 2), (SetAsideReason.DUPLICATE, 1)]


def test_a_model_that_answers_under_the_name_asked_for_is_named_once():
    source = latin().provenance
    same = replace(source, model=replace(source.model, served=source.model.asked))
    assert dict(report.provenance(replace(latin(), provenance=same)))["Model"] == "small-1"
    assert dict(report.provenance(latin()))["Model"] == "small-1, which answered as small-1-2026-05"
