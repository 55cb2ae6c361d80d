"""The tables of a report: runs and baselines as rows, figures as columns, each with its range."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from evals.baselines import BASELINES, RELABELLINGS
from evals.bootstrap import Difference, Estimate
from evals.datasets import Dataset
from evals.figures import Better, Figure, Unit
from evals.results import RunResult, SetResult, baseline_results, compare, estimate, figures_of, relabelled_results
from evals.scores.intrinsic import COST

SMALLEST = 0.0005
"""A gain that would be written as zero is none."""

_WHOLE_FROM = 100


@dataclass(frozen=True)
class System:
    """A row of a table: a run, or a baseline to hold it against.

    `letter` stands for a run in plots and headings; a baseline has none. `relabels` is the run whose claims a baseline takes.
    """

    label: str
    letter: str
    result: SetResult
    estimates: dict[str, Estimate]
    relabels: "System | None" = None

    @property
    def is_run(self) -> bool:
        """Whether this is a run and not a baseline."""
        return bool(self.letter)

    def tells_more(self, figures: Sequence[Figure]) -> bool:
        """Whether some of the figures are not simply those of the run that this one relabels."""
        return not self.relabels or any(self.estimates[one.name] != self.relabels.estimates[one.name] for one in figures)


@dataclass(frozen=True)
class Change:
    """What a figure of a set gained between two runs."""

    figure: Figure
    difference: Difference

    @property
    def verdict(self) -> str:
        """`better`, `worse`, `moved` (no direction is better) or `unclear` (the range holds zero, or nearly so)."""
        value = self.difference.gain.value
        if not self.difference.clear or value is None or abs(value) < SMALLEST:
            return "unclear"
        if self.figure.better is Better.NEITHER:
            return "moved"
        return "better" if (value > 0) == (self.figure.better is Better.HIGHER) else "worse"


@dataclass(frozen=True)
class Comparison:
    """Two runs on one set: how many articles both answered, and every figure's change."""

    shared: int
    changes: tuple[Change, ...]

    @property
    def clear(self) -> tuple[Change, ...]:
        """The changes whose range leaves out zero."""
        return tuple(change for change in self.changes if change.verdict != "unclear")


@dataclass(frozen=True)
class Group:
    """A table: figures that belong together, and its rows."""

    title: str
    figures: tuple[Figure, ...]
    systems: tuple[System, ...]


@dataclass(frozen=True)
class Standing:
    """Everything a report says of one set."""

    dataset: Dataset
    systems: tuple[System, ...]
    comparison: Comparison | None

    @property
    def runs(self) -> tuple[System, ...]:
        """The rows that are runs."""
        return tuple(system for system in self.systems if system.is_run)

    @property
    def headline(self) -> Figure:
        """The figure that stands for the set."""
        return self.dataset.scorer.headline_figure

    @property
    def best_baseline(self) -> System | None:
        """The baseline with the highest headline figure, of those that answer for themselves."""
        alone = [one for one in self.systems if not one.is_run and not one.relabels]
        known = [one for one in alone if one.estimates[self.headline.name].value is not None]
        return max(known, key=lambda one: one.estimates[self.headline.name].value or 0.0, default=None)

    def groups(self) -> Iterator["Group"]:
        """The figures that some row has, by the group they stand in, with the rows that say something of them."""
        figures = [figure for figure in figures_of(self.dataset) if self._says_something(figure)]
        order = list(dict.fromkeys(figure.group for figure in figures))
        for group, members in groupby(sorted(figures, key=lambda figure: order.index(figure.group)), lambda one: one.group):
            columns = tuple(members)
            yield Group(group, columns, tuple(system for system in self.systems if system.tells_more(columns)))

    def _says_something(self, figure: Figure) -> bool:
        values = [system.estimates[figure.name].value for system in self.systems]
        # What costs nothing in every row (baselines only) is not worth a column.
        return any(value is not None for value in values) and (not figure.group.startswith(COST) or any(values))


def standings(runs: Sequence[RunResult]) -> list[Standing]:
    """The standing of each set that some run has answers to, compared from the first run to the last."""
    lettered = dict(zip(LETTERS, runs, strict=False))
    names = dict.fromkeys(name for run in runs for name, result in run.sets.items() if result.scored)
    return [
        _standing(name, {letter: run for letter, run in lettered.items() if name in run.sets and run.sets[name].scored})
        for name in names
    ]


def _standing(name: str, runs: Mapping[str, RunResult]) -> Standing:
    rows = [_system(run.info.label, run.sets[name], letter) for letter, run in runs.items()]
    for row, run in zip(tuple(rows), runs.values(), strict=True):
        # A baseline's own claims relabelled are no news.
        if not run.info.is_baseline:
            rows += [
                _system(f"{row.letter}’s claims, {_words(one)}", result, relabels=row)
                for one, result in relabelled_results(row.result).items()
            ]
    widest = max((row.result for row in rows), key=lambda result: len(result.answered))
    labels = {run.info.label for run in runs.values()}
    missing = [one for one in BASELINES if one not in RELABELLINGS and _words(one) not in labels]
    rows += [_system(_words(one), result) for one, result in baseline_results(widest, missing).items()]
    first, *others = runs.values()
    compared = compare_sets(first.sets[name], others[-1].sets[name]) if others else None
    return Standing(widest.dataset, tuple(rows), compared)


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""One for each run of a report."""


def compare_sets(before: SetResult, after: SetResult) -> Comparison:
    """Every figure's change from one result to another on the same set."""
    shared, found = compare(before, after)
    figures = figures_of(before.dataset)
    changes = [Change(figure, found[figure.name]) for figure in figures if figure.name in found]
    return Comparison(shared, tuple(change for change in changes if change.difference.gain.value is not None))


def _system(label: str, result: SetResult, letter: str = "", relabels: System | None = None) -> System:
    return System(label, letter, result, estimate(result), relabels)


def _words(name: str) -> str:
    return name.replace("_", " ")


def written(value: float | None, unit: Unit, *, signed: bool = False) -> str:
    """A figure's value for reading; percentages without their sign."""
    if value is None:
        return "–"
    shown = 100 * value if unit is Unit.PERCENT else value
    digits = 0 if unit is Unit.NUMBER and abs(shown) >= _WHOLE_FROM else 2 if unit is Unit.SECONDS else 1
    text = f"{shown:+.{digits}f}" if signed else f"{shown:.{digits}f}"
    return text.replace("-", "−")


def written_range(estimate: Estimate, unit: Unit, *, signed: bool = False) -> str:
    """The range of an estimate for reading; empty when it has none."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{written(estimate.low, unit, signed=signed)} … {written(estimate.high, unit, signed=signed)}"


def comparison_summary(comparison: Comparison) -> dict[str, Any]:
    """A comparison as plain values for programs: shares as fractions, None where undefined."""
    return {
        "articles": comparison.shared,
        "figures": {
            change.figure.name: {
                "before": change.difference.before,
                "after": change.difference.after,
                "gain": asdict(change.difference.gain),
                "verdict": change.verdict,
            }
            for change in comparison.changes
        },
    }
