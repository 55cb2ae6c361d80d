"""Whether a claim's text can be read without the article, by rules that need no judge.

Rules look at the text alone and at the article's words; they know English, German and Russian.
"""

# Words of many languages stand here as themselves.
# ruff: noqa: RUF001

import re
from collections.abc import Mapping
from dataclasses import dataclass

_WORD = re.compile(r"[^\W\d_][\w’'-]*")
_NUMBER = re.compile(r"\d[\d.,]*\d|\d")
_QUOTED = re.compile(r"“[^”]*”|„[^“”]*[“”]|«[^»]*»|\"[^\"]*\"")
_GENITIVE = re.compile(r"['’]s?$")
_LONG_NAME = 6
_SUBJECT_PLACE = 4


@dataclass(frozen=True)
class _Language:
    """The pronouns that point outside a sentence: alone at its start, or as a subject before anyone was named."""

    starts: frozenset[str]
    subjects: frozenset[str]
    openers: frozenset[str]
    expletive: re.Pattern[str]


_LANGUAGES: Mapping[str, _Language] = {
    "en": _Language(
        frozenset("he she it they we i you his her its their our my this these those such".split()),
        frozenset("he she they we i".split()),
        frozenset("the a an in on at after before when while if as since by for from with during under over some many".split()),
        re.compile(
            r"it (is|was|will be|has been|would be|takes|took)\b.*\b(that|to|for|whether)\b|(this|these) (year|month|week)",
            re.IGNORECASE,
        ),
    ),
    "de": _Language(
        frozenset("er sie es wir ich ihr sein seine ihre unser unsere dies diese dieser dieses jene jener".split()),
        frozenset("er wir ich".split()),
        frozenset(
            "der die das ein eine in im am an auf nach vor als wenn während da seit bei für von mit unter über laut".split()
        ),
        re.compile(
            r"es (gibt|gab|ist|war|wird|wurde|werden|wurden|sei|seien|handelt|kam|kommt|bestehe|besteht)\b", re.IGNORECASE
        ),
    ),
    "ru": _Language(
        frozenset("он она оно они мы я вы его её ее их наш наша это эти этот эта такие оба".split()),
        frozenset("он она они мы я".split()),
        frozenset("в на после до когда если при по из с под над за для во".split()),
        re.compile(r"это (было|есть|будет)\b", re.IGNORECASE),
    ),
}

KNOWN_LANGUAGES = frozenset(_LANGUAGES)


def points_outside(text: str, language: str) -> bool:
    """Whether `text` begins with a pronoun that nothing in it resolves, or has one among its first words before any name.

    Words in quotation marks are not looked at. `language` is one of `KNOWN_LANGUAGES`.
    """
    rules = _LANGUAGES[language]
    bare = _QUOTED.sub(" ", text).strip()
    found = [match[0] for match in _WORD.finditer(bare)]
    if not found:
        return False
    if found[0].lower() in rules.starts:
        return not rules.expletive.match(bare)
    named = found[0].lower() not in rules.openers
    for word in found[1:_SUBJECT_PLACE]:
        if named:
            return False
        if word.lower() in rules.subjects:
            return True
        named = word[0].isupper()
    return False


class ArticleWords:
    """The words and numbers of an article, to look up those of a claim."""

    def __init__(self, text: str) -> None:
        self._text = text.casefold()
        self._numbers = {_plain(number) for number in _NUMBER.findall(text)}

    def foreign_names(self, text: str) -> list[str]:
        """The capitalised words of `text`, its first left out, that the article does not have; endings may differ."""
        found = [match[0] for match in _WORD.finditer(text)]
        return [word for word in found[1:] if word[0].isupper() and not self._has(word)]

    def foreign_numbers(self, text: str) -> list[str]:
        """The numbers of `text` that the article does not have; separators may differ."""
        return [number for number in _NUMBER.findall(text) if _plain(number) not in self._numbers]

    def _has(self, word: str) -> bool:
        stem = _GENITIVE.sub("", word.casefold())
        return all(self._has_part(part) for part in stem.split("-"))

    def _has_part(self, stem: str) -> bool:
        # German and Russian names change their endings with the case; English ones are told apart well before them.
        return stem in self._text or (len(stem) >= _LONG_NAME and stem[:-2] in self._text)


def _plain(number: str) -> str:
    return number.replace(",", "").replace(".", "")
