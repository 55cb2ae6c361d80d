import json
from dataclasses import replace

import pytest

from service.domain import Mode, SetAside, SetAsideReason, StanceLabel
from service.pipeline.prove import Prover
from service.pipeline.replies import read_reply
from service.text.segment import segment
from tests.fakes import claim, stance

TEXT = (
    "“The bridge cost 40 million euros,” Mayor Jane Roe said on Monday.\n"
    "Her rival Tom Poe told reporters: “That is false.”\n"
    "The bridge opened in 2019. The bridge opened in 2019, again."
)


def proof_of(*claims, text=TEXT):
    proposed, _ = read_reply(json.dumps({"claims": list(claims)}), "claim_list.v1")
    return Prover(text, segment(text, "en")).prove(proposed)


def proof_of_one(**changes):
    proposed, _ = read_reply(json.dumps({"claims": [claim()]}), "claim_list.v1")
    return Prover(TEXT, segment(TEXT, "en")).prove([replace(proposed[0], **changes)])


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


def test_claims_stand_in_the_order_proposed():
    proof = proof_of(claim(3), claim(1), claim(2))
    assert [one.quote.sentences for one in proof.claims] == [(3,), (1,), (2,)]


def test_all_places_of_a_quote_are_listed():
    found = only(proof_of(claim(4, "The bridge opened in 2019")))
    assert found.quote.sentences == (4,)
    assert [place.sentences for place in found.occurrences] == [(3,), (4,)]


@pytest.mark.parametrize(
    ("quote", "mode"),
    [
        pytest.param("The bridge cost 40 million euros", Mode.DIRECT, id="own words"),
        pytest.param("“The bridge cost 40 million euros,” Mayor Jane Roe said", Mode.MIXED, id="partly"),
        pytest.param("Mayor Jane Roe said on Monday", Mode.INDIRECT, id="the article's words"),
    ],
)
def test_the_quotation_marks_tell_whose_words_a_claim_is_in(quote, mode):
    assert only(proof_of(claim(1, quote, claimant="Jane Roe"))).mode is mode


def test_a_claim_of_nobody_is_in_the_articles_own_voice():
    assert only(proof_of(claim(3))).mode is Mode.OWN_VOICE


def test_a_pronoun_keeps_its_own_place_and_the_name_its_fullest_form():
    claimant = only(proof_of_one(sentence=2, claimant="Jane Roe", mention="Her")).claimant
    assert (claimant.name, claimant.mention.text, claimant.mention.sentences) == ("Jane Roe", "Her", (2,))


@pytest.mark.parametrize("mention", ["", "The minister", "Tom Poe and others"])
def test_without_a_mention_near_the_claim_the_name_is_the_mention(mention):
    claimant = only(proof_of_one(sentence=1, claimant="Jane Roe", mention=mention)).claimant
    assert claimant.mention.text == "Jane Roe"


def test_a_mention_far_from_the_claim_does_not_count():
    claimant = only(proof_of_one(sentence=4, claimant="Jane Roe", mention="Her")).claimant
    assert claimant.mention.text == "Jane Roe"


def test_a_role_is_in_the_articles_words_or_set_aside():
    assert only(proof_of_one(claimant="Jane Roe", role="Mayor")).claimant.role == "Mayor"
    proof = proof_of_one(claimant="Jane Roe", role="Lord Mayor")
    assert only(proof).claimant.role is None
    assert proof.set_aside == (SetAside(SetAsideReason.ROLE_NOT_FOUND, "Lord Mayor"),)


NAMED_TWICE = (
    "Zoe Kent, a retired judge, spoke on Monday.\n"
    "The harbour is shallow, Zoe Kent said.\n"
    "The old captain Kent was asked about the harbour again.\n"
    "A pilot was there."
)


