"""JSON from strangers, read so that nothing surprising gets through: one reader for requests, completions and replies."""

import json
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from itertools import accumulate
from math import isinf
from typing import Any, NoReturn

MAX_DEPTH = 64
"""Lists and objects inside one another; Python's own parser recurses, and dies at a few thousand."""

MAX_INTEGER_DIGITS = 100
"""More digits than any quantity has; reading thousands of them is quadratic, and refused by Python itself at 4300."""

# The closing quote is optional and nothing is given back, so a text of lone quotes and backslashes stays linear.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NOT_BRACKET = bytes(byte for byte in range(256) if byte not in b"[]{}")
_STEPS = bytes.maketrans(b"[]{}", b"\x01\xff\x01\xff")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class StrictJsonError(ValueError):
    """The text is not strict JSON. `reason` never quotes it; `line` and `column` (from 1) are set for syntax errors."""

    def __init__(self, reason: str, *, line: int | None = None, column: int | None = None) -> None:
        super().__init__(reason if line is None else f"{reason} (line {line}, column {column})")
        self.reason = str(self)
        self.line = line
        self.column = column


class NotUtf8Error(StrictJsonError):
    """The bytes are not UTF-8 without a byte order mark."""


class TooDeepError(StrictJsonError):
    """The document is nested more than `MAX_DEPTH` levels deep."""

    def __init__(self) -> None:
        super().__init__(f"is nested more than {MAX_DEPTH} levels deep")


class LoneSurrogateError(StrictJsonError):
    """A text in the document holds half a character, which no encoding can carry on."""

    def __init__(self) -> None:
        super().__init__("holds half a UTF-16 surrogate pair")


def loads(data: bytes | str) -> Any:
    """The value of a JSON document, as `json.loads` gives it.

    Stricter than the standard library: one value per key, finite numbers, whole Unicode characters, at most `MAX_DEPTH`
    levels and `MAX_INTEGER_DIGITS` digits. Linear time.
    Raises: NotUtf8Error, StrictJsonError.
    Source: RFC 8259; RFC 7493 (I-JSON), section 2.
    """
    text = _decoded(data) if isinstance(data, bytes) else _whole(data)
    if not text.strip(" \t\n\r"):
        raise StrictJsonError("is empty")
    _refuse_depth(text)
    value = _parsed(text)
    if _ESCAPED_SURROGATE.search(text):
        _refuse_surrogates(value)
    return value


def _decoded(data: bytes) -> str:
    if data.startswith((BOM_UTF8, BOM_UTF16_LE, BOM_UTF16_BE)):
        raise NotUtf8Error("starts with a byte order mark")
    if b"\x00" in data[:4]:
        raise NotUtf8Error("is UTF-16 or UTF-32, not UTF-8")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        refusal = NotUtf8Error(f"is not UTF-8 at byte {error.start}")
    raise refusal  # here, not in the handler: the decoder's error holds all the bytes, and would travel as the context


def _whole(text: str) -> str:
    if text.startswith("\ufeff"):
        raise StrictJsonError("starts with a byte order mark")
    if _SURROGATE.search(text):
        raise LoneSurrogateError
    return text


def _parsed(text: str) -> Any:
    try:
        return json.loads(
            text, object_pairs_hook=_unique, parse_int=_integer, parse_float=_finite, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as error:
        words = error.msg.removesuffix(" at").lower()  # one of a fixed set: the parser never quotes the text
        refusal = StrictJsonError(words, line=error.lineno, column=error.colno)
    raise refusal  # here, not in the handler: the parser's error holds the whole text, and would travel as the context


def _refuse_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    brackets = _STRING.sub("", text).encode("utf-8").translate(_STEPS, _NOT_BRACKET)
    if any(map(MAX_DEPTH.__lt__, accumulate(memoryview(brackets).cast("b")))):
        raise TooDeepError


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise StrictJsonError("holds the same key twice in one object")
    return result


def _integer(digits: str) -> int:
    if len(digits) > MAX_INTEGER_DIGITS and len(digits.removeprefix("-")) > MAX_INTEGER_DIGITS:
        raise StrictJsonError(f"holds an integer of more than {MAX_INTEGER_DIGITS} digits")
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if isinf(value):
        raise StrictJsonError("holds a number too large to be read")
    return value


def _refuse_constant(_: str) -> NoReturn:
    raise StrictJsonError("holds NaN or Infinity, which are not JSON")


def _refuse_surrogates(value: Any) -> None:
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise LoneSurrogateError
    elif isinstance(value, dict):
        for key, inner in value.items():
            _refuse_surrogates(key)
            _refuse_surrogates(inner)
    elif isinstance(value, list):
        for inner in value:
            _refuse_surrogates(inner)
