"""The words a model proposes, found in the article: exactly, up to typography, or not at all.

Nothing is fuzzy. A changed figure or a dropped "not" is a different claim, so words that are not there stay unfound.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Protocol

from service.domain import Quote, Sentence
from service.text.edges import FIRST_UNSPACED, fits
from service.text.folding import Folded
from service.text.offsets import OffsetMap

MAX_WORDS_CHARS = 2_000
"""Longer proposals are not looked for."""

# Bounds on what an article written to be slow can cost: the price of the places rejected in a row, and how many to
# choose among. A place inside a word is told at a glance, others cost eight times that.
_PATIENCE = 2_000
_LOOK = 8
_MOST_CHOICES = 1_000

_MARKS = " '\""
_FINAL = ".,。" + _MARKS

Range = tuple[int, int]


class _View(Protocol):
    """Characters to search, and the way back to the article."""

    @property
    def chars(self) -> str: ...

    def index(self, offset: int) -> int: ...

    def source(self, low: int, high: int) -> Range | None: ...


class _AsWritten:
    def __init__(self, text: str) -> None:
        self.chars = text

    def index(self, offset: int) -> int:
        return offset

    def source(self, low: int, high: int) -> Range:
        return low, high


class Grounder:
    """Finds quotes and names in one article. What it returns is always the article's own slice.

    Typography may differ (see `folding`), the first letter may be capitalised, and quotation marks around the words
    and a full stop or comma after them may be the model's. Words and figures are found whole (see `edges`).
    """

    def __init__(self, text: str, sentences: Sequence[Sentence]) -> None:
        self._text = text
        self._sentences = {sentence.number: sentence for sentence in sentences}
        self._numbers = tuple(self._sentences)
        self._starts = tuple(sentence.start for sentence in sentences)
        self._written = _AsWritten(text)

    def ground(self, words: str, near: Sequence[int] = ()) -> Quote | None:
        """The place where the article says `words`; None when it does not.

        Of several places, one in the sentences numbered `near`, in the order given, then the one closest to them,
        else the first. Words over 2,000 characters or without a letter or digit are not found.
        """
        return self._nearest(words, near, name=False)

    def ground_name(self, name: str, near: Sequence[int] = ()) -> Quote | None:
        """The place where the article names someone; as `ground`, and "Peskov" is also found in "Peskov's"."""
        return self._nearest(name, near, name=True)

    def quote_at(self, start: int, end: int) -> Quote:
        """The article's words at a range of code points that is not empty."""
        return self._quote((start, end))

    def occurrences(self, words: str, most: int | None = None) -> tuple[Quote, ...]:
        """Every place where the article says `words`, or the first `most`, in order, none overlapping another."""
        for variant in _variants(words):
            if found := tuple(islice(self._places(self._folded, variant, name=False), most)):
                return tuple(map(self._quote, found))
        return ()

    @cached_property
    def _folded(self) -> Folded:
        return Folded(self._text)

    @cached_property
    def _offsets(self) -> OffsetMap:
        return OffsetMap(self._text)

    def _nearest(self, words: str, near: Sequence[int], *, name: bool) -> Quote | None:
        wanted = [self._sentences[number] for number in dict.fromkeys(near) if number in self._sentences]
        fallback: Range | None = None
        for view, variant in self._searches(words):
            if variant not in view.chars:
                continue
            for sentence in wanted:
                if found := next(self._places(view, variant, name=name, within=sentence), None):
                    return self._quote(found)
            choices = islice(self._places(view, variant, name=name), _MOST_CHOICES if wanted else 1)
            best = min(choices, key=lambda found: _distance(found, wanted), default=None)
            if best and (not wanted or not _distance(best, wanted)):
                return self._quote(best)
            fallback = fallback or best
        return self._quote(fallback) if fallback else None

    def _searches(self, words: str) -> Iterator[tuple[_View, str]]:
        variants = _variants(words)
        if variants:
            yield self._written, words.strip()
            # The folded article is made only when the words are not there as they are written.
            for variant in variants:
                yield self._folded, variant

    def _places(self, view: _View, words: str, *, name: bool, within: Sentence | None = None) -> Iterator[Range]:
        """The ranges of the article that hold `words`, whole; those that begin in `within`, if that is given."""
        chars = view.chars
        at = view.index(within.start) if within else 0
        end = view.index(within.end) + len(words) - 1 if within else len(chars)
        spent = 0
        while spent < _PATIENCE and (at := chars.find(words, at, end)) >= 0:
            if _splits_word(chars[at - 1 : at], words[0]):
                spent += 1
            elif (found := view.source(at, at + len(words))) and fits(self._text, *found, name=name):
                yield found
                at += len(words) - 1
                spent = 0
            else:
                spent += _LOOK
            at += 1

    def _quote(self, found: Range) -> Quote:
        start, end = found
        first, last = (bisect_right(self._starts, offset) for offset in (start, end - 1))
        return Quote(
            text=self._text[start:end],
            span=self._offsets.span(start, end),
            sentences=self._numbers[max(first - 1, 0) : last],
        )


def _splits_word(before: str, first: str) -> bool:
    return before.isalnum() and first.isalnum() and before < FIRST_UNSPACED and first < FIRST_UNSPACED


def _distance(found: Range, sentences: Sequence[Sentence]) -> int:
    start, end = found
    return min((max(sentence.start - end + 1, start - sentence.end + 1, 0) for sentence in sentences), default=0)


def _variants(words: str) -> list[str]:
    """The folded words, and what they may have been before a model quoted, capitalised or ended them; best first."""
    if len(words) > MAX_WORDS_CHARS:
        return []
    whole = Folded(words).chars.strip()
    bare = whole.strip(_MARKS)
    stripped = (whole, bare, whole.rstrip(_FINAL), bare.rstrip(_FINAL))
    plain = [variant for variant in stripped if any(map(str.isalnum, variant))]
    return list(dict.fromkeys([*plain, *map(_recapitalised, plain)]))


def _recapitalised(words: str) -> str:
    """The words with their first letter in the other case, where that is one letter too and no figure stands before it."""
    at = next(index for index, char in enumerate(words) if char.isalnum())
    other = words[at].swapcase()
    return words[:at] + other + words[at + 1 :] if len(other) == 1 else words