@pytest.mark.parametrize(
    ("role", "proved"),
    [
        pytest.param("a retired judge", "a retired judge", id="beside the name in another sentence"),
        pytest.param("A retired judge.", "a retired judge", id="up to its edges"),
        pytest.param("Old captain", "old captain", id="beside the surname"),
        pytest.param("pilot", None, id="in sentences that name others only"),
    ],
)
def test_an_office_may_stand_wherever_the_article_names_who_holds_it(role, proved):
    proposed, _ = read_reply(json.dumps({"claims": [claim(2, "The harbour is shallow", claimant="Zoe Kent")]}), "claim_list.v1")
    proof = Prover(NAMED_TWICE, segment(NAMED_TWICE, "en")).prove([replace(proposed[0], role=role)])
    assert only(proof).claimant.role == proved
    assert proof.set_aside == (() if proved else (SetAside(SetAsideReason.ROLE_NOT_FOUND, role),))


def test_who_is_cited_is_proved_or_set_aside():
    assert only(proof_of_one(claimant="Jane Roe", cites="reporters")).claimant.cites.sentences == (2,)
    proof = proof_of_one(claimant="Jane Roe", cites="a report by Ann Lee")
    assert only(proof).claimant.cites is None
    assert proof.set_aside == (SetAside(SetAsideReason.CITED_NOT_FOUND, "a report by Ann Lee"),)


def test_hearsay_is_not_the_articles_own_voice():
    assert only(proof_of(claim(3, article="discusses"))).mode is Mode.INDIRECT


def test_an_office_is_given_only_to_whom_the_article_gives_it_in_one_sentence():
    proof = proof_of_one(sentence=2, claimant="Tom Poe", role="Mayor")
    assert only(proof).claimant.role is None
    assert proof.set_aside == (SetAside(SetAsideReason.ROLE_NOT_FOUND, "Mayor"),)


def test_nobody_is_named_by_a_word_that_only_looks_like_a_name():
    text = "It will rain, the weather service said on Monday morning."
    proof = proof_of(claim(1, claimant="Will"), text=text)
    assert proof.set_aside == (SetAside(SetAsideReason.CLAIMANT_NOT_FOUND, "Will"),)


def test_a_longer_name_that_only_begins_alike_is_somebody_else():
    text = "Police said the road was safe. The Police Union said it was not."
    told = stance("Police Union", "refutes", 2, "it was not")
    stances = only(proof_of(claim(1, "the road was safe", claimant="Police", stances=[told]), text=text)).stances
    assert [(one.holder, one.label.value) for one in stances][:2] == [("Police", "supports"), ("Police Union", "refutes")]


def test_nobody_else_can_hold_the_articles_own_stance():
    text = "Officials said the article was wrong. The bridge opened in May."
    proof = proof_of(claim(2, stances=[stance("article", "refutes", 1, "was wrong")]), text=text)
    assert [(one.holder, one.label.value) for one in only(proof).stances] == [("article", "supports")]
    assert [one.reason for one in proof.set_aside] == [SetAsideReason.HOLDER_NOT_FOUND]


def test_evidence_with_a_wrong_sentence_number_is_proved_only_where_its_words_stand_once():
    once = proof_of(claim(1, stances=[stance("Tom Poe", "refutes", 77, "That is false")]))
    assert [one.holder for one in only(once).stances] == ["Tom Poe", "article"]
    twice = proof_of(claim(1, stances=[stance("Tom Poe", "refutes", 77, "The bridge opened in 2019")]))
    assert twice.set_aside == (SetAside(SetAsideReason.UNKNOWN_SENTENCE, "[77]"),)


def test_of_words_that_stand_everywhere_only_some_places_are_listed_and_the_quoted_one():
    text = "The bridge is open. " * 50
    found = only(proof_of(claim(40, "The bridge is open"), text=text))
    assert len(found.occurrences) == 21
    assert found.quote in found.occurrences


@pytest.mark.parametrize(
    "quote", ["The bridge cost 40 million euros", "“The bridge cost 40 million euros,” Mayor Jane Roe said"]
)
def test_the_article_does_not_state_what_stands_between_quotation_marks(quote):
    found = only(proof_of(claim(1, quote, article="supports")))
    assert [(one.holder, one.label) for one in found.stances] == [("article", StanceLabel.DISCUSSES)]
    assert found.mode is not Mode.OWN_VOICE


