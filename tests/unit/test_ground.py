import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain import Span
from service.text.folding import Folded
from service.text.ground import MAX_WORDS_CHARS, Grounder
from service.text.segment import segment
from tests.examples import examples

CASES = json.loads((Path(__file__).parents[1] / "golden" / "ground.json").read_text(encoding="utf-8"))
ANY_TEXT = st.text(
    st.characters(exclude_categories=["Cs"])
    | st.sampled_from("aAб5ก中한.,-–—'’\"“”«» \u00a0\n%$\u00ad\u200b\u200d\u0301\u0323…ﬁé²👩"),
    max_size=60,
)
TOKENS = [*"Peskov said «нет», “No”, can’t 5% −5% 9.5 1,900 U.S. Иран café naïve Straße مخزون 俄罗斯 สวัสดี".split()]
TOKENS += [*"한국은 𝒳𝒴 👩\u200d🚀ok oﬃce Iranian-supplied wait… (b) l’Ukraine — e\u0323\u0302n".split()]
SPACES = [" ", "\u00a0", "\n", " \t ", "\u2009", " \u200b"]


def grounder(text, language="en"):
    return Grounder(text, segment(text, language))


def found(case):
    given_ = dict(case["input"])
    search = grounder(given_["text"]).ground_name if given_.get("name") else grounder(given_["text"]).ground
    return search(given_["words"], given_.get("near", ()))


def letters(text):
    """What a reader would call the words: letters and digits, the case of the first apart."""
    kept = [char for char in Folded(text).chars if char.isalnum() or unicodedata.combining(char)]
    return [kept[0].upper(), *kept[1:]] if kept else []


def assert_proved(text, quote):
    span = quote.span
    assert quote.text == text[span.start : span.end]
    assert quote.text.encode("utf-16-le") == text.encode("utf-16-le")[2 * span.start_utf16 : 2 * span.end_utf16]
    touched = [s.number for s in segment(text, "en") if s.start < span.end and span.start < s.end]
    assert list(quote.sentences) == touched


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case["label"], marks=[pytest.mark.xfail(strict=True)] if case["expect"] == "fail" else [])
        for case in CASES
    ],
)
def test_golden_words_are_found_where_they_stand_or_not_at_all(case):
    quote = found(case)
    assert (quote and {"text": quote.text, "start": quote.span.start}) == case["expected"]
    if quote:
        assert_proved(case["input"]["text"], quote)


@examples(200)
@given(st.text("ab1 29.,-\"'“é\u0301\u0323ﬁ…\n", max_size=60))
def test_plain_stretches_are_folded_as_their_characters_are_one_by_one(text):
    together, apart = Folded(text), Folded("\u200b".join(text))
    assert together.chars == apart.chars
    for at in range(len(together.chars)):
        one, other = together.source(at, at + 1), apart.source(at, at + 1)
        assert (one is None) == (other is None)
        assert one is None or other is None or (one[0] * 2, one[1] * 2 - 1) == other


@examples(200)
@given(ANY_TEXT, ANY_TEXT, st.lists(st.integers(-1, 9), max_size=3), st.booleans())
def test_whatever_is_found_is_the_articles_own_slice_with_the_same_letters(text, words, near, name):
    article = grounder(text)
    quote = article.ground_name(words, near) if name else article.ground(words, near)
    if quote:
        assert_proved(text, quote)
        assert letters(quote.text) == letters(words)


@examples(200)
@given(ANY_TEXT, st.data())
def test_any_slice_is_found_again_or_splits_a_word(text, data):
    start = data.draw(st.integers(0, len(text)))
    words = text[start : data.draw(st.integers(start, len(text)))]
    for quote in grounder(text).occurrences(words):
        assert_proved(text, quote)
        assert letters(quote.text) == letters(words)


def straight(words):
    return words.translate(str.maketrans("“”«»’−—", '""""\'--')).replace("…", "...")


def quoted(words):
    return f"“{words}.”"


def hyphenated(words):
    return "\u00ad".join(words)


