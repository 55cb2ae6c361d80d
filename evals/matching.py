"""When two ranges, two wordings or two names count as the same, and which of many go together."""

import re
import string
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from evals.items import Range

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ALL_PUNCTUATION = str.maketrans("", "", string.punctuation + "“”’‘«»„")
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_ALL_ARTICLES = re.compile(r"\b(a|an|the|der|die|das)\b")


def words(text: str | None) -> list[str]:
    """The words of `text` in lower case, without punctuation and English and German articles."""
    return _ALL_ARTICLES.sub(" ", (text or "").lower().translate(_ALL_PUNCTUATION)).split()


def english_words(text: str | None) -> list[str]:
    """As `words`, by the rule of the NewsClaims scorer: ASCII punctuation and English articles only."""
    return _ARTICLES.sub(" ", (text or "").lower().translate(_PUNCTUATION)).split()


def token_f1(ours: list[str], theirs: list[str]) -> float:
    """The harmonic mean of precision and recall of words, as bags; 1 when both are empty."""
    if not ours or not theirs:
        return float(ours == theirs)
    common = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * common / (len(ours) + len(theirs))


def overlap(one: Range, other: Range) -> int:
    """How many characters two ranges share."""
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))


def iou(one: Range, other: Range) -> float:
    """Shared characters over all characters of two ranges; 0 when both are empty."""
    shared = overlap(one, other)
    union = one[1] - one[0] + other[1] - other[0] - shared
    return shared / union if union else 0.0


@dataclass(frozen=True)
class Pair:
    """The positions of two that go together, and how alike they are."""

    score: float
    ours: int
    theirs: int


def greedy_pairs(scored: Iterable[tuple[float, int, int]], at_least: float) -> list[Pair]:
    """The pairs (score, ours, theirs), best first, each position used once; none below `at_least`.

    Ties go to the later positions, as in the scorer these figures are compared with.
    """
    pairs: list[Pair] = []
    ours_used: set[int] = set()
    theirs_used: set[int] = set()
    for score, ours, theirs in sorted(scored, reverse=True):
        if score < at_least or ours in ours_used or theirs in theirs_used:
            continue
        ours_used.add(ours)
        theirs_used.add(theirs)
        pairs.append(Pair(score, ours, theirs))
    return pairs
