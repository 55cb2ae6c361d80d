import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.segment import MAX_SENTENCE_CHARS, segment
from tests.examples import examples

CASES = json.loads((Path(__file__).parents[1] / "golden" / "segment.json").read_text(encoding="utf-8"))
LANGUAGES = st.sampled_from(["en", "de", "ru", "fr", "zh", "ja", "ar", "hi", "th", "und", "", "xx", "tlh", "en-US", "日本"])
CHARS = "aBéЯ中ก. .!?…。\n\r\t\u2028\u2029\x85\x0b\x0c\u00a0\u3000“”\"'«»「」()[]-—,:;@/0159\u0301\u00ad\u200b\u200d\ufeff👩𝒳"
WORDS = ["Dr. ", "A. ", "U.S. ", "No. 5", "z. B. ", "т. е. ", "The ", "\r\n", "\n\n", "- ", "1. ", "[2]", "A\u00a0.", "x" * 999]
PIECES = st.sampled_from([*CHARS, *WORDS, " " * 99])
TEXTS = st.lists(PIECES, max_size=60).map("".join) | st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


def texts(sentences):
    return [sentence.text for sentence in sentences]


def assert_tiles(text, sentences):
    assert "".join(texts(sentences)) == text
    assert [sentence.number for sentence in sentences] == list(range(1, len(sentences) + 1))
    assert all(text[sentence.start : sentence.end] == sentence.text for sentence in sentences)
    assert not text.strip() or all(sentence.text.strip() for sentence in sentences)
    assert all(len(sentence.text.strip()) <= MAX_SENTENCE_CHARS for sentence in sentences)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case["label"], marks=[pytest.mark.xfail(strict=True)] if case["expect"] == "fail" else [])
        for case in CASES
    ],
)
def test_a_golden_text_is_cut_into_its_sentences(case):
    assert texts(segment(**case["input"])) == case["expected"]


@examples(200)
@given(TEXTS, LANGUAGES)
def test_the_sentences_of_any_text_tile_it(text, language):
    assert_tiles(text, segment(text, language))


@pytest.mark.parametrize("language", ["", "xx", "und", "EN", "en-US", "klingon"])
def test_a_language_that_is_not_known_is_cut_by_neutral_rules(language):
    assert texts(segment("Dr. Who left. He came back.", language)) == ["Dr. Who left. ", "He came back."]


@pytest.mark.parametrize("language", ["de", "de-AT", "DE"])
def test_a_language_may_be_named_with_its_region(language):
    assert texts(segment("Am 2. Juli kam er. Er ging.", language)) == ["Am 2. Juli kam er. ", "Er ging."]


def test_an_empty_text_has_no_sentences():
    assert segment("", "en") == ()


@pytest.mark.parametrize("text", [" \n\t ", "…\n\n—", "\ufeff"])
def test_a_text_without_a_word_is_one_sentence(text):
    assert texts(segment(text, "en")) == [text]


@pytest.mark.parametrize(
    "unit",
    [
        pytest.param("“a. ", id="quotation marks that never close"),
        pytest.param("\n- a", id="short list items"),
        pytest.param("A. The ", id="initials"),
        pytest.param('."', id="stops and marks"),
        pytest.param("\u2028.", id="line separators"),
        pytest.param("a", id="one endless word"),
        pytest.param("a, b; ", id="one endless sentence"),
        pytest.param(" ", id="white space"),
    ],
)
def test_the_longest_article_of_the_worst_kind_is_cut_whole(unit):
    text = (unit * 200_000)[:200_000]
    assert_tiles(text, segment(text, "en"))


