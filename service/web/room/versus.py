"""Two answers beside each other, as the page shows them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from service.domain import ARTICLE_HOLDER
from service.export.compare import Comparison, Difference, Document
from service.export.report import ARTICLE, OWN_VOICE
from service.web.room.shown import Card, Shown

_FIELD_WORDS = {
    "text": "wording",
    "kind": "kind",
    "mode": "whose words",
    "check_worthiness": "check-worthiness",
    "quote": "quote",
    "claimant": "who says it",
    "prompt": "prompt",
    "model": "model asked",
    "served": "model that answered",
    "endpoint": "endpoint",
    "service": "service",
}
_COST_WORDS = {
    "calls": "Model calls",
    "retries": "Retries among them",
    "input_tokens": "Tokens in",
    "cached_tokens": "Cached among them",
    "output_tokens": "Tokens out",
    "duration_ms": "Seconds",
}


@dataclass(frozen=True)
class Row:
    """What two answers say of the same thing, in words."""

    name: str
    one: str
    other: str


@dataclass(frozen=True)
class CostRow:
    """What two answers took; `field` is the name in `usage`."""

    field: str
    name: str
    one: str
    other: str
    more: str


@dataclass(frozen=True)
class PairShown:
    """A claim that both found."""

    one: Card
    other: Card
    differences: tuple[Row, ...]


@dataclass(frozen=True)
class Versus:
    """Two answers and how they differ."""

    one: Shown
    other: Shown
    comparison: Comparison

    @property
    def kind(self) -> str:
        """What is compared."""
        return "The same article, asked twice" if self.comparison.same_article else "Two versions of an article"

    @property
    def names(self) -> tuple[str, str]:
        """What each answer is called: its prompt and model."""
        return _name(self.one), _name(self.other)

    @property
    def asked(self) -> tuple[Row, ...]:
        """How the questions differ."""
        return tuple(map(_row, self.comparison.asked))

    @property
    def both(self) -> list[PairShown]:
        """What both found, most worth checking first; what they say otherwise of it is told."""
        ones, others = _by_id(self.one), _by_id(self.other)
        pairs = [
            PairShown(ones[pair.one["id"]], others[pair.other["id"]], tuple(map(_row, pair.differences)))
            for pair in self.comparison.both
        ]
        return sorted(pairs, key=lambda pair: pair.one.rank)

    @property
    def only_one(self) -> list[Card]:
        """What the first found alone."""
        return list(_cards(self.one, self.comparison.only_one))

    @property
    def only_other(self) -> list[Card]:
        """What the second found alone."""
        return list(_cards(self.other, self.comparison.only_other))

    @property
    def costs(self) -> list[CostRow]:
        """What each took."""
        return [
            CostRow(
                cost.name,
                _COST_WORDS[cost.name],
                _amount(cost.name, cost.one),
                _amount(cost.name, cost.other),
                ("+" if cost.more > 0 else "") + _amount(cost.name, cost.more),
            )
            for cost in self.comparison.cost
        ]


def _name(shown: Shown) -> str:
    source = shown.analysis.provenance
    return f"{source.prompt.partition('#')[0]}, {source.model.served or source.model.asked}"


def _by_id(shown: Shown) -> dict[str, Card]:
    return {card.claim.id: card for card in shown.cards}


def _cards(shown: Shown, claims: tuple[Document, ...]) -> Iterator[Card]:
    wanted = {claim["id"] for claim in claims}
    yield from (card for card in shown.cards if card.claim.id in wanted)


def _row(difference: Difference) -> Row:
    name = _FIELD_WORDS.get(difference.field, difference.field)
    if difference.holder is not None:
        name = f"stance of {ARTICLE.lower() if difference.holder == ARTICLE_HOLDER else difference.holder}"
    return Row(name, _words(difference.field, difference.one), _words(difference.field, difference.other))


def _words(field: str, value: Any) -> str:
    match value:
        case None:
            return OWN_VOICE if field == "claimant" else "none"
        case tuple():
            return ", ".join(value)
        case float():
            return f"{value:.2f}"
        case _:
            return str(value)


def _amount(name: str, value: int) -> str:
    return f"{value / 1000:.1f}" if name == "duration_ms" else f"{value:,}"
