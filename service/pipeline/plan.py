"""Which sentences are read together: an article as passages, each one model call."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise

from service.domain import Article, Passage, Sentence
from service.earlier import PassageMemory

_LEAD_SENTENCES = 2
_MOST_TRIES = 3

Run = tuple[int, int]
"""A half-open range of the places of sentences in their article."""


def plan(
    article: Article, sentences: Sequence[Sentence], passage_chars: int, known: Sequence[PassageMemory] = ()
) -> tuple[Passage, ...]:
    """The passages of an article, in order, tiling its sentences.

    Never more than one passage for each `passage_chars` characters (but one at least), and all of about the same length,
    so that read side by side they end together. Passages that are `known` and still stand keep their bounds; what lies
    between them is planned by the same rules, a stretch too short for a passage together with a neighbour.
    """
    whole = (0, len(sentences))
    standing = _with_room(_standing(sentences, known), sentences, passage_chars // 2)
    gaps = [cut for gap in _gaps(standing, len(sentences)) for cut in _evenly(sentences, gap, passage_chars)]
    fresh = _evenly(sentences, whole, passage_chars)
    runs = sorted([*standing, *gaps]) if len(gaps) <= len(fresh) else fresh
    return tuple(_passage(article, sentences, run) for run in runs)


def halves(passage: Passage) -> tuple[Passage, ...]:
    """The passage as two of about the same length, as `plan` would make them; none where it is a single sentence."""
    sentences = passage.sentences
    if len(sentences) < 2:  # noqa: PLR2004 - one for each
        return ()
    middle = (passage.start + passage.end) / 2
    cut = min(range(1, len(sentences)), key=lambda at: abs(sentences[at].start - middle))
    lead = (*passage.lead, *sentences[:cut])[:_LEAD_SENTENCES]
    return replace(passage, sentences=sentences[:cut]), replace(passage, sentences=sentences[cut:], lead=lead)


def digest(text: str) -> str:
    """The SHA-256 of a passage's text."""
    return sha256(text.encode("utf-8")).hexdigest()


def fingerprint(sentences: Sequence[Sentence]) -> str:
    """A hash of the words of sentences that follow one another, and of where each of them ends; not of where they stand."""
    lengths = ",".join(str(len(sentence.text)) for sentence in sentences)
    return digest(f"{lengths}\n{''.join(sentence.text for sentence in sentences)}")


def _standing(sentences: Sequence[Sentence], known: Sequence[PassageMemory]) -> list[Run]:
    """Where known passages stand, in order.

    One walk over the sentences; a known passage is compared in full only where its first sentence stands and its length
    fits, and at most three times in vain.
    """
    by_opening: defaultdict[str, list[PassageMemory]] = defaultdict(list)
    for passage in {one.fingerprint: one for one in known}.values():
        by_opening[passage.opening].append(passage)
    tries: Counter[str] = Counter()
    standing: list[Run] = []
    at = 0
    while by_opening and at < len(sentences):
        after = at + 1
        for passage in by_opening.get(fingerprint(sentences[at : at + 1]), ())[:_MOST_TRIES]:
            end = at + passage.sentences
            fits = end <= len(sentences) and _chars(sentences, (at, end)) == passage.chars
            if not fits or tries[passage.fingerprint] >= _MOST_TRIES:
                continue
            if fingerprint(sentences[at:end]) == passage.fingerprint:
                standing.append((at, end))
                after = end
                break
            tries[passage.fingerprint] += 1
        at = after
    return standing


def _gaps(standing: Sequence[Run], end: int) -> list[Run]:
    """What lies before, between and after the runs."""
    edges = [0, *(edge for run in standing for edge in run), end]
    return [(first, after) for first, after in zip(edges[::2], edges[1::2], strict=True) if first < after]


def _with_room(standing: list[Run], sentences: Sequence[Sentence], least_chars: int) -> list[Run]:
    """The runs without those that the gap beside them needs to reach `least_chars`, the shorter neighbour first."""
    while crowded := {
        min(beside, key=lambda run: _chars(sentences, run))
        for gap in _gaps(standing, len(sentences))
        if _chars(sentences, gap) < least_chars
        and (beside := [run for run in standing if run[1] == gap[0] or run[0] == gap[1]])
    }:
        standing = [run for run in standing if run not in crowded]
    return standing


def _chars(sentences: Sequence[Sentence], run: Run) -> int:
    return sentences[run[1] - 1].end - sentences[run[0]].start


def _evenly(sentences: Sequence[Sentence], run: Run, passage_chars: int) -> list[Run]:
    """A run cut into the passages it is to be read in."""
    first, after = run
    start, length = sentences[first].start, _chars(sentences, run)
    count = max(1, length // passage_chars)
    ends = [sentence.end for sentence in sentences[first:after]]
    cuts = {first}
    for turn in range(1, count):
        target = start + length * turn // count
        nearest = bisect_right(ends, target)
        if nearest and target - ends[nearest - 1] <= ends[min(nearest, len(ends) - 1)] - target:
            nearest -= 1
        cuts.add(first + min(nearest + 1, len(ends) - 1))
    return list(pairwise([*sorted(cuts), after]))


def _passage(article: Article, sentences: Sequence[Sentence], run: Run) -> Passage:
    first, after = run
    lead = sentences[: min(first, _LEAD_SENTENCES)]
    return Passage(article, tuple(sentences[first:after]), tuple(lead))
