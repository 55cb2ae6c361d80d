"""Who wrote the article on an HTML page, as far as the page says so in words that can be names."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

MAX_AUTHOR_CHARS = 300
MAX_BYLINES = 1_000
_MAX_LINE_CHARS = 200
_MAX_RAW_CHARS = 2_000
_MAX_NAMES = 10
_MAX_WORDS = 5

_SPACE = re.compile(r"[ \t\n\f\r\u2028\u2029]+")
# What is no character, what turns the words around it, and what hides between them.
_NOT_IN_NAMES = re.compile(
    r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ud800-\udfff\ufdd0-\ufdef\ufeff"
    r"\ufff9-\ufffc\ufffe\uffff]"
)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_BY = re.compile(r"(?:(?:written|story|words|report|reporting) )?by(?: ?: ?| )", re.IGNORECASE)
_ADDRESS = re.compile(r"@|://|^//|\bwww\.|^\S+\.[a-z]{2,}/", re.IGNORECASE)
_NOBODY = frozenset("admin administrator author by n/a none null undefined unknown webmaster".split())
_IDIOMS = frozenset({"the numbers", "popular demand"})
"""What else "By" stands before, alone on a line and with capitals."""
_PARTED = re.compile(r",? and |,? & |, ")
_REST = re.compile(r" ?[|•·]")
_WORD = re.compile(r"[^\W\d_]+(?:[.'’-]+[^\W\d_]+)*\.?")
_PARTICLES = frozenset("al bin da de del della den der des di do dos du e el ibn la le van von y zu".split())


@dataclass(frozen=True)
class Line:
    """A line of a page; `marked`: its tag says that it is a byline."""

    text: str
    marked: bool


def told_author(names: Iterable[str]) -> str | None:
    """The names that a page gives for its authors, each once, with commas between; None when there are none.

    Each is on one line, without markup, control characters and a leading "By". What is an address, on the Web or for
    mail, names nobody; names longer than 300 characters together are none.
    """
    people = dict.fromkeys(filter(None, map(_name, islice(names, MAX_BYLINES))))
    author = ", ".join(people)
    return author if author and len(author) <= MAX_AUTHOR_CHARS else None


def shown_author(lines: Iterable[Line]) -> str | None:
    """The names in the first line that holds only names of persons, after the word "By" or in a byline.

    It is strict, because only its place marks such a line: each name has two to five words, with capitals.
    """
    for line in lines:
        words = _one_line(line.text) if len(line.text) <= _MAX_LINE_CHARS else ""
        start = _BY.match(words)
        if start or line.marked:
            told = _REST.split(words[start.end() if start else 0 :], maxsplit=1)[0]
            names = _PARTED.split(told)
            if len(names) <= _MAX_NAMES and all(map(_is_person, names)) and _name(told) == told:
                return told
    return None


def _name(words: str) -> str | None:
    if len(words) > _MAX_RAW_CHARS:
        return None
    name = _one_line(_TAG.sub(" ", words))
    name = name[start.end() :] if (start := _BY.match(name)) else name
    sound = any(map(str.isalpha, name)) and name.lower() not in _NOBODY and not _ADDRESS.search(name)
    return name if sound and "<" not in name and ">" not in name else None


def _is_person(name: str) -> bool:
    words = [word for word in name.split(" ") if word not in _PARTICLES]
    return (
        1 < len(words) <= _MAX_WORDS
        and name.lower() not in _IDIOMS
        and all(_WORD.fullmatch(word) and word[0].isupper() for word in words)
    )


def _one_line(words: str) -> str:
    return _SPACE.sub(" ", _NOT_IN_NAMES.sub("", words)).strip()