def recapitalised(words):
    return words[0].swapcase() + words[1:] if words[0].isascii() else words


MANGLINGS = [
    straight,
    quoted,
    hyphenated,
    recapitalised,
    lambda words: unicodedata.normalize("NFC", words),
    lambda words: unicodedata.normalize("NFD", words),
    lambda words: words.replace("ﬃ", "ffi"),
    lambda words: words.replace(" ", "\n\u00a0"),
    lambda words: "\ufeff " + words + "\u200b ",
]


@examples(200)
@given(
    st.lists(st.tuples(st.sampled_from(TOKENS), st.sampled_from(SPACES)), min_size=1, max_size=12),
    st.lists(st.sampled_from(MANGLINGS), max_size=4),
    st.data(),
)
def test_words_cut_at_their_edges_are_found_whatever_was_done_to_their_typography(tokens, manglings, data):
    low = data.draw(st.integers(0, len(tokens) - 1))
    high = data.draw(st.integers(low + 1, len(tokens)))
    text = "".join(token + space for token, space in tokens)
    words = " ".join(token for token, _ in tokens[low:high])
    for mangle in manglings:
        words = mangle(words)
    quote = grounder(text).ground(words)
    if any(map(str.isalnum, words)):
        assert quote
        assert_proved(text, quote)
        assert letters(quote.text) == letters(words)
    else:
        assert quote is None


@examples()
@given(st.text("abc .,“”", max_size=80), st.text("abcq ", max_size=12))
def test_words_that_are_not_there_are_not_found(text, words):
    assert grounder(text).ground(words + "q") is None


def test_a_quote_carries_both_kinds_of_offset_and_its_sentences():
    quote = grounder("👩 left. She said “no”. He left.").ground('She said "no". He')
    assert quote
    assert quote.span == Span(start=8, end=25, start_utf16=9, end_utf16=26)
    assert quote.sentences == (2, 3)


def test_all_places_are_listed_in_order_and_none_twice():
    quotes = grounder("No, no no. “No” – not now.").occurrences("no")
    assert [quote.span.start for quote in quotes] == [4, 7]
    assert [quote.span.start for quote in grounder("aa aa aa aa").occurrences("aa aa")] == [0, 6]
    assert [quote.span.start for quote in grounder("aa aa aa aa").occurrences("aa", 3)] == [0, 3, 6]


def test_places_that_differ_in_typography_are_listed_together():
    quotes = grounder('He said “no”. She said. He said "no".').occurrences('He said "no"')
    assert [quote.text for quote in quotes] == ["He said “no”", 'He said "no"']


def test_words_that_are_nowhere_have_no_places():
    assert grounder("It fell.").occurrences("rose") == ()


def test_the_order_of_the_sentences_named_decides_among_them():
    article = grounder("It fell. It rose. It fell. It rose.")
    assert article.ground("It", [3, 1]).sentences == (3,)
    assert article.ground("It", [1, 3]).sentences == (1,)


def test_a_quote_that_runs_into_a_named_sentence_counts_as_near_it():
    article = grounder("It fell. Then rose. It held. It fell. Then it sank.")
    assert article.ground("fell. Then", [5]).span.start == 32


def test_words_may_be_as_long_as_the_limit_and_no_longer():
    text = "a" * MAX_WORDS_CHARS + "b"
    assert grounder(text + " ").ground(text) is None
    assert grounder(text[:-1] + " ").ground(text[:-1])


def test_an_article_cut_into_no_sentences_still_grounds():
    assert Grounder("It fell.", ()).ground("It fell", [1]).sentences == ()


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        pytest.param("-5 ", "5", id="figures with a sign"),
        pytest.param("a", "a", id="inside one endless word"),
        pytest.param("e\u0301\u0323", "e", id="letters with accents"),
        pytest.param("\u0323\u0301", "a", id="accents in disorder"),
        pytest.param("a\u200b", "aa", id="invisible characters"),
    ],
)
def test_the_longest_article_of_the_worst_kind_is_searched_soon(unit, words):
    text = (unit * 200_000)[:200_000]
    assert Grounder(text, segment(text, "en")).ground(words, [1]) is None