def test_a_sentence_that_is_too_long_is_cut_after_a_clause():
    clause = "the ministry of the interior said so; "
    first, *_ = segment(clause * 100 + "no more", "en")
    assert first.text == clause * (MAX_SENTENCE_CHARS // len(clause))


def test_a_sentence_without_clauses_is_cut_at_a_space():
    assert [len(text) for text in texts(segment("word " * 600, "en"))] == [2_000, 1_000]


def test_a_sentence_without_spaces_is_cut_at_the_limit():
    assert [len(text) for text in texts(segment("ก" * 4_500, "th"))] == [2_000, 2_000, 500]


@pytest.mark.parametrize(
    "cluster", [pytest.param("e\u0301", id="accent"), pytest.param("👩\u200d👩\u200d👧", id="joined emoji")]
)
def test_a_forced_cut_leaves_a_character_with_its_marks(cluster):
    sentences = segment("x" + cluster * 1_500, "en")
    assert all(text.endswith(cluster) for text in texts(sentences))


def test_white_space_before_the_first_word_does_not_count_as_its_length():
    text = " " * 3_000 + "word " * 500
    assert [len(piece.strip()) for piece in texts(segment(text, "en"))] == [1_999, 499]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "a short line\nthat goes on in lower case",
            ["a short line\n", "that goes on in lower case"],
            id="line too short to wrap",
        ),
        pytest.param(
            "The orchestra rehearsed all week for the concert that it gave in\nthe hall " + "of the country " * 9,
            ["The orchestra rehearsed all week for the concert that it gave in\nthe hall " + "of the country " * 9],
            id="stray break inside a sentence",
        ),
        pytest.param(
            "The committee has published its list of members for the year\n- Anna Berg\n- Jan Weiss",
            ["The committee has published its list of members for the year\n", "- Anna Berg\n", "- Jan Weiss"],
            id="list after a full line",
        ),
        pytest.param(
            "The first of the lines is an entry of one list\nThe second line is also such an entry of it\nAnd the third",
            [
                "The first of the lines is an entry of one list\n",
                "The second line is also such an entry of it\n",
                "And the third",
            ],
            id="entries of like length",
        ),
        pytest.param(
            "# A heading\n> a quoted line of some length that is long enough\n| a cell",
            ["# A heading\n", "> a quoted line of some length that is long enough\n", "| a cell"],
            id="marked-up lines",
        ),
        pytest.param(
            "قال المتحدث إن الأسلحة روسية الصنع وإنها من\nمخزون الجيش الروسي وإن ذلك معروف للجميع منذ\n"
            "بداية الحرب ولا جديد في هذه التصريحات التي\nصدرت عن الوزارة.",
            [
                (
                    "قال المتحدث إن الأسلحة روسية الصنع وإنها من\nمخزون الجيش الروسي وإن ذلك معروف للجميع منذ\n"
                    "بداية الحرب ولا جديد في هذه التصريحات التي\nصدرت عن الوزارة."
                )
            ],
            id="wrapped lines of a script without case",
        ),
        pytest.param(
            "خبر أول قصير جدا عن الحرب في أوروبا\nخبر", ["خبر أول قصير جدا عن الحرب في أوروبا\n", "خبر"], id="Arabic headlines"
        ),
    ],
)
def test_line_breaks_end_sentences_unless_the_lines_were_wrapped(text, expected):
    assert texts(segment(text, "en")) == expected


def test_wrapped_chinese_lines_run_on():
    width = 32
    text = (
        "政府发言人星期一在记者会上否认了多家报纸前一天刊登的关于首都大桥关闭的报道并且表示这座大桥将会在星期二早上重新开放供行人使用"
        * 2
    )
    wrapped = "\n".join(text[start : start + width] for start in range(0, len(text), width)) + "。"
    assert texts(segment(wrapped, "zh")) == [wrapped]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        pytest.param("See x.com/Foo.Bar now. Go.", "en", ["See x.com/Foo.Bar now. ", "Go."], id="address"),
        pytest.param("Node.JS won. Go.", "en", ["Node.JS won. ", "Go."], id="capitals after a point"),
        pytest.param("Go !Then stay.", "en", ["Go !Then stay."], id="mark after a space"),
        pytest.param("He asked why? ; nobody knew.", "en", ["He asked why? ; nobody knew."], id="semicolon"),
        pytest.param("He said it . Then he left.", "en", ["He said it . ", "Then he left."], id="stop after a space"),
        pytest.param(
            "Fine. 1. Apples fell. 2. Pears rose.", "en", ["Fine. ", "1. Apples fell. ", "2. Pears rose."], id="inline list"
        ),
        pytest.param(
            "It opened in May. Ms Hale left.", "en", ["It opened in May. ", "Ms Hale left."], id="month before a title"
        ),
        pytest.param("He told me. Dr Roe left.", "en", ["He told me. ", "Dr Roe left."], id="word like a state's short name"),
        pytest.param("She said no. Mr Poe left.", "en", ["She said no. ", "Mr Poe left."], id="word like that of number"),
        pytest.param("See no. 5 for more.", "en", ["See no. 5 for more."], id="number"),
        pytest.param("In Sept. Ms Hale left.", "en", ["In Sept. Ms Hale left."], id="month that is cut short"),
        pytest.param("Er sah mich. Frau Roe ging.", "de", ["Er sah mich. ", "Frau Roe ging."], id="German word like a state's"),
        pytest.param("Er lebt. 15. Mai war es.", "de", ["Er lebt. ", "15. Mai war es."], id="ordinal begins"),
    ],
)
def test_a_stop_ends_a_sentence_only_where_another_can_begin(text, language, expected):
    assert texts(segment(text, language)) == expected
