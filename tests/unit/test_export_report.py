from dataclasses import replace

import pytest

from service.domain import AnalysisStatus, Caveat, Coverage, PassageCoverage, SetAsideReason, StanceLabel
from service.export import report
from service.provenance import Decider
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
    ("claims", "read", "words"),
    [
        pytest.param(3, 9, "3 claims, most worth checking first", id="several"),
        pytest.param(1, 2, "1 claim", id="one"),
        pytest.param(0, 9, "No claims: the article was read and none were found", id="none"),
        pytest.param(0, 2, "No claims in the part of the article that was read", id="none, partial"),
    ],
)
@pytest.mark.parametrize("status", AnalysisStatus)
def test_no_claims_never_sounds_like_a_failure_nor_a_failure_like_no_claims(claims, read, words, status):
    told = replace(latin(), claims=latin().claims[:claims], coverage=Coverage(9, read, ()), status=status)
    assert report.claims_words(told) == words


@pytest.mark.parametrize(
    ("coverage", "words"),
    [
        pytest.param(Coverage(1, 1, ()), "Its only sentence was read", id="one"),
        pytest.param(Coverage(2, 2, ()), "All 2 sentences were read", id="all"),
        pytest.param(Coverage(9, 2, ()), "Only 2 of 9 sentences were read", id="some"),
    ],
)
@pytest.mark.parametrize("status", AnalysisStatus)
def test_coverage_is_told_in_words_whatever_the_status(status, coverage, words):
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


def test_a_report_says_that_rules_found_the_claims_where_no_model_did():
    assert report.caution(latin()).startswith("A language model found these claims.")
    by_rules = replace(latin().provenance, decided_by=replace(latin().provenance.decided_by, claims=Decider.RULES))
    assert report.caution(replace(latin(), provenance=by_rules)).startswith("Rules of language found these claims.")
