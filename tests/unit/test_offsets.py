import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain import Span
from service.text.offsets import OffsetMap
from tests.examples import examples

TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("aé中👩\u200d🇺🇦𝒳\u0301\n"), max_size=60)


def units(text):
    return len(text.encode("utf-16-le")) // 2


@examples()
@given(TEXTS, st.data())
def test_utf16_offsets_are_what_encoding_the_text_before_them_gives(text, data):
    index = data.draw(st.integers(0, len(text)))
    assert OffsetMap(text).utf16(index) == units(text[:index])


@examples()
@given(TEXTS, st.data())
def test_a_span_slices_the_same_words_in_both_units(text, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    span = OffsetMap(text).span(start, end)
    utf16 = text.encode("utf-16-le")
    assert utf16[2 * span.start_utf16 : 2 * span.end_utf16].decode("utf-16-le") == text[span.start : span.end]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [0], id="empty text"),
        pytest.param("ab", [0, 1, 2], id="ASCII"),
        pytest.param("é中", [0, 1, 2], id="first plane"),
        pytest.param("a👩b𝒳", [0, 1, 3, 4, 6], id="beyond the first plane"),
        pytest.param("\uffff\U00010000", [0, 1, 3], id="either side of the plane's edge"),
    ],
)
def test_every_offset_of_a_text_has_its_utf16_offset(text, expected):
    offsets = OffsetMap(text)
    assert [offsets.utf16(index) for index in range(len(text) + 1)] == expected


def test_a_span_carries_both_units():
    assert OffsetMap("👩 said").span(2, 6) == Span(start=2, end=6, start_utf16=3, end_utf16=7)


@pytest.mark.parametrize("offset", [-1, 4])
def test_an_offset_outside_the_text_is_refused(offset):
    with pytest.raises(ValueError, match="outside a text of 3 code points"):
        OffsetMap("abc").utf16(offset)


def test_a_span_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValueError, match="cannot end at 1 before it starts at 2"):
        OffsetMap("abc").span(2, 1)
