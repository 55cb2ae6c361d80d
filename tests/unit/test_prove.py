import json

import pytest

from service.domain import Article, Options, Passage, SetAside, SetAsideReason, StanceLabel
from service.pipeline.prove import prove
from service.pipeline.replies import read_reply
from service.text.segment import segment
from tests.fakes import claim, stance

TEXT = (
    "“The bridge cost 40 million euros,” Mayor Jane Roe said on Monday.\n"
    "Her rival Tom Poe told reporters: “That is false.”\n"
    "The bridge opened in 2019. The bridge opened in 2019, again."
)


def proof_of(*claims, text=TEXT, options=None):
    passage = Passage(Article(text=text, sha256="0" * 64, language="en"), segment(text, "en"))
    proposed, _ = read_reply(json.dumps({"claims": list(claims)}))
    return prove(passage, proposed, options or Options())


def only(proof):
    (one,) = proof.claims
    return one


def test_a_quote_is_the_slice_of_the_article_at_its_offsets():
    quote = only(proof_of(claim(1, "The bridge cost 40 million euros"))).quote
    assert quote.text == TEXT[quote.span.start : quote.span.end] == "The bridge cost 40 million euros"
    assert quote.sentences == (1,)


def test_an_empty_quote_is_the_whole_sentence_without_the_space_around_it():
    proven = only(proof_of(claim(2)))
    assert proven.quote.text == "Her rival Tom Poe told reporters: “That is false.”"
    assert proven.text == proven.quote.text


def test_an_invented_quote_is_set_aside():
    proof = proof_of(claim(1, "The bridge cost 50 million euros"))
    assert proof.claims == ()
    assert proof.set_aside == (SetAside(SetAsideReason.QUOTE_NOT_FOUND, "The bridge cost 50 million euros"),)


@pytest.mark.parametrize("number", [0, -1, 99])
def test_a_sentence_the_article_does_not_have_is_set_aside(number):
    assert proof_of(claim(number)).set_aside == (SetAside(SetAsideReason.UNKNOWN_SENTENCE, f"[{number}]"),)


def test_a_quote_with_a_wrong_sentence_number_is_still_proved():
    assert only(proof_of(claim(99, "That is false"))).quote.sentences == (2,)


def test_a_claimant_is_named_as_the_article_names_them():
    claimant = only(proof_of(claim(1, "The bridge cost 40 million euros", claimant="Jane Roe"))).claimant
    assert claimant.name == claimant.mention.text == "Jane Roe"


def test_a_claim_by_somebody_the_article_does_not_name_is_set_aside():
    proof = proof_of(claim(1, claimant="John Doe"))
    assert proof.claims == ()
    assert proof.set_aside == (SetAside(SetAsideReason.CLAIMANT_NOT_FOUND, "John Doe"),)


def test_the_article_always_holds_a_stance():
    stances = only(proof_of(claim(1, article="discusses"))).stances
    assert [(one.holder, one.label, one.evidence) for one in stances] == [("article", StanceLabel.DISCUSSES, None)]


def test_who_puts_a_claim_forward_supports_it():
    stances = only(proof_of(claim(1, "The bridge cost 40 million euros", claimant="Jane Roe"))).stances
    assert [(one.holder, one.label) for one in stances] == [
        ("Jane Roe", StanceLabel.SUPPORTS),
        ("article", StanceLabel.SUPPORTS),
    ]


@pytest.mark.parametrize("holder", ["Jane Roe", "Mayor Jane Roe", "Roe"])
def test_a_claimant_whose_stance_is_told_under_any_form_of_their_name_gets_no_second_one(holder):
    told = stance(holder, "refutes", 1, "Mayor Jane Roe said")
    stances = only(proof_of(claim(3, claimant="Jane Roe", stances=[told]))).stances
    assert [(one.holder, one.label) for one in stances] == [(holder, StanceLabel.REFUTES), ("article", StanceLabel.SUPPORTS)]


