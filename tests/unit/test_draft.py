from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain import ArticleInput, SetAsideReason, StanceLabel
from service.pipeline.draft import draft
from service.pipeline.ingest import ingest
from service.pipeline.prove import Prover
from service.text.segment import segment
from service.text.worth import CheckWorthiness, load_weights
from tests.examples import examples
from tests.unit.test_speech import NEWSY

SEEDS = sorted((Path(__file__).parents[2] / "seeds").glob("*.txt"))
SUPPORTS, REFUTES, DISCUSSES = StanceLabel.SUPPORTS, StanceLabel.REFUTES, StanceLabel.DISCUSSES


def drafted(text, language="en"):
    article = ingest(ArticleInput(text, language=language))
    found = draft(article, segment(article.text, language))
    return [one for number in sorted(found.claims) for one in found.claims[number]]


def told(text, language="en"):
    """Each claim's words, its claimant, the holders with their stances, and the article's."""
    return [
        (one.quote, one.claimant, {stance.holder: stance.label for stance in one.stances}, one.article)
        for one in (each.proposed for each in drafted(text, language))
    ]


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        pytest.param("The river rose in March.", [("The river rose in March", None, {}, SUPPORTS)], id="own voice"),
        pytest.param(
            "Ann Lee said the dam was old.", [("the dam was old", "Ann Lee", {"Ann Lee": SUPPORTS}, DISCUSSES)], id="reported"
        ),
        pytest.param(
            "Ann Lee denied that the dam was old.",
            [("the dam was old", None, {"Ann Lee": REFUTES}, DISCUSSES)],
            id="a denial makes nobody a claimant",
        ),
        pytest.param(
            "There is no evidence that the dam was damaged.",
            [("the dam was damaged", None, {}, REFUTES)],
            id="no evidence, in the article's own voice",
        ),
        pytest.param(
            "Ann Lee said there is no evidence that the dam was damaged.",
            [("the dam was damaged", None, {"Ann Lee": REFUTES}, DISCUSSES)],
            id="no evidence, as somebody says",
        ),
        pytest.param(
            "The police have no evidence that the dam was damaged.",
            [("the dam was damaged", None, {}, DISCUSSES)],
            id="no evidence of one's own",
        ),
        pytest.param(
            "Ann Lee said the police had no evidence that the dam was damaged.",
            [("the dam was damaged", None, {"Ann Lee": DISCUSSES}, DISCUSSES)],
            id="no evidence of one's own, as somebody says",
        ),
        pytest.param(
            "The dam was reportedly hit by a train, setting off a flood in the town.",
            [
                ("The dam was reportedly hit by a train", None, {}, DISCUSSES),
                ("setting off a flood in the town", None, {}, DISCUSSES),
            ],
            id="doubt goes with what follows from it",
        ),
        pytest.param(
            "Ann Lee said the dam was old, as the war entered its third year.",
            [
                ("the dam was old", "Ann Lee", {"Ann Lee": SUPPORTS}, DISCUSSES),
                ("the war entered its third year", None, {}, SUPPORTS),
            ],
            id="an aside is the writer's",
        ),
        pytest.param(
            "Ann Lee said that the firm paid its workers late. Max Bell denied these allegations.",
            [
                ("the firm paid its workers late", "Ann Lee", {"Ann Lee": SUPPORTS, "Max Bell": REFUTES}, DISCUSSES),
            ],
            id="an answer is a stance on what was told before",
        ),
        pytest.param(
            "Ann Lee said the army had bought foreign shells. Max Bell denied that the army bought foreign shells.",
            [
                ("the army had bought foreign shells", "Ann Lee", {"Ann Lee": SUPPORTS, "Max Bell": REFUTES}, DISCUSSES),
                ("the army bought foreign shells", None, {"Max Bell": REFUTES, "Ann Lee": SUPPORTS}, DISCUSSES),
            ],
            id="who denies and who asserts the same are told of each other",
        ),
        pytest.param("Has the dam been damaged?", [], id="a question states nothing"),
    ],
)
def test_claims_are_given_to_whoever_makes_them(text, claims):
    assert told(text) == claims


def test_in_a_language_without_rules_nobody_is_said_to_speak():
    text = "Rzeka wzrosła o dwa metry; tama trzymała przez całą noc."
    assert told(text, "pl") == [
        ("Rzeka wzrosła o dwa metry", None, {}, DISCUSSES),
        ("tama trzymała przez całą noc", None, {}, DISCUSSES),
    ]


def test_a_quotation_of_nobody_known_offers_whom_it_could_be_of():
    quotation, own = drafted("“The whole town was under water for a week.” Max Bell and Ann Lee walked through it.")
    assert (quotation.quotation, quotation.speakers) == (True, ("Max Bell", "Ann Lee"))
    assert (own.quotation, own.speakers) == (False, ())


@pytest.mark.parametrize(
    ("text", "mention", "role"),
    [
        pytest.param(
            "Kremlin spokesman Max Bell said the war was over.", "Kremlin spokesman Max Bell", "Kremlin spokesman", id="office"
        ),
        pytest.param("The mayor, Ann Lee, said the war was over.", "The mayor, Ann Lee", "mayor", id="between commas"),
        pytest.param(
            "Ann Lee, mayor of Hull, said the war was over.", "Ann Lee, mayor of Hull", "mayor of Hull", id="after the name"
        ),
        pytest.param("Ann Lee said the war was over.", "Ann Lee", "", id="none"),
    ],
)
def test_what_somebody_is_is_told_in_the_article_s_words(text, mention, role):
    (claim,) = drafted(text)
    assert (claim.proposed.mention, claim.proposed.role) == (mention, role)


