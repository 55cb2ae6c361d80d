"""What a check-worthiness score looks at in a sentence: its words, pairs of neighbours and a few marks. English.

The training script reads sentences with this module too, so that the weights fit what is weighed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

START, END, NUMBER, YEAR = "<s>", "</s>", "<number>", "<year>"
COUNTRY = "US"
"""The one word that means something else in capitals."""

MOST_WORDS = 200
"""What comes after so many words of a sentence is not looked at."""

_TOKEN = re.compile(r"\d[\d,.]*\d|\d|[^\W\d_]+(?:['’][^\W\d_]+)?|[$€£%?!]")
_YEAR = re.compile(r"(?:1[6-9]|20)\d\d")
_MONTHS = frozenset("january february march april june july august september october november december".split())
_UNITS = frozenset(
    "% $ € £ percent million millions billion billions trillion dozen hundred hundreds thousand thousands dollar dollars "
    "cents".split()
)
_FIGURES = _UNITS | frozenset(
    "two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty sixty seventy eighty ninety half "
    "third quarter double twice".split()
)
_HEDGES = frozenset("should must would could might may think believe want hope need let".split())
_PAST = frozenset(
    "was were had did went came took made got gave said voted became left lost won fell rose grew cut spent paid sent built "
    "sold bought brought began ran led met held kept put".split()
)
_FIRST = frozenset("i i'm i've i'll i'd we we're we've we'll we'd me my us our".split())
_SECOND = frozenset("you your you're you've you'll".split())
_COMPARING = frozenset(
    "more less fewer most least highest lowest largest biggest smallest lower higher greater worst best better worse "
    "than".split()
)
_SHORTEST_WITH_ENDING = 5
_FEW, _SOME, _MANY = 8, 20, 40


@dataclass(frozen=True)
class Features:
    """A sentence's distinct words and pairs in order, the marks that are not 0, and what its words' weights are divided by."""

    words: tuple[str, ...]
    pairs: tuple[str, ...]
    marks: Mapping[str, float]
    scale: float


def features(sentence: str) -> Features:
    """What is weighed in `sentence`. Linear time."""
    raw = _raw_words(sentence)
    words = [_folded(word) for word in raw]
    distinct = tuple(dict.fromkeys(words))
    edged = [START, *words, END]
    pairs = tuple(dict.fromkeys(f"{left} {right}" for left, right in pairwise(edged)))
    marks = {name: value for name, value in _marks(raw, words).items() if value}
    return Features(distinct, pairs, marks, sqrt(max(1, len(distinct))))


def _raw_words(sentence: str) -> list[str]:
    words: list[str] = []
    for found in _TOKEN.finditer(sentence):
        words.append(found[0].replace("’", "'"))
        if len(words) == MOST_WORDS:
            break
    return words


def _folded(word: str) -> str:
    if word[0].isdigit():
        return YEAR if _YEAR.fullmatch(word) else NUMBER
    return word if word == COUNTRY else word.lower()


def _marks(raw: list[str], words: list[str]) -> dict[str, float]:
    """Each mark's name and strength, most of them 0 or 1."""
    known, count = set(words), len(words)
    capitals = sum(word[0].isupper() for word, folded in zip(raw[1:], words[1:], strict=True) if folded not in _FIRST)
    figures = sum(word in _FIGURES or word in {NUMBER, YEAR} for word in words)
    past = sum(word in _PAST or _ends(word, "ed") for word in words)
    return {
        "length": min(count, _MANY) / _SOME,
        "beyond 8 words": min(max(count - _FEW, 0), _SOME) / _SOME,
        "below 8 words": max(0, _FEW - count) / _FEW,
        "letters per word": min(sum(map(len, words)) / max(count, 1) / 5, 3.0),
        "figure": float(figures > 0),
        "figures": float(figures > 1),
        "unit": float(not known.isdisjoint(_UNITS)),
        "date": float(YEAR in known or not known.isdisjoint(_MONTHS)),
        "comparison": float(not known.isdisjoint(_COMPARING)),
        "superlative": float(any(_ends(word, "est") for word in words)),
        "past": float(past > 0),
        "past twice": float(past > 1),
        "name": float(capitals > 0),
        "names": min(capitals, 5) / 5,
        "hedge": float(not known.isdisjoint(_HEDGES)),
        "first person": float(not known.isdisjoint(_FIRST)),
        "second person": float(not known.isdisjoint(_SECOND)),
        "question": float("?" in known),
        "adverb": float(any(_ends(word, "ly") for word in words)),
        "past figure": float(figures > 0 and past > 0),
        "hedged figure": float(figures > 0 and not known.isdisjoint(_HEDGES)),
    }


def _ends(word: str, ending: str) -> bool:
    return len(word) >= _SHORTEST_WITH_ENDING and word.endswith(ending)
