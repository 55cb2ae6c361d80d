"""How sure a figure is: percentile bootstrap over articles, seeded, and the same draws for two runs that are compared."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from evals.figures import Array, Figure, Row, Sums

RESAMPLES = 500
SEED = 0
CONFIDENCE = 0.9


@dataclass(frozen=True)
class Estimate:
    """A figure's value on the articles, and the range that holds it in 90 % of the draws. None where it is undefined.

    Draws in which the figure is undefined (nothing to divide by) are left out of the range.
    """

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Difference:
    """What a figure gains from one run to another on the same articles."""

    before: float | None
    after: float | None
    gain: Estimate

    @property
    def clear(self) -> bool:
        """Whether the range of the gain leaves out zero."""
        low, high = self.gain.low, self.gain.high
        return low is not None and high is not None and (low > 0 or high < 0)


def estimates(figures: Sequence[Figure], rows: Mapping[str, Row]) -> dict[str, Estimate]:
    """Each figure by name, from the counts of each cluster of articles. The order of the rows is that of the draws."""
    drawn = _drawn(rows, list(rows))
    return {figure.name: _estimate(figure.of(drawn)) for figure in figures}


def value(figure: Figure, row: Row) -> float | None:
    """The figure of one article alone, None where it is undefined."""
    return _estimate(figure.of(Sums(np.array([list(row.values())]), list(row)))).value


def differences(figures: Sequence[Figure], before: Mapping[str, Row], after: Mapping[str, Row]) -> dict[str, Difference]:
    """Each figure of two runs by name, on the clusters that both have, drawn together."""
    shared = [name for name in before if name in after]
    drawn_before, drawn_after = _drawn(before, shared), _drawn(after, shared)
    found = {}
    for figure in figures:
        one, two = figure.of(drawn_before), figure.of(drawn_after)
        found[figure.name] = Difference(_estimate(one).value, _estimate(two).value, _estimate(two - one))
    return found


def _drawn(rows: Mapping[str, Row], names: Sequence[str]) -> Sums:
    """The sums of all rows, then of each draw."""
    columns = sorted({column for name in names for column in rows[name]})
    matrix = np.array([[rows[name].get(column, 0.0) for column in columns] for name in names], dtype=np.float64)
    matrix = matrix.reshape(len(names), len(columns))
    weights = np.vstack([np.ones((1, len(names))), _weights(len(names))])
    return Sums(weights @ matrix, columns)


@lru_cache(maxsize=32)
def _weights(size: int) -> npt.NDArray[np.float64]:
    """How often each of `size` rows is in each draw; the draws that `random.Random(0).choice` makes."""
    rng = random.Random(SEED)  # noqa: S311 - resampling, not a secret
    weights = np.zeros((RESAMPLES, size))
    for draw in weights if size else ():
        for _ in range(size):
            draw[rng.choice(range(size))] += 1
    return weights


def _estimate(values: Array) -> Estimate:
    value, draws = float(values[0]), np.sort(values[1:][~np.isnan(values[1:])])
    if np.isnan(value) or not draws.size:
        return Estimate(None if np.isnan(value) else value)
    left_out = int(draws.size * (1 - CONFIDENCE) / 2 + 1e-9)
    return Estimate(value, float(draws[left_out]), float(draws[draws.size - 1 - left_out]))
