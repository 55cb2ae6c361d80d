"""What a scorer is, and what several of them count in the same way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from evals.answers import Answer
from evals.figures import Figure
from evals.items import Item, Range

Wordings = tuple[str, str]
"""A claim of an answer and the labelled one at its place, in the words of each."""


class Tally(dict[str, float]):
    """Counts of one article by column."""

    def add(self, column: str, amount: float = 1.0) -> None:
        """Nothing; `column` is larger by `amount`."""
        self[column] = self.get(column, 0.0) + amount


@dataclass(frozen=True)
class Scorer:
    """How the answers to one set are scored.

    `count` turns an article and its answer into counts, `figures` are made of their sums, the one called `headline`
    stands for the set in plots and sorts its articles. `golds` gives what people labelled, to be shown beside an answer's
    claims. `curve` names the figures of precision and recall, `tables` the confusion tables among the counts. `pairs` gives
    what a judge may compare.
    """

    count: Callable[[Item[Any], Answer], Tally]
    figures: tuple[Figure, ...]
    headline: str
    golds: Callable[[Item[Any]], Sequence["GoldLine"]]
    curve: tuple[str, str] | None = None
    tables: tuple["ConfusionTable", ...] = ()
    pairs: Callable[[Item[Any], Answer], Sequence[Wordings]] | None = None

    @property
    def headline_figure(self) -> Figure:
        """The figure that stands for the set."""
        return next(figure for figure in self.figures if figure.name == self.headline)


@dataclass(frozen=True)
class ConfusionTable:
    """A table of labels by people and by an answer: the name of its columns, a title to read, its labels."""

    name: str
    title: str
    labels: tuple[str, ...]


class Slot(StrEnum):
    """What a note says of a claim, so that notes of people and of an answer can be held against each other."""

    VOICE = "voice"
    ARTICLE = "article"
    HOLDER = "holder"
    KIND = "kind"
    WORTH = "worth"
    LABEL = "label"


OWN_VOICE = "own voice"


@dataclass(frozen=True)
class Note:
    """A few words on a claim, for reading."""

    slot: Slot
    text: str


@dataclass(frozen=True)
class GoldLine:
    """Something people labelled, for reading: where it is (None for wording without a place), its words and notes."""

    span: Range | None
    words: str
    notes: tuple[Note, ...] = ()


def rank(tally: Tally, name: str, scored: Sequence[tuple[float, bool]]) -> None:
    """Nothing; `tally` holds what `auc_figure` and `ap_figure` of `name` need of one article's scores and labels."""
    positives = [score for score, positive in scored if positive]
    negatives = [score for score, positive in scored if not positive]
    tally.add(f"{name}/auc_n", len(positives) * len(negatives))
    tally.add(f"{name}/auc", sum((ours > other) + 0.5 * (ours == other) for ours in positives for other in negatives))
    if positives and negatives:
        tally.add(f"{name}/ap_n")
        tally.add(f"{name}/ap", _average_precision(scored, len(positives)))


def _average_precision(scored: Sequence[tuple[float, bool]], positives: int) -> float:
    """The mean, over positives, of the precision at their score; those of one score are taken together."""
    total = 0.0
    seen = hits = 0
    for level in sorted({score for score, _ in scored}, reverse=True):
        found = [positive for score, positive in scored if score == level]
        seen += len(found)
        hits += sum(found)
        total += sum(found) * hits / seen
    return total / positives
