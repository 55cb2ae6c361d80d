import pytest

from evals.bootstrap import value
from evals.figures import cell
from evals.items import GoldClaim, Item, ReferenceGold
from evals.scores.reference import FIGURES, REFERENCE, count
from evals.scores.scorer import Note, Slot
from tests.evals.miniature import GOLD, ITEM, TEXT, answer, claim, span

COST, OPENED = "the bridge cost 40 million euros", "It opened in May"


def figures(*claims, item=ITEM):
    tally = count(item, answer(*claims))
    return {figure.name: value(figure, tally) for figure in FIGURES}


def perfect():
    return (
        claim(
            COST,
            text="The bridge cost 40 million euros.",
            claimant="Mayor Ann Roe",
            others={"Mayor Ann Roe": "supports", "Tom Poe": "refutes"},
            article="discusses",
            kind="quantity",
            check_worthiness=0.9,
        ),
        claim(OPENED, text="The bridge opened in May.", check_worthiness=0.1),
    )


def test_the_annotation_itself_scores_full_marks():
    found = figures(*perfect())
    assert {name for name, it in found.items() if it != 1.0} == set()


def test_an_answer_without_claims_finds_nothing_and_says_nothing_of_labels():
    found = figures()
    assert (found["claim_f1"], found["claim_recall"], found["worthy_recall"], found["claims_ratio"]) == (0, 0, 0, 0)
    assert found["claim_precision"] is None
    assert found["own_voice"] is None
    assert found["worth_auc"] is None


def test_a_claim_is_found_when_its_quote_overlaps_enough():
    whole_sentence = claim("Mayor Ann Roe said the bridge cost 40 million euros.")
    a_word = claim("40")
    found = figures(whole_sentence, a_word)
    assert (found["claim_precision"], found["claim_recall"], found["worthy_recall"]) == (0.5, 0.5, 1.0)
    start, end = span(COST)
    assert found["quote_iou"] == pytest.approx((end - start) / len("Mayor Ann Roe said the bridge cost 40 million euros."))


def test_two_claims_in_one_place_find_it_once():
    found = figures(claim(COST), claim(COST))
    assert (found["claim_precision"], found["claim_recall"]) == (0.5, 0.5)


def test_a_claim_elsewhere_with_the_same_words_is_found_by_wording_only():
    found = figures(claim("Her rival Tom Poe denied it", text="The bridge cost 40 million euros."))
    assert found["claim_f1"] == 0
    assert found["wording_match_f1"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("claimant", "own", "token_f1", "exact"),
    [
        pytest.param("Mayor Ann Roe", 1.0, 1.0, 1.0, id="the full name"),
        pytest.param("Ann Roe", 1.0, 0.8, 0.0, id="part of the name"),
        pytest.param("Tom Poe", 1.0, 0.0, 0.0, id="somebody else"),
        pytest.param(None, 0.0, 0.0, 0.0, id="nobody"),
    ],
)
def test_claimants_are_compared_by_their_words(claimant, own, token_f1, exact):
    found = figures(claim(COST, claimant=claimant))
    assert (found["own_voice"], found["claimant_f1"], found["claimant_exact"]) == (own, pytest.approx(token_f1), exact)


def test_a_holder_is_found_by_a_part_of_the_name_and_then_judged():
    found = figures(claim(COST, others={"Poe": "supports", "Ann Roe": "supports"}))
    assert found["holder_found"] == 1.0
    assert found["holder_stance"] == 0.5


def test_holders_that_are_not_found_are_not_judged():
    found = figures(claim(COST, others={"the bridge": "refutes"}))
    assert found["holder_found"] == 0.0
    assert found["holder_stance"] is None


def test_stances_are_counted_as_a_table_of_labels():
    tally = count(ITEM, answer(claim(COST, article="refutes", others={"Tom Poe": "discusses"})))
    assert tally[cell("article", "discusses", "refutes")] == 1
    assert tally[cell("others", "refutes", "discusses")] == 1


def test_check_worthiness_is_ranked_within_the_article_with_ties_counted_half():
    low, high, same = (
        figures(claim(COST, check_worthiness=one), claim(OPENED, check_worthiness=other))
        for one, other in ((0.1, 0.9), (0.9, 0.1), (0.5, 0.5))
    )
    assert [one["worth_auc"] for one in (low, high, same)] == [0.0, 1.0, 0.5]
    assert [one["worth_ap"] for one in (low, high, same)] == [0.5, 1.0, 0.5]


def test_what_people_labelled_is_shown_with_the_stances_that_tell_something():
    cost, opened = REFERENCE.golds(ITEM)
    assert (cost.words, TEXT[slice(*cost.span)]) == ("The bridge cost 40 million euros.", COST)
    assert cost.notes == (
        Note(Slot.VOICE, "Mayor Ann Roe"),
        Note(Slot.ARTICLE, "discusses"),
        Note(Slot.HOLDER, "Tom Poe: refutes"),
        Note(Slot.KIND, "quantity"),
        Note(Slot.WORTH, "3 of 3"),
    )
    assert opened.notes[0] == Note(Slot.VOICE, "own voice")


def test_an_article_without_annotated_claims_counts_every_claim_as_wrong():
    item = Item("none", TEXT, "en", None, ReferenceGold(()))
    assert figures(claim(COST), item=item)["claim_precision"] == 0.0


def test_ties_between_quotes_go_to_the_later_claim_as_in_the_scorer_we_compare_with():
    gold = ReferenceGold((GOLD.claims[0],))
    item = Item("ties", TEXT, "en", None, gold)
    found = figures(claim(COST, kind="event"), claim(COST, kind="quantity"), item=item)
    assert found["kind"] == 1.0


def test_gold_claims_without_holders_but_the_article_are_fine():
    gold = GoldClaim("The bridge opened in May.", span(OPENED), None, "supports", (), "event", 2)
    item = Item("one", TEXT, "en", None, ReferenceGold((gold,)))
    assert figures(claim(OPENED), item=item)["holder_found"] is None
