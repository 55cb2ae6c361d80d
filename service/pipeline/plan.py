"""Which sentences are read together: an article as passages, each one model call."""

from bisect import bisect_right
from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise

from service.domain import Article, Passage, Sentence

_LEAD_SENTENCES = 2


def plan(article: Article, sentences: Sequence[Sentence], passage_chars: int) -> tuple[Passage, ...]:
    """The passages of an article, in order, tiling its sentences.

    Never more than one passage for each `passage_chars` characters (but one at least), and all of about the same length,
    so that read side by side they end together.
    """
    count = max(1, len(article.text) // passage_chars)
    ends = [sentence.end for sentence in sentences]
    cuts = {0}
    for turn in range(1, count):
        target = len(article.text) * turn // count
        nearest = bisect_right(ends, target)
        if nearest and target - ends[nearest - 1] <= ends[min(nearest, len(ends) - 1)] - target:
            nearest -= 1
        cuts.add(min(nearest + 1, len(sentences) - 1))
    bounds = [*sorted(cuts), len(sentences)]
    return tuple(_passage(article, sentences, first, after) for first, after in pairwise(bounds))


def digest(text: str) -> str:
    """The SHA-256 by which a passage's text is known again."""
    return sha256(text.encode("utf-8")).hexdigest()


def _passage(article: Article, sentences: Sequence[Sentence], first: int, after: int) -> Passage:
    lead = sentences[: min(first, _LEAD_SENTENCES)]
    return Passage(article, tuple(sentences[first:after]), tuple(lead))
