"""Which sentences are read together: an article as passages, each one model call."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import pairwise

from service.domain import Article, Passage, Sentence

_LEAD_SENTENCES = 2


def plan(
    article: Article, sentences: Sequence[Sentence], passage_chars: int, known: Sequence[tuple[str, int]] = ()
) -> tuple[Passage, ...]:
    """The passages of an article, in order, tiling its sentences.

    Never more than one passage for each `passage_chars` characters (but one at least), and all of about the same length,
    so that read side by side they end together. `known` are hash and length of passages read before: where their text
    stands unchanged, it stays a passage, and only what lies between is planned anew.
    """
    kept = _kept(article, sentences, known)
    passages: list[Passage] = []
    at = 0
    for first, after in [*kept, (len(sentences), len(sentences))]:
        passages += _even(article, sentences, at, first, passage_chars)
        if first < after:
            passages.append(_passage(article, sentences, first, after))
        at = after
    return tuple(passages)


def digest(text: str) -> str:
    """The SHA-256 by which a passage's text is known again."""
    return sha256(text.encode("utf-8")).hexdigest()


def _passage(article: Article, sentences: Sequence[Sentence], first: int, after: int) -> Passage:
    lead = sentences[: min(first, _LEAD_SENTENCES)]
    return Passage(article, tuple(sentences[first:after]), tuple(lead))


def _even(article: Article, sentences: Sequence[Sentence], first: int, after: int, chars: int) -> list[Passage]:
    """The sentences from `first` to `after` as passages of about the same length."""
    if first >= after:
        return []
    start, end = sentences[first].start, sentences[after - 1].end
    count = max(1, (end - start) // chars)
    ends = [sentence.end for sentence in sentences[first:after]]
    cuts = {first}
    for turn in range(1, count):
        target = start + (end - start) * turn // count
        nearest = bisect_right(ends, target)
        if nearest and target - ends[nearest - 1] <= ends[min(nearest, len(ends) - 1)] - target:
            nearest -= 1
        cuts.add(min(first + nearest + 1, after - 1))
    bounds = [*sorted(cuts), after]
    return [_passage(article, sentences, low, high) for low, high in pairwise(bounds)]


def _kept(article: Article, sentences: Sequence[Sentence], known: Sequence[tuple[str, int]]) -> list[tuple[int, int]]:
    """The runs of sentences whose text is that of a known passage, in order and apart from one another."""
    starts: Mapping[int, int] = {sentence.start: index for index, sentence in enumerate(sentences)}
    ends: Mapping[int, int] = {sentence.end: index + 1 for index, sentence in enumerate(sentences)}
    found: list[tuple[int, int]] = []
    at = shift = old = 0
    for sha, length in known:
        guesses = [old + shift, *(sentence.start for sentence in sentences[at:])]
        for start in guesses:
            first, after = starts.get(start), ends.get(start + length)
            if first is None or after is None or first < at or first >= after:
                continue
            if digest(article.text[start : start + length]) == sha:
                found.append((first, after))
                at, shift = after, start - old
                break
        old += length
    return found
