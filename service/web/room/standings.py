"""Who stands where on which claim, as the rows and columns of a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain import ARTICLE_HOLDER, Claim, StanceLabel
from service.export.html_article import evidence_id
from service.export.report import ARTICLE

MOST_HOLDERS = 40


@dataclass(frozen=True)
class Standing:
    """What one holder does to one claim; `part` is the id of the place that shows it, None for the article's own voice."""

    label: StanceLabel
    part: str | None


@dataclass(frozen=True)
class Holder:
    """One row: a holder, and what they do to each claim, None where nothing is known."""

    name: str
    standings: tuple[Standing | None, ...]


@dataclass(frozen=True)
class Standings:
    """The table: its columns are the claims in their rank. `left_out` is how many holders had no room."""

    holders: tuple[Holder, ...]
    left_out: int


def standings(claims: Sequence[Claim]) -> Standings:
    """The article first, then whoever takes most stances; at most 40 holders. `claims` are in the order of their rank."""
    rows: dict[str, list[Standing | None]] = {ARTICLE_HOLDER: [None] * len(claims)}
    for column, claim in enumerate(claims):
        for number, stance in enumerate(claim.stances):
            row = rows.setdefault(stance.holder, [None] * len(claims))
            row[column] = Standing(stance.label, evidence_id(column + 1, number) if stance.evidence else None)
    article = rows.pop(ARTICLE_HOLDER)
    others = sorted(rows.items(), key=lambda row: -sum(standing is not None for standing in row[1]))
    shown = [Holder(ARTICLE, tuple(article)), *(Holder(name, tuple(row)) for name, row in others[: MOST_HOLDERS - 1])]
    return Standings(tuple(shown), max(len(others) - MOST_HOLDERS + 1, 0))
