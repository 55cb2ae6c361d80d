"""The plots of a report as inline SVG. Text stays text, nothing is fetched, and the same figures give the same bytes."""

import io
import re
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evals.bootstrap import Estimate
from evals.figures import Better, Unit, cell
from evals.scores.scorer import ConfusionTable
from evals.standings import LETTERS, Change, Standing, System

# Okabe and Ito's colours, told apart by colour-blind readers too.
RUN_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
_BASELINE, _GOLD, _INK, _FAINT = "#7a7a7a", "#c9ced6", "#22262b", "#dfe3e8"
_VERDICT = {"better": "#1a7f37", "worse": "#c0262d", "moved": "#0072B2", "unclear": "#8b929a"}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 9,
    "font.family": "sans-serif",
    "text.color": _INK,
    "axes.edgecolor": "#aab0b8",
    "axes.labelcolor": _INK,
    "xtick.color": "#5a626b",
    "ytick.color": "#5a626b",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}
_MOST_NAMED = 60
_FEW_LABELS = 3
_SLANTED: dict[str, Any] = {"rotation": 30, "ha": "right"}
_METADATA = re.compile(r"<metadata>.*?</metadata>\s*", re.DOTALL)
_OWN_ID = re.compile(r'(\bid="|url\(#|href="#)')


@dataclass(frozen=True)
class Plot:
    """A plot: the words that stand for it, and the SVG element."""

    title: str
    svg: str


def plots_of(standing: Standing) -> list[Plot]:
    """The plots that a set's standing has figures for."""
    drawn = [_gains(standing), _precision_recall(standing), _claims_per_article(standing), _cost(standing)]
    drawn += [_confusion(standing, table) for table in standing.dataset.scorer.tables]
    return [plot for plot in drawn if plot]


def _gains(standing: Standing) -> Plot | None:
    """What each figure in percent gained from the first run to the last, with its range."""
    compared = standing.comparison
    changes = [change for change in compared.changes if change.figure.unit is Unit.PERCENT] if compared else []
    # A figure that cannot move (every slice exact in both runs) only takes room.
    changes = [change for change in changes if change.difference.gain.value or change.difference.clear]
    if not changes:
        return None
    title = f"Change from {standing.runs[0].letter} to {standing.runs[-1].letter}, in points"
    figure, axes = _axes(6.6, 0.9 + 0.24 * len(changes))
    for place, change in enumerate(reversed(changes)):
        _gain(axes, place, change)
    axes.axvline(0, color=_INK, linewidth=0.8)
    axes.set_yticks(range(len(changes)), [_direction(change) for change in reversed(changes)])
    axes.grid(axis="x", color=_FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.margins(y=0.02)
    return _plot(f"{standing.dataset.name}-gains", title, figure)


def _gain(axes: Axes, place: int, change: Change) -> None:
    gain, colour = change.difference.gain, _VERDICT[change.verdict]
    axes.plot(_percent_range(gain), [place, place], color=colour, linewidth=2, solid_capstyle="round")
    axes.plot([100 * (gain.value or 0.0)], [place], "o", color=colour, markersize=4.5)


def _percent_range(estimate: Estimate) -> list[float]:
    """The two ends of a range; both are the value where no draw defines it."""
    ends = (estimate.low, estimate.high)
    return [100 * ((estimate.value if end is None else end) or 0.0) for end in ends]


def _direction(change: Change) -> str:
    lower = " (lower is better)" if change.figure.better is Better.LOWER else ""
    return f"{change.figure.group}: {change.figure.title.removeprefix('… ')}{lower}"


def _precision_recall(standing: Standing) -> Plot | None:
    """Each row's precision against its recall, with lines of equal F1."""
    curve = standing.dataset.scorer.curve
    if curve is None:
        return None
    figure, axes = _axes(4.4, 3.9)
    grid = np.linspace(0.01, 1, 100)
    for level in (0.2, 0.4, 0.6, 0.8):
        recall = np.divide(level * grid, 2 * grid - level, out=np.full(100, np.nan), where=2 * grid > level)
        keep = (recall >= 0) & (recall <= 1)
        axes.plot(100 * recall[keep], 100 * grid[keep], color=_FAINT, linewidth=0.8, zorder=0)
        axes.text(101, 100 * level / (2 - level), f"F1 {100 * level:.0f}", color="#9aa1a9", fontsize=7, va="center")
    for place, system in enumerate(_placed(standing)):
        precision, recall_of = (system.estimates[name] for name in curve)
        if precision.value is None or recall_of.value is None:
            continue
        _point(axes, system, place, (100 * recall_of.value, 100 * precision.value))
        if system.is_run:
            axes.plot([100 * recall_of.value] * 2, _percent_range(precision), color=_colour(system))
            axes.plot(_percent_range(recall_of), [100 * precision.value] * 2, color=_colour(system))
    axes.set(xlim=(0, 100), ylim=(0, 100), xlabel="recall", ylabel="precision")
    return _plot(f"{standing.dataset.name}-pr", "Precision and recall", figure)


def _claims_per_article(standing: Standing) -> Plot:
    """How many claims each article got, beside how many people labelled, articles in the order of the latter."""
    by_run = [
        {name: len(one.answer.claims) for name, one in run.result.answered.items() if one.answer} for run in standing.runs
    ]
    golds = {
        name: len(standing.dataset.scorer.golds(one.item)) for run in standing.runs for name, one in run.result.answered.items()
    }
    names = sorted(golds, key=lambda name: (golds[name], max(counts.get(name, 0) for counts in by_run)))
    figure, axes = _axes(6.6, 2.8)
    if any(golds.values()):
        axes.bar(range(len(names)), [golds[name] for name in names], color=_GOLD, width=0.9)
    for place, (run, counts) in enumerate(zip(standing.runs, by_run, strict=True)):
        points = [(at, counts[name]) for at, name in enumerate(names) if name in counts]
        size = 4.5 if len(names) <= _MOST_NAMED else 2
        axes.plot(
            [at for at, _ in points],
            [count for _, count in points],
            "os^D"[place % 4],
            color=_colour(run),
            # Hollow after the first, so that equal counts show as one in the other.
            markerfacecolor=_colour(run) if place == 0 else "none",
            markersize=size + 1.5 * place,
        )
    axes.set(xlabel=f"{len(names)} articles", ylabel="claims", xticks=[])
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", color=_FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    title = "Claims per article (bars: labelled by people)" if any(golds.values()) else "Claims per article"
    return _plot(f"{standing.dataset.name}-claims", title, figure)


def _cost(standing: Standing) -> Plot | None:
    """The headline figure against tokens and seconds per article; nothing when no row cost anything."""
    if not any(run.estimates["input_tokens"].value or run.estimates["seconds"].value for run in standing.runs):
        return None
    headline = standing.headline
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(6.6, 2.9), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
    for axes, title in zip(panels, ("tokens per article, in and out", "seconds per article"), strict=True):
        for place, system in enumerate(_placed(standing)):
            quality = system.estimates[headline.name]
            cost = _tokens(system) if axes is panels[0] else system.estimates["seconds"].value or 0.0
            if quality.value is None:
                continue
            _point(axes, system, place, (cost, 100 * quality.value))
            if system.is_run:
                axes.plot([cost, cost], _percent_range(quality), color=_colour(system))
        axes.set_xlabel(title)
        axes.set_xlim(left=0)
        axes.grid(color=_FAINT, linewidth=0.6)
        axes.set_axisbelow(True)
    panels[0].set_ylabel(headline.title)
    return _plot(f"{standing.dataset.name}-cost", "Cost against quality", figure)


def _tokens(system: System) -> float:
    return (system.estimates["input_tokens"].value or 0.0) + (system.estimates["output_tokens"].value or 0.0)


def _confusion(standing: Standing, table: ConfusionTable) -> Plot | None:
    """A panel for each run: people's labels down, the run's across, counts in the cells, shares of a row in the shade."""
    runs = [run for run in standing.runs if _counts(run, table).sum()]
    if not runs:
        return None
    side = len(table.labels)
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(1.1 + len(runs) * (0.9 + 0.5 * side), 1.2 + 0.42 * side), layout="constrained")
        panels = figure.subplots(1, len(runs), squeeze=False, sharey=True)[0]
    for axes, run in zip(panels, runs, strict=True):
        counts = _counts(run, table)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        # Cells, not an image: the page loads nothing, not even from itself.
        axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1.15, edgecolors="white", linewidth=1.5)
        for theirs in range(side):
            for ours in range(side):
                dark = shares[theirs, ours] > 0.6  # noqa: PLR2004 - where white reads better than ink
                colour = "white" if dark else _INK
                axes.text(ours + 0.5, theirs + 0.5, f"{counts[theirs, ours]:.0f}", ha="center", va="center", color=colour)
        axes.set_xticks(np.arange(side) + 0.5, table.labels, **(_SLANTED if side > _FEW_LABELS else {}))
        axes.set_yticks(np.arange(side) + 0.5, table.labels)
        axes.set_ylim(side, 0)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        axes.set_xlabel(f"{run.letter} says")
    panels[0].set_ylabel("labelled")
    return _plot(f"{standing.dataset.name}-{table.name}", table.title, figure)


