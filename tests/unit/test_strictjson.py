import json
import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.strictjson import MAX_DEPTH, MAX_INTEGER_DIGITS, NotUtf8Error, StrictJsonError, loads
from tests.examples import examples

SECRET = "the-words-of-the-article"

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)
JSON_LIKE = st.text(st.sampled_from('[]{}",:\\0123eE.-+ nultrfasdNI\n\t\ud800\ufeffé😀'), max_size=60)


@examples(200)
@given(JSON_VALUES, st.booleans())
def test_reads_valid_json_as_the_standard_library_does(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only)

    assert loads(text) == json.loads(text)
    assert loads(text.encode("utf-8")) == json.loads(text)


@examples(200)
@given(st.binary(max_size=60) | JSON_LIKE.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_bytes_of_any_kind_are_read_or_refused_with_our_own_error(data):
    with suppress(StrictJsonError):
        loads(data)


@examples(200)
@given(JSON_LIKE)
def test_whatever_it_reads_the_standard_library_reads_the_same(text):
    try:
        value = loads(text)
    except StrictJsonError:
        return
    assert value == json.loads(text)
    assert json.dumps(value, ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "is empty", id="no bytes"),
        pytest.param(b" \t\r\n", "is empty", id="white space"),
        pytest.param("", "is empty", id="no text"),
        pytest.param(b"NaN", "holds NaN or Infinity, which are not JSON", id="NaN"),
        pytest.param(b'{"a": -Infinity}', "holds NaN or Infinity, which are not JSON", id="infinity"),
        pytest.param(b"[1e999]", "holds a number too large to be read", id="overflow"),
        pytest.param(b"[-1e999]", "holds a number too large to be read", id="negative overflow"),
        pytest.param(b"1" * 400 + b".0", "holds a number too large to be read", id="overflow without exponent"),
        pytest.param(b'{"a": 1, "b": 2, "a": 1}', "holds the same key twice in one object", id="same key twice"),
        pytest.param(b'{"a": 1, "\\u0061": 2}', "holds the same key twice in one object", id="same key, spelt otherwise"),
        pytest.param(b'"\\ud800"', "holds half a UTF-16 surrogate pair", id="escaped surrogate"),
        pytest.param(b'["\\uDE00\\uD83D"]', "holds half a UTF-16 surrogate pair", id="escaped pair the wrong way round"),
        pytest.param(b'{"a": {"\\ud800": 1}}', "holds half a UTF-16 surrogate pair", id="escaped surrogate in a key"),
        pytest.param('"\ud800"', "holds half a UTF-16 surrogate pair", id="raw surrogate"),
        pytest.param("\ufeff{}", "starts with a byte order mark", id="byte order mark in text"),
        pytest.param(b"9" * (MAX_INTEGER_DIGITS + 1), "holds an integer of more than 100 digits", id="long integer"),
        pytest.param(b"-" + b"9" * 6000, "holds an integer of more than 100 digits", id="integer Python refuses"),
        pytest.param(b"{} {}", "extra data (line 1, column 4)", id="trailing value"),
        pytest.param(b"{}\n\n  x", "extra data (line 3, column 3)", id="trailing text on a later line"),
        pytest.param(b'["a\nb"]', "invalid control character (line 1, column 4)", id="control character"),
        pytest.param(b'{"a": 1', "expecting ',' delimiter (line 1, column 8)", id="cut off"),
        pytest.param(b'"abc', "unterminated string starting (line 1, column 1)", id="open string"),
    ],
)
def test_refuses_what_is_not_strict_json(data, reason):
    with pytest.raises(StrictJsonError) as caught:
        loads(data)

    assert caught.value.reason == reason
    assert not isinstance(caught.value, NotUtf8Error)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b'"\xff"', "is not UTF-8 at byte 1", id="stray byte"),
        pytest.param(b'"\xed\xa0\x80"', "is not UTF-8 at byte 1", id="encoded surrogate"),
        pytest.param(b'"\xc0\x80"', "is not UTF-8 at byte 1", id="overlong"),
        pytest.param("{}".encode("utf-8-sig"), "starts with a byte order mark", id="UTF-8 with a mark"),
        pytest.param("{}".encode("utf-16"), "starts with a byte order mark", id="UTF-16 with a mark"),
        pytest.param("{}".encode("utf-16-le"), "is UTF-16 or UTF-32, not UTF-8", id="UTF-16 little-endian"),
        pytest.param("{}".encode("utf-16-be"), "is UTF-16 or UTF-32, not UTF-8", id="UTF-16 big-endian"),
        pytest.param("1".encode("utf-32-le"), "is UTF-16 or UTF-32, not UTF-8", id="UTF-32"),
    ],
)
def test_refuses_bytes_that_are_not_plain_utf8(data, reason):
    with pytest.raises(NotUtf8Error) as caught:
        loads(data)

    assert caught.value.reason == reason


