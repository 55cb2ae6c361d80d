"""Which stretches of an article stand between quotation marks."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

_MOST_CHARS = 3_000
"""A mark left open must not make the rest of the article a quotation."""

_PAIRS = (("“", "”"), ("„", "“”"), ("«", "»"), ("»", "«"), ("「", "」"), ("『", "』"), ("‹", "›"), ('"', '"'))
_SINGLE = re.compile(r"(?<!\w)[‘'](?=\S)(?:[^‘’'\n]|(?<=\w)[’'](?=\w)){2,600}?[’'](?!\w)")


def quotations(text: str) -> tuple[tuple[int, int], ...]:
    """The ranges between quotation marks, the marks left out, in order and apart from one another; code points."""
    found: list[tuple[int, int]] = []
    at = 0
    openers = dict(_PAIRS)
    pattern = re.compile("[" + re.escape("".join(openers)) + "]")
    while match := pattern.search(text, at):
        start = match.end()
        ends = [end for closer in openers[match[0]] if (end := text.find(closer, start, start + _MOST_CHARS)) > start]
        at = min(ends) + 1 if ends else start
        if ends:
            found.append((start, at - 1))
    return tuple(sorted([*found, *_single(text, found)]))


def _single(text: str, double: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The ranges between single marks that touch none of the ranges given."""
    starts = [start for start, _ in double]
    for match in _SINGLE.finditer(text):
        before, after = bisect_right(starts, match.start()) - 1, bisect_left(starts, match.start())
        clear_before = before < 0 or double[before][1] < match.start()
        if clear_before and (after == len(double) or starts[after] > match.end()):
            yield match.start() + 1, match.end() - 1


def quoted_share(start: int, end: int, ranges: Sequence[tuple[int, int]]) -> float:
    """The share, from 0 to 1, of `start` to `end` that lies in the given ranges."""
    inside = sum(max(0, min(end, high) - max(start, low)) for low, high in ranges)
    return inside / (end - start) if end > start else 0.0