def _counts(run: System, table: ConfusionTable) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    rows = run.result.rows().values()
    return np.array(
        [
            [sum(row.get(cell(table.name, theirs, ours), 0.0) for row in rows) for ours in table.labels]
            for theirs in table.labels
        ]
    )


def _axes(width: float, height: float) -> tuple[Figure, Axes]:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots()


def _placed(standing: Standing) -> list[System]:
    """The rows that have a place of their own; a baseline that relabels a run's claims lies where the run does."""
    return [system for system in standing.systems if not system.relabels]


def _point(axes: Axes, system: System, place: int, at: tuple[float, float]) -> None:
    """A run is a dot in its colour with its letter, a baseline a grey diamond with its name."""
    beside: dict[str, Any] = {"textcoords": "offset points", "annotation_clip": False}
    if system.is_run:
        axes.plot(*at, "o", color=_colour(system), markersize=11, clip_on=False, zorder=3)
        centred: dict[str, Any] = {"ha": "center", "va": "center", "zorder": 4, "fontweight": "bold"}
        axes.annotate(system.letter, at, (0, -0.4), color="white", fontsize=7.5, **centred, **beside)
        return
    axes.plot(*at, "D", color=_BASELINE, markersize=4, clip_on=False)
    # Above, below, above …: names of what lies in one place can still be read.
    axes.annotate(system.label, at, (5, 6 if place % 2 == 0 else -13), color=_BASELINE, fontsize=8, **beside)


def _colour(run: System) -> str:
    return RUN_COLOURS[LETTERS.index(run.letter) % len(RUN_COLOURS)]


def _plot(name: str, title: str, figure: Figure) -> Plot:
    """The figure as an SVG element whose ids are its own, so that many can stand in one page."""
    written_to = io.StringIO()
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure.savefig(written_to, format="svg", metadata={"Date": None})
    svg = _METADATA.sub("", written_to.getvalue())
    svg = _OWN_ID.sub(rf"\g<1>{name}-", svg[svg.index("<svg") :])
    return Plot(title, svg.replace("<svg ", f'<svg role="img" aria-label="{title.replace(chr(34), "")}" ', 1))