def proof_of(text, language):
    article = ingest(ArticleInput(text, language=language))
    sentences = segment(article.text, language)
    found = draft(article, sentences)
    proposed = [one.proposed for number in sorted(found.claims) for one in found.claims[number]]
    by_number = {sentence.number: sentence.text for sentence in sentences}
    assert all(claim.quote in by_number[claim.sentence] for claim in proposed)
    return Prover(article.text, sentences).prove(proposed)


NEVER = {SetAsideReason.QUOTE_NOT_FOUND, SetAsideReason.UNKNOWN_SENTENCE}


@examples(200)
@given(NEWSY, st.sampled_from(("en", "de", "pl")))
def test_every_quote_that_is_drafted_is_found(text, language):
    assert {one.reason for one in proof_of(text, language).set_aside}.isdisjoint(NEVER)


@pytest.mark.parametrize("seed", SEEDS, ids=lambda path: path.stem[:3])
def test_of_the_seeds_nothing_drafted_is_set_aside(seed):
    assert proof_of(seed.read_text(encoding="utf-8"), "en").set_aside == ()


def test_what_is_worth_checking_is_judged_where_the_judge_knows_the_language():
    judge = CheckWorthiness(load_weights())
    (english,) = drafted_with(judge, "The unemployment rate fell to 4 percent last year.", "en")
    (german,) = drafted_with(judge, "Die Arbeitslosenquote fiel im letzten Jahr auf 4 Prozent.", "de")
    assert english.worth > 0.5
    assert "figure" in english.why
    assert (german.worth, german.why) == (0.5, "not judged: only English is")


def test_without_a_judge_nothing_is_said_of_what_is_worth_checking():
    (claim,) = drafted_with(None, "The unemployment rate fell to 4 percent last year.", "en")
    assert (claim.worth, claim.why) == (0.5, "not judged")


def drafted_with(judge, text, language):
    article = ingest(ArticleInput(text, language=language))
    found = draft(article, segment(article.text, language), judge)
    return [one.proposed for claims in found.claims.values() for one in claims]


@pytest.mark.parametrize(
    ("text", "language", "nobody"),
    [
        pytest.param(
            "Police denied reports that three officers were suspended after the protest.", "en", "Police", id="denied reports"
        ),
        pytest.param("Boeing dismissed claims that the wing had cracked twice in May.", "en", "Boeing", id="dismissed claims"),
        pytest.param("No one at the ministry said that the vaccine was unsafe.", "en", "No one", id="no one"),
        pytest.param("Karen Holt cannot confirm that the bridge was safe.", "en", "Holt", id="cannot confirm"),
        pytest.param("Anna Held sagte nicht, dass die Brücke sicher sei.", "de", "Held", id="sagte nicht"),
        pytest.param("Karen Holt would say that taxes had to rise.", "en", "Holt", id="would say"),
        pytest.param(
            "Peter Shaw said the plan was sound. A sign on the wall read: “This town has been betrayed by its council.”",
            *("en", "Shaw"),
            id="a sign beside a speaker",
        ),
    ],
)
def test_nobody_is_made_a_supporter_of_what_they_did_not_say(text, language, nobody):
    for one in drafted(text, language):
        if "plan was sound" not in one.proposed.quote:
            assert one.proposed.claimant is None or nobody not in one.proposed.claimant
            assert not any(nobody in stance.holder and stance.label is SUPPORTS for stance in one.proposed.stances)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "Ann Lee said that the old dam was not damaged by the flood."
            " Max Bell denied that the old dam was damaged by the flood.",
            id="the opposite",
        ),
        pytest.param(
            "Ann Lee said Russia attacked the hospital in Kyiv. Max Bell denied that Ukraine attacked the hospital in Kyiv.",
            id="somebody else",
        ),
        pytest.param(
            "Ann Lee said 300 soldiers died at the dam. Max Bell denied that 900 soldiers died at the dam.", id="figure"
        ),
    ],
)
def test_who_speaks_of_another_claim_stands_nowhere_on_this_one(text):
    for one in drafted(text):
        assert len({stance.holder for stance in one.proposed.stances}) == 1


def test_a_denial_of_other_charges_answers_no_claim_told_before():
    (road, *_) = drafted("Karen Holt said the road was closed. Lee Brooks denied the charges of tax fraud against him.")
    assert {stance.holder for stance in road.proposed.stances} == {"Karen Holt"}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        pytest.param("Die Brücke sei nie geprüft worden, so die Stadt.", "de", id="Konjunktiv"),
        pytest.param("Senator Brooks was accused of taking 40,000 dollars from the fund.", "en", id="accused of"),
        pytest.param("Karen Holt appears to have taken the money from the fund.", "en", id="appears to have"),
    ],
)
def test_the_article_does_not_state_what_it_only_reports(text, language):
    assert all(one.proposed.article is not SUPPORTS for one in drafted(text, language))


def test_who_denies_that_there_is_no_evidence_does_not_refute_the_claim_itself():
    claims = drafted("Karen Holt denied there was no evidence that the bridge was unsafe.")
    assert not any(
        "Holt" in stance.holder and "no evidence" not in one.proposed.quote for one in claims for stance in one.proposed.stances
    )


def test_a_main_clause_goes_on_after_what_is_inserted():
    inserted = "recently held the position of Defense Minister"
    words = f"Russian Security Council Secretary Sergei Shoigu, who {inserted}, visited Tehran in early August."
    assert [one.proposed.quote for one in drafted(words)] == [
        inserted,
        words.removesuffix("."),
    ]
