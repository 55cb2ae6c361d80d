"""The article as a line from its first character to its last: what was read, what was not, and where its claims stand."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain import Analysis, Claim
from service.export.html_article import stance_class
from service.export.report import SET_ASIDE_WORDS

WIDTH = 1_000
"""How long the line is drawn, in units of its own."""
_THINNEST = 1.5


@dataclass(frozen=True)
class Stretch:
    """A passage on the line: where, and `state`, one of read, reused, failed; `code` is why it failed."""

    x: float
    width: float
    state: str
    code: str | None


@dataclass(frozen=True)
class Tick:
    """A place on the line: a claim of this rank and the CSS class of its stance, or something set aside and why."""

    x: float
    width: float
    look: str
    rank: int | None = None
    why: str | None = None


@dataclass(frozen=True)
class Strip:
    """The line."""

    stretches: tuple[Stretch, ...]
    claims: tuple[Tick, ...]
    set_aside: tuple[Tick, ...]


def strip(analysis: Analysis, claims: Sequence[Claim]) -> Strip:
    """The line of `analysis`, with `claims` in the order of their rank.

    What was set aside has no place of its own; it is shown where its very words stand, if they do.
    """
    scale = WIDTH / max(len(analysis.article.text), 1)
    stretches = tuple(
        Stretch(
            round(passage.start * scale, 1),
            round((passage.end - passage.start) * scale, 1),
            "failed" if passage.code else "reused" if passage.reused else "read",
            passage.code,
        )
        for passage in analysis.coverage.passages
    )
    ticks = tuple(
        Tick(*_drawn(claim.quote.span.start, claim.quote.span.end, scale), stance_class(claim), rank=rank)
        for rank, claim in enumerate(claims, 1)
    )
    refused = []
    for thing in analysis.set_aside:
        at = analysis.article.text.find(thing.text) if thing.text.strip() else -1
        if at >= 0:
            place = _drawn(at, at + len(thing.text), scale)
            refused.append(Tick(*place, "set-aside", why=SET_ASIDE_WORDS[thing.reason]))
    return Strip(stretches, ticks, tuple(refused))


def _drawn(start: int, end: int, scale: float) -> tuple[float, float]:
    return round(start * scale, 1), round(max((end - start) * scale, _THINNEST), 1)
