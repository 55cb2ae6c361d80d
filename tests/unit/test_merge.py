from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain import ARTICLE_HOLDER, Kind, Options, SetAsideReason, StanceLabel
from service.pipeline.merge import merge
from service.pipeline.prove import Prover
from service.pipeline.replies import ProposedClaim, ProposedStance
from service.text.segment import segment
from tests.examples import examples

TEXT = (
    "Mayor Jane Roe said the bridge cost 40 million euros. Tom Poe denied it. "
    "The Bridge cost 40 million euros! Ann Lee confirmed it. The bridge opened in May. The bridge opened in May."
)
PROVER = Prover(TEXT, segment(TEXT, "en"))


PLAIN = ProposedClaim(1, "", "", None, (), StanceLabel.DISCUSSES, Kind.EVENT, 0.5, "")


def claim(sentence, quote, stances=(), **changes):
    told = tuple(ProposedStance(holder, StanceLabel(label), at, "") for holder, label, at in stances)
    (proved,) = PROVER.prove([replace(PLAIN, sentence=sentence, quote=quote, stances=told, **changes)]).claims
    return proved


COST = claim(1, "the bridge cost 40 million euros", claimant="Jane Roe", stances=[("Tom Poe", "refutes", 2)])
AGAIN = claim(
    3, "The Bridge cost 40 million euros", article=StanceLabel.SUPPORTS, worth=0.9, stances=[("Ann Lee", "supports", 4)]
)
OPENED = claim(5, "The bridge opened in May", article=StanceLabel.SUPPORTS, worth=0.2)


def merged(*claims, **options):
    return merge(claims, Options(**options))


def test_the_same_proposition_of_two_passages_is_one_claim_with_all_stances():
    result = merged(COST, AGAIN)
    (one,) = result.claims
    assert one.quote == COST.quote
    assert one.claimant.name == "Jane Roe"
    assert one.check_worthiness == 0.9
    assert {(stance.holder, stance.label) for stance in one.stances} == {
        ("Jane Roe", StanceLabel.SUPPORTS),
        ("Tom Poe", StanceLabel.REFUTES),
        ("Ann Lee", StanceLabel.SUPPORTS),
        (ARTICLE_HOLDER, StanceLabel.SUPPORTS),
    }
    assert [place.sentences for place in one.occurrences] == [(1,), (3,)]
    assert [refused.reason for refused in result.set_aside] == [SetAsideReason.DUPLICATE]


def test_an_article_that_takes_both_sides_takes_none():
    against = claim(3, "The Bridge cost 40 million euros", article=StanceLabel.REFUTES)
    (one,) = merged(AGAIN, against).claims
    assert [stance.label for stance in one.stances if stance.holder == ARTICLE_HOLDER] == [StanceLabel.DISCUSSES]


def test_another_figure_is_another_claim():
    other = claim(1, "the bridge cost 40 million euros", text="The bridge cost 40 million dollars.")
    assert len(merged(COST, other).claims) == 2


@examples()
@given(st.permutations([COST, AGAIN, OPENED]), st.sampled_from([None, 1, 2]), st.sampled_from([0.0, 0.4]))
def test_the_order_in_which_passages_come_back_makes_no_difference(claims, most, least):
    expected = merged(COST, AGAIN, OPENED, max_claims=most, min_check_worthiness=least)
    assert merged(*claims, max_claims=most, min_check_worthiness=least) == expected


def test_claims_stand_in_the_order_of_the_article():
    assert [one.quote.sentences for one in merged(OPENED, COST).claims] == [(1,), (5,)]


def test_claims_below_the_asked_worth_are_set_aside():
    result = merged(COST, OPENED, min_check_worthiness=0.5)
    assert [one.quote.sentences for one in result.claims] == [(1,)]
    assert [one.reason for one in result.set_aside] == [SetAsideReason.BELOW_CHECK_WORTHINESS]


def test_claims_over_the_asked_number_are_set_aside_least_worthy_first():
    result = merged(COST, OPENED, max_claims=1)
    assert [one.quote.sentences for one in result.claims] == [(1,)]
    assert [one.reason for one in result.set_aside] == [SetAsideReason.OVER_MAX_CLAIMS]


def test_a_claim_keeps_its_id_when_the_article_changes_elsewhere():
    moved = Prover("A new first sentence. " + TEXT, segment("A new first sentence. " + TEXT, "en"))
    proposed = replace(PLAIN, sentence=6, quote="The bridge opened in May")
    (after,) = merge(moved.prove([proposed]).claims, Options()).claims
    (before,) = merged(OPENED).claims
    assert before.id == after.id
    assert before.quote.span != after.quote.span


@pytest.mark.parametrize("texts", [("The bridge opened.", "The bridge opened in May.")])
def test_claims_that_share_a_quote_have_ids_of_their_own(texts):
    result = merged(*(claim(5, "The bridge opened in May", text=text) for text in texts))
    assert len({one.id for one in result.claims}) == 2


def test_no_claims_merge_to_none():
    assert merged().claims == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("Sales rose by $5.", "Sales rose by €5.", id="currency"),
        pytest.param("Costs rose by 5%.", "Costs rose by -5%.", id="sign"),
        pytest.param("They won by 3.5 points.", "They won by 3-5 points.", id="decimal point"),
        pytest.param("लड़का घर गया", "लड़की घर गया", id="vowel signs"),
    ],
)
def test_what_only_looks_alike_stays_two_claims(one, other):
    found = [claim(5, "The bridge opened in May", text="x"), claim(5, "The bridge opened in May", text="y")]
    result = merged(replace(found[0], text=one), replace(found[1], text=other))
    assert len(result.claims) == 2


def test_a_limit_does_not_change_the_ids_of_the_claims_it_leaves():
    low, high = (claim(5, "The bridge opened in May", text=text, worth=worth) for text, worth in (("A.", 0.2), ("B.", 0.9)))
    everything = {one.text: one.id for one in merged(low, high).claims}
    assert {one.text: one.id for one in merged(low, high, min_check_worthiness=0.5).claims} == {"B.": everything["B."]}


def test_the_reason_goes_with_the_score():
    trivial = claim(1, "the bridge cost 40 million euros", worth=0.1, why="trivial")
    weighty = claim(3, "The Bridge cost 40 million euros", worth=0.9, why="disputed")
    (one,) = merged(trivial, weighty).claims
    assert (one.check_worthiness, one.check_worthiness_reason) == (0.9, "disputed")
