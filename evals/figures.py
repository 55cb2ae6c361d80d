"""What a figure is: a formula over counts that are summed over articles, so that any draw of articles has one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Row = Mapping[str, float]
Array = npt.NDArray[np.float64]


class Sums:
    """Counts by column, one for each draw of articles; a column that nobody counted is zero."""

    def __init__(self, matrix: Array, columns: Sequence[str]) -> None:
        self._matrix = matrix
        self._positions = {column: position for position, column in enumerate(columns)}

    def __getitem__(self, column: str) -> Array:
        if (position := self._positions.get(column)) is None:
            return np.zeros(len(self._matrix))
        return self._matrix[:, position]


Formula = Callable[[Sums], Array]


class Unit(StrEnum):
    """How a figure's values are written."""

    PERCENT = "percent"
    NUMBER = "number"
    SECONDS = "seconds"


class Better(StrEnum):
    """Which way a figure should go."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


@dataclass(frozen=True)
class Figure:
    """A figure of a report: stable `name`, `title` to read, the `group` it stands in, what it means and how it is made."""

    name: str
    title: str
    group: str
    formula: Formula
    meaning: str
    unit: Unit = Unit.PERCENT
    better: Better = Better.HIGHER

    def of(self, sums: Sums) -> Array:
        """The figure for each draw; NaN where it is undefined."""
        return self.formula(sums)


def ratio(part: str, whole: str) -> Formula:
    """The sum of one column over the sum of another."""
    return lambda sums: _divide(sums[part], sums[whole])


def f1(hits: str, ours: str, theirs: str) -> Formula:
    """The harmonic mean of hits/ours and hits/theirs."""
    return lambda sums: _divide(2 * sums[hits], sums[ours] + sums[theirs])


def accuracy(table: str, labels: Sequence[str]) -> Formula:
    """The share of the diagonal in a confusion table."""
    return lambda sums: _divide(_added(sums[cell(table, label, label)] for label in labels), _total(sums, table, labels))


def macro_f1(table: str, labels: Sequence[str]) -> Formula:
    """The mean F1 of the labels that occur in a confusion table."""

    def formula(sums: Sums) -> Array:
        each = []
        for label in labels:
            theirs = _added(sums[cell(table, label, other)] for other in labels)
            ours = _added(sums[cell(table, other, label)] for other in labels)
            each.append(_divide(2 * sums[cell(table, label, label)], theirs + ours))
        scores = np.array(each)
        known = ~np.isnan(scores)
        return _divide(np.where(known, scores, 0.0).sum(axis=0), known.sum(axis=0).astype(np.float64))

    return formula


def cell(table: str, theirs: str, ours: str) -> str:
    """The column that counts where the gold says `theirs` and the answer says `ours`."""
    return f"{table}/{theirs}>{ours}"


def _total(sums: Sums, table: str, labels: Sequence[str]) -> Array:
    return _added(sums[cell(table, theirs, ours)] for theirs in labels for ours in labels)


def _added(arrays: Iterable[Array]) -> Array:
    total: Array = np.array(list(arrays), dtype=np.float64).sum(axis=0)
    return total


def _divide(part: Array, whole: Array) -> Array:
    share: Array = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole != 0)
    return share
