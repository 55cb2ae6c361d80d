import pytest

from evals.bootstrap import value
from evals.items import Attribution, AttributionGold, Item
from evals.scores.attributions import ATTRIBUTIONS, FIGURES, count
from evals.scores.scorer import Note, Slot
from tests.evals.miniature import TEXT, answer, claim, span

COST, OPENED = "the bridge cost 40 million euros", "It opened in May"
GOLD = AttributionGold((Attribution((span(COST),), "Mayor Ann Roe"), Attribution((span("denied it"),), None)))
ITEM = Item("bridge", TEXT, "en", None, GOLD)


def figures(*claims, item=ITEM):
    tally = count(item, answer(*claims))
    return {figure.name: value(figure, tally) for figure in FIGURES}


def test_claims_given_to_the_right_party_score_full_marks():
    found = figures(claim(COST, claimant="Mayor Ann Roe"), claim(OPENED))
    assert (found["voice"], found["claimant_f1"], found["missed"], found["invented"]) == (1.0, 1.0, 0.0, 0.0)


def test_a_reported_claim_given_to_the_article_is_missed_and_the_reverse_is_invented():
    found = figures(claim(COST), claim(OPENED, claimant="Tom Poe"))
    assert (found["voice"], found["missed"], found["invented"]) == (0.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("words", "voice"),
    [
        pytest.param("bridge cost", 1.0, id="inside a longer content"),
        pytest.param("the bridge cost 40 million euros. Her rival Tom Poe", 1.0, id="mostly inside"),
        pytest.param("40 million euros. Her rival Tom Poe", 0.0, id="mostly outside"),
    ],
)
def test_half_of_a_claim_in_a_content_makes_it_reported(words, voice):
    assert figures(claim(words, claimant="Mayor Ann Roe"))["voice"] == voice


def test_contents_are_matched_one_to_one_with_attributed_claims_only():
    found = figures(claim(COST, claimant="Ann Roe"), claim("denied it"))
    assert (found["content_precision"], found["content_recall"], found["content_touched"]) == (1.0, 0.5, 0.5)
    assert found["source_f1"] == pytest.approx(0.8)


def test_a_content_in_pieces_is_covered_piece_by_piece():
    pieces = Attribution((span("the bridge"), span("40 million euros")), "Mayor Ann Roe")
    item = Item("pieces", TEXT, "en", None, AttributionGold((pieces,)))
    assert figures(claim("40 million euros", claimant="Ann Roe"), item=item)["voice"] == 1.0
    assert figures(claim(" cost ", claimant="Ann Roe"), item=item)["voice"] == 0.0


def test_a_source_that_nobody_named_is_not_compared():
    found = figures(claim("denied it", claimant="Tom Poe"))
    assert (found["voice"], found["claimant_f1"], found["source_f1"]) == (1.0, None, None)


def test_what_people_labelled_is_shown_with_its_source():
    first, second = ATTRIBUTIONS.golds(ITEM)
    assert first.notes == (Note(Slot.VOICE, "Mayor Ann Roe"),)
    assert second.notes == (Note(Slot.LABEL, "source not named"),)


def test_a_claimant_is_compared_as_mentioned_as_told_and_by_name():
    told = claim(COST, claimant="Ann Roe")
    told["claimant"]["role"] = "Mayor"
    found = figures(told)
    assert found["claimant_f1"] == found["claimant_name_f1"] == found["named_name_f1"] == pytest.approx(0.8)
    assert found["claimant_told_f1"] == 1.0


def test_a_label_that_is_a_pronoun_is_no_measure_of_names():
    item = Item("pronoun", TEXT, "en", None, AttributionGold((Attribution((span(COST),), "She"),)))
    found = figures(claim(COST, claimant="Ann Roe"), item=item)
    assert (found["claimant_name_f1"], found["named_name_f1"]) == (0.0, None)
