"""Whatever a model proposes about whatever article: what comes back is the article's own, and the model's letters."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from service.domain import Kind, StanceLabel
from service.pipeline.prove import Prover
from service.pipeline.replies import ProposedClaim, ProposedStance
from service.text.folding import Folded
from service.text.segment import segment
from tests.examples import examples

WORDS = [
    *"Jane Roe, Mayor he She said that denied “No”, «нет» can’t 5% 15% 1,900 U.S. Иран 俄罗斯 e\u0323n 👩\u200d🚀 . ! \n".split(
        " "
    )
]
TEXTS = (
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=25).map(" ".join)
    | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
).filter(str.strip)
MANGLED = str.maketrans({"“": '"', "”": '"', "’": "'", " ": "\u00a0", "-": "–", '"': "“", "'": "’"})


@st.composite
def said(draw, text):
    """Words a model may give: copied, mangled in typography, or its own."""
    start = draw(st.integers(0, len(text)))
    words = text[start : draw(st.integers(start, len(text)))]
    match draw(st.integers(0, 3)):
        case 0:
            return words
        case 1:
            return unicodedata.normalize("NFD", words.translate(MANGLED))
        case 2:
            return f"{words} {draw(st.sampled_from(WORDS))}"
        case _:
            return draw(TEXTS)


@st.composite
def proposals(draw):
    text = draw(TEXTS)
    words, labels = said(text), st.sampled_from(StanceLabel)
    number = st.integers(-1, 6)
    stances = st.lists(st.builds(ProposedStance, holder=words, label=labels, sentence=number, words=words), max_size=2)
    claims = st.builds(
        ProposedClaim,
        sentence=number,
        quote=words,
        text=words,
        claimant=st.none() | words,
        stances=stances.map(tuple),
        article=labels,
        kind=st.sampled_from(Kind),
        worth=st.floats(0, 1),
        why=words,
        mention=words,
        role=words,
        cites=st.none() | words,
    )
    return text, draw(st.lists(claims, min_size=1, max_size=2))


def letters(words):
    return "".join(char for char in unicodedata.normalize("NFKD", "".join(Folded(words).chars)) if char.isalnum()).casefold()


def quotes_of(claim):
    yield from (claim.quote, *claim.occurrences)
    yield from (stance.evidence for stance in claim.stances if stance.evidence)
    if claim.claimant:
        yield claim.claimant.mention
        if claim.claimant.cites:
            yield claim.claimant.cites


@examples(150)
@given(proposals())
def test_every_span_that_leaves_is_a_slice_of_the_article_in_both_units(proposed):
    text, claims = proposed
    utf16 = text.encode("utf-16-le")
    for claim in Prover(text, segment(text, "en")).prove(claims).claims:
        for quote in quotes_of(claim):
            span = quote.span
            assert quote.text.strip() == quote.text == text[span.start : span.end] != ""
            assert quote.text.encode("utf-16-le") == utf16[2 * span.start_utf16 : 2 * span.end_utf16]


@examples(150)
@given(proposals())
def test_nothing_leaves_that_was_not_proposed_or_is_not_in_the_article(proposed):
    text, claims = proposed
    proof = Prover(text, segment(text, "en")).prove(claims)
    assert len(proof.claims) <= len(claims)
    asked = [letters(claim.quote) for claim in claims]
    sentences = [letters(sentence.text) for sentence in segment(text, "en")]
    for claim in proof.claims:
        assert letters(claim.quote.text) in asked or ("" in asked and letters(claim.quote.text) in sentences)
        if claim.claimant:
            assert letters(claim.claimant.name) in letters(text)