def test_the_article_may_still_dispute_what_it_quotes():
    found = only(proof_of(claim(1, "The bridge cost 40 million euros", article="refutes")))
    assert [one.label for one in found.stances] == [StanceLabel.REFUTES]


V3_TEXT = (
    "“The bridge cost 40 million euros,” Mayor Jane Roe said on Monday.\n"
    "Roe said the toll is two euros.\n"
    "It opened in May, she added.\n"
    "Nothing of it is paid for.\n"
    "Her rival Tom Poe denied that. The builder denied it too."
)
SOURCES_V3 = ["Jane Roe | Mayor", "Tom Poe | rival", "The builder"]


def proof_v3(*claims):
    whole = {"text": "", "stances": [], "kind": "event", "worth": 5, "why": "public"}
    reply = {"sources": SOURCES_V3, "claims": [{**whole, **claim} for claim in claims]}
    proposed, _ = read_reply(json.dumps(reply), "claim_list.v3")
    return Prover(V3_TEXT, segment(V3_TEXT, "en")).prove(proposed)


@pytest.mark.parametrize(
    ("number", "quote", "mention", "sentence"),
    [
        pytest.param(1, "The bridge cost 40 million euros", "Jane Roe", 1, id="its name beside the quote"),
        pytest.param(2, "the toll is two euros", "Roe", 2, id="a surname"),
        pytest.param(3, "It opened in May", "she", 3, id="a pronoun"),
        pytest.param(4, "Nothing of it is paid for", "she", 3, id="a pronoun in the sentence before"),
        pytest.param(6, "The builder denied it too", "Jane Roe", 1, id="nothing near, so its name wherever that is"),
    ],
)
def test_the_words_that_refer_to_a_claimant_are_found_where_the_model_names_none(number, quote, mention, sentence):
    claimant = only(proof_v3({"n": number, "quote": quote, "by": 1})).claimant
    assert (claimant.name, claimant.mention.text, claimant.mention.sentences) == ("Jane Roe", mention, (sentence,))
    assert V3_TEXT[claimant.mention.span.start : claimant.mention.span.end] == mention


def evidence_v3(of, words):
    stance = {"of": of, "is": "refutes", "words": words}
    proof = proof_v3({"n": 1, "quote": "The bridge cost 40 million euros", "by": 1, "stances": [stance]})
    held = [one.evidence for one in only(proof).stances if one.label is StanceLabel.REFUTES]
    return [(one.text, one.sentences) for one in held], proof.set_aside


@pytest.mark.parametrize(
    ("of", "words", "sentence"),
    [
        pytest.param(2, "denied that", 5, id="in one place"),
        pytest.param(2, "denied", 5, id="in two places, his"),
        pytest.param(3, "denied", 6, id="in two places, theirs"),
        pytest.param(2, "It opened in May", 3, id="in one place that speaks of others"),
    ],
)
def test_words_that_no_sentence_is_named_for_stand_where_their_holder_does(of, words, sentence):
    assert evidence_v3(of, words) == ([(words, (sentence,))], ())


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("denies it", id="not in the article"),
        pytest.param("", id="none"),
        pytest.param("euros", id="in several places, none of which speaks of the holder"),
    ],
)
def test_words_that_show_no_stance_are_set_aside(words):
    assert evidence_v3(2, words) == ([], (SetAside(SetAsideReason.EVIDENCE_NOT_FOUND, words),))


def test_words_that_stand_everywhere_show_nothing():
    text = "Tom Poe said no. " * 300
    stance = {"of": 1, "is": "refutes", "words": "no"}
    claim = {"n": 2, "quote": "no", "text": "", "by": 0, "stances": [stance], "kind": "event", "worth": 5, "why": "minor"}
    proposed, _ = read_reply(json.dumps({"sources": ["Tom Poe"], "claims": [claim]}), "claim_list.v3")
    proof = Prover(text, segment(text, "en")).prove(proposed)
    assert proof.set_aside == (SetAside(SetAsideReason.EVIDENCE_NOT_FOUND, "no"),)