def test_tells_where_the_syntax_breaks():
    with pytest.raises(StrictJsonError) as caught:
        loads(b'{\n  "a": 1,\n  b: 2}')

    assert (caught.value.line, caught.value.column) == (3, 3)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f'["{SECRET}" "{SECRET}"]', id="syntax"),
        pytest.param(f'{{"{SECRET}": 1, "{SECRET}": 2}}', id="same key twice"),
        pytest.param(f'["{SECRET}", NaN]', id="NaN"),
        pytest.param(f'["{SECRET}\\ud800"]', id="surrogate"),
        pytest.param(f'["{SECRET}\\x"]', id="escape"),
        pytest.param("[" * 99 + f'"{SECRET}"', id="depth"),
    ],
)
def test_an_error_neither_quotes_nor_carries_the_text(text):
    with pytest.raises(StrictJsonError) as caught:
        loads(text)

    assert SECRET not in repr(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * MAX_DEPTH + "]" * MAX_DEPTH, id="lists"),
        pytest.param('{"a":' * MAX_DEPTH + "1" + "}" * MAX_DEPTH, id="objects"),
        pytest.param('["' + "[" * 1000 + '"]', id="brackets in a string"),
        pytest.param('["\\"' + "{" * 1000 + '"]', id="brackets after an escaped quote"),
        pytest.param("[" + ", ".join(["[]"] * 1000) + "]", id="many side by side"),
    ],
)
def test_reads_what_is_deep_enough_but_not_too_deep(text):
    assert loads(text) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), id="one too many"),
        pytest.param('[{"a":' * 33 + "1" + "}]" * 33, id="mixed"),
        pytest.param('["\\\\", ' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "]", id="after an escaped backslash"),
        pytest.param("[" * 200_000, id="never closed"),
        pytest.param('{"a":' * 200_000, id="objects never closed"),
    ],
)
def test_refuses_depth_before_parsing(text):
    with pytest.raises(StrictJsonError, match="nested more than 64 levels deep"):
        loads(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 65 + '"' + '\\"' * 200_000, id="escaped quotes, never closed"),
        pytest.param("[" * 65 + '"' + "\\" * 400_001, id="backslashes, never closed"),
        pytest.param("[" * 65 + '"' * 400_001, id="quotes"),
    ],
)
def test_reads_hostile_quotes_in_linear_time(text):
    # A quadratic scan of these would take minutes, not the fraction of a second that the suite allows.
    with pytest.raises(StrictJsonError):
        loads(text)


def test_keeps_whole_characters_written_as_surrogate_pairs():
    assert loads(b'{"\\ud83d\\ude00": ["\\uD83D\\uDE00", 1, null]}') == {"😀": ["😀", 1, None]}


def test_keeps_integers_of_up_to_a_hundred_digits_and_finite_floats():
    assert loads("-" + "9" * MAX_INTEGER_DIGITS) == -(10**MAX_INTEGER_DIGITS - 1)
    assert loads("1e308") == pytest.approx(1e308)
    assert math.copysign(1, loads("-0.0")) == -1