def test_a_stance_carries_the_words_that_show_it():
    told = stance("Tom Poe", "refutes", 2, "That is false")
    first, _ = only(proof_of(claim(1, "The bridge cost 40 million euros", stances=[told]))).stances
    assert (first.evidence.text, first.evidence.sentences) == ("That is false", (2,))


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        pytest.param(stance("John Doe", "refutes", 2, "That is false"), SetAsideReason.HOLDER_NOT_FOUND, id="unknown holder"),
        pytest.param(stance("Tom Poe", "refutes", 2, "It is a lie"), SetAsideReason.EVIDENCE_NOT_FOUND, id="invented words"),
        pytest.param(stance("Tom Poe", "refutes", 77, ""), SetAsideReason.UNKNOWN_SENTENCE, id="no words, no sentence"),
    ],
)
def test_a_stance_that_cannot_be_proved_is_set_aside_and_the_claim_stays(told, reason):
    proof = proof_of(claim(1, stances=[told]))
    assert [one.holder for one in only(proof).stances] == ["article"]
    assert [one.reason for one in proof.set_aside] == [reason]


def test_the_same_stance_twice_is_kept_once():
    told = stance("Tom Poe", "refutes", 2, "That is false")
    proof = proof_of(claim(1, stances=[told, told]))
    assert [one.holder for one in only(proof).stances] == ["Tom Poe", "article"]
    assert proof.set_aside == (SetAside(SetAsideReason.DUPLICATE, "Tom Poe: refutes"),)


def test_a_number_that_the_article_does_not_hold_never_reaches_the_claim():
    proof = proof_of(claim(1, "The bridge cost 40 million euros", text="The bridge cost 41 million euros."))
    assert only(proof).text == "The bridge cost 40 million euros"
    assert proof.set_aside == (SetAside(SetAsideReason.NUMBER_NOT_FOUND, "The bridge cost 41 million euros."),)


def test_a_claim_said_again_is_set_aside():
    proof = proof_of(claim(1), claim(1))
    assert len(proof.claims) == 1
    assert [one.reason for one in proof.set_aside] == [SetAsideReason.DUPLICATE]


def test_the_same_words_by_another_claimant_are_another_claim():
    assert len(proof_of(claim(1, claimant="Jane Roe"), claim(1, claimant="Tom Poe")).claims) == 2


def test_claims_stand_in_the_order_of_the_article():
    proof = proof_of(claim(3), claim(1), claim(2))
    assert [one.quote.sentences for one in proof.claims] == [(1,), (2,), (3,)]


def test_claims_below_the_asked_worth_are_set_aside():
    proof = proof_of(claim(1, worth=0.2), claim(2, worth=0.5), options=Options(min_check_worthiness=0.5))
    assert [one.quote.sentences for one in proof.claims] == [(2,)]
    assert [one.reason for one in proof.set_aside] == [SetAsideReason.BELOW_CHECK_WORTHINESS]


def test_claims_over_the_asked_number_are_set_aside_least_worthy_first():
    proof = proof_of(claim(1, worth=0.2), claim(2, worth=0.9), claim(3, worth=0.5), options=Options(max_claims=2))
    assert [one.quote.sentences for one in proof.claims] == [(2,), (3,)]
    assert [one.reason for one in proof.set_aside] == [SetAsideReason.OVER_MAX_CLAIMS]


def test_a_claim_keeps_its_id_when_the_article_changes_elsewhere():
    before = only(proof_of(claim(2, "That is false")))
    after = only(proof_of(claim(3, "That is false"), text="A new first sentence stands here.\n" + TEXT))
    assert before.id == after.id
    assert before.quote.span != after.quote.span


def test_claims_that_share_a_quote_have_ids_of_their_own():
    proof = proof_of(claim(1, text="One thing."), claim(1, text="Another thing."))
    assert len({one.id for one in proof.claims}) == 2