def test_the_closest_of_many_places_is_taken():
    article = grounder("It fell. " * 3_000)
    assert article.ground("It fell", [2_000]).sentences == (2_000,)


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        pytest.param("It ended.Then all left.", "It ended.", True, id="stop without a space after it"),
        pytest.param("The U.S.A. won.", "The U.S.", False, id="part of an abbreviation"),
        pytest.param("See example.com now.", "See example", False, id="part of an address"),
        pytest.param("See example.com now.", "com now", False, id="end of an address"),
        pytest.param("It ended.Then all left.", "Then all", True, id="sentence without a space before it"),
        pytest.param("Ask news@example.org now.", "Ask news", False, id="part of a mail address"),
        pytest.param("A .5 percent rise.", "5 percent", False, id="leading point"),
        pytest.param("The vote.5 men left.", "5 men left", True, id="figure after a full stop without a space"),
        pytest.param("At 10:30 it fell.", "30 it fell", False, id="part of a time"),
        pytest.param("The talks—5 in all—ended.", "5 in all", True, id="figure after a long dash"),
        pytest.param("The talks—all 5—ended.", "all 5", True, id="figure before a long dash"),
        pytest.param("The talks—and all else—ended.", "—and all else", True, id="words from a long dash on"),
        pytest.param("The 9-year-old won.", "The 9", False, id="figure of a compound"),
        pytest.param("The Iranian-supplied drone.", "The Iranian", False, id="first word of a compound"),
        pytest.param("The Iranian-supplied drone.", "The Iranian-", False, id="first word and hyphen of a compound"),
        pytest.param("They can't go.", "They can'", False, id="up to an apostrophe"),
        pytest.param("They can't go.", "'t go", False, id="from an apostrophe on"),
        pytest.param("It cost 1,900 men.", "It cost 1,", False, id="up to a separator"),
        pytest.param("He left,then slept.", "He left,", True, id="comma without a space after it"),
        pytest.param("The news—bad—came.", "The news—", True, id="up to a long dash"),
        pytest.param("It rose by 5 % then.", "rose by 5", False, id="share after a space"),
        pytest.param("In 1 900 days.", "In 1", False, id="head of a figure grouped by spaces"),
        pytest.param("Say 15% of it.", "% of it", False, id="sign of a share"),
        pytest.param("𝟏5 men came.", "15 men", True, id="figure in another font"),
        pytest.param("Hi 👩\u200d🚀 there.", "Hi 👩", False, id="part of a joined emoji"),
        pytest.param("Hi 👍🏽 there.", "Hi 👍", False, id="emoji without its skin tone"),
        pytest.param("Hi ❤\ufe0f there.", "Hi ❤", True, id="emoji without its invisible variant"),
        pytest.param("पुतिन ने कहा।", "पुत", False, id="Hindi word without its vowel"),
        pytest.param("\u1112\u1161\u11ab says", "\u1112\u1161", False, id="part of a Korean syllable"),
        pytest.param("He is 5'10\" tall.", "is 5'10' tall", False, id="feet for inches"),
        pytest.param("Go to St. Ives-on-Sea.", "Ives", False, id="part of a place name"),
        pytest.param("ﷺ said so.", "said so", True, id="ligature that unfolds to words"),
    ],
)
def test_words_and_figures_are_found_whole(text, words, expected):
    assert (grounder(text).ground(words) is not None) is expected


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        pytest.param("the workers’ union", "the workers", True, id="possessive of a plural"),
        pytest.param("a Trump-Berg summit", "Berg", True, id="second of two names"),
        pytest.param("the pro-Berg camp", "Berg", False, id="after a prefix"),
        pytest.param("the 5-Berg camp", "Berg", False, id="after a figure"),
        pytest.param("Bergs left", "Berg", False, id="inside another name"),
        pytest.param("O'Brien left", "Brien", False, id="part of a name with an apostrophe"),
    ],
)
def test_names_are_found_whole(text, name, expected):
    assert (grounder(text).ground_name(name) is not None) is expected
