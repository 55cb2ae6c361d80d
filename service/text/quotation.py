"""Which stretches of an article stand between quotation marks."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

_MOST_CHARS = 3_000
"""A mark left open must not make the rest of the article a quotation."""

_PAIRS = (("“", "”"), ("„", "“”"), ("«", "»"), ("»", "«"), ("「", "」"), ("『", "』"), ("‹", "›"), ('"', '"'))
_CLOSERS = {opener: re.compile(f"[{re.escape(closers)}]") for opener, closers in _PAIRS if opener != '"'}
_CLOSERS['"'] = re.compile(r"(?<=\S)[\"“”](?!\w)")
_OPENER = re.compile(r'"(?=\S)|[' + re.escape("".join(_CLOSERS)).replace('"', "") + "]")
_NEXT_WORD = re.compile(r"\s*")
_FEWEST_WORDS = 5
_SINGLE = re.compile(r"(?<!\w)[‘'](?=\S)(?:[^‘’'\n]|(?<=\w)[’'](?=\w)){2,600}?[’'](?!\w)")


def quotations(text: str) -> tuple[tuple[int, int], ...]:
    """The ranges between quotation marks, the marks left out, in order and apart from one another; code points."""
    found: list[tuple[int, int]] = []
    closings = {mark: _Closings(text, closer) for mark, closer in _CLOSERS.items()}
    at = 0
    while match := _OPENER.search(text, at):
        start = match.end()
        end, at = _end(text, start, match[0], closings[match[0]])
        if end > start:
            found.append((start, end))
    return tuple(sorted([*found, *_single(text, found)]))


class _Closings:
    """Where a quotation is closed: each place is looked for once, however many marks are opened before it."""

    def __init__(self, text: str, closer: re.Pattern[str]) -> None:
        self._places = closer.finditer(text)
        self._next = next(self._places, None)

    def after(self, start: int) -> re.Match[str] | None:
        """The closing mark that comes first from `start` on, unless it is too far; starts must be asked in order."""
        while self._next and self._next.start() < start:
            self._next = next(self._places, None)
        return self._next if self._next and self._next.end() <= start + _MOST_CHARS else None


def _end(text: str, start: int, mark: str, closings: _Closings) -> tuple[int, int]:
    """Where a quotation opened by `mark` ends and where to look on; (start, start) where it is none."""
    closing = closings.after(start)
    line_end = text.find("\n", start, closing.start() if closing else start + _MOST_CHARS)
    if line_end > start and _goes_on(text, line_end, start, mark):
        return line_end, line_end
    return (closing.start(), closing.end()) if closing else (start, start)


def _goes_on(text: str, line_end: int, start: int, mark: str) -> bool:
    """Whether the quotation goes on after `line_end` in a paragraph that opens it anew, as printers do it."""
    following = _NEXT_WORD.match(text, line_end)
    opened_anew = following is not None and text[following.end() : following.end() + 1] == mark
    return opened_anew and len(text[start:line_end].split()) >= _FEWEST_WORDS


def _single(text: str, double: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The ranges between single marks that touch none of the ranges given."""
    starts = [start for start, _ in double]
    for match in _SINGLE.finditer(text):
        before, after = bisect_right(starts, match.start()) - 1, bisect_left(starts, match.start())
        clear_before = before < 0 or double[before][1] < match.start()
        if clear_before and (after == len(double) or starts[after] > match.end()):
            yield match.start() + 1, match.end() - 1


def quoted_share(start: int, end: int, ranges: Sequence[tuple[int, int]]) -> float:
    """The share, from 0 to 1, of `start` to `end` that lies in the given ranges, which are in order and apart."""
    first, after = max(0, bisect_right(ranges, (start, start)) - 1), bisect_left(ranges, (end, end))
    inside = sum(max(0, min(end, high) - max(start, low)) for low, high in ranges[first:after])
    return inside / (end - start) if end > start else 0.0
