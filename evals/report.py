"""A report of one or more runs: one HTML file that fetches nothing and runs no script, and the same figures as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from evals.bootstrap import CONFIDENCE, RESAMPLES
from evals.plots import RUN_COLOURS, plots_of
from evals.results import RunResult, figures_of
from evals.side_by_side import ArticleShown, articles_shown
from evals.standings import LETTERS, Standing, comparison_summary, standings, written, written_range

TEMPLATES = Path(__file__).parent / "templates"


def render_html(runs: Sequence[RunResult], *, most_articles: int) -> str:
    """The page. Of two or more runs the first is compared with the last. Everything from outside is escaped."""
    found = standings(runs)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(written=written, written_range=written_range, colours=RUN_COLOURS, letters=LETTERS)
    template = environment.get_template("report.html")
    return template.render(
        runs=runs,
        private=[one.dataset.name for one in found if one.dataset.private],
        sections=[_section(one, runs, most_articles) for one in found],
        confidence=round(100 * CONFIDENCE),
        resamples=RESAMPLES,
        style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
    )


def _section(standing: Standing, runs: Sequence[RunResult], most_articles: int) -> dict[str, Any]:
    results = [run.sets[standing.dataset.name] for run in runs if standing.dataset.name in run.sets]
    chosen = [results[0], results[-1]] if len(results) > 1 else results
    articles, hidden = articles_shown(chosen, most_articles)
    sides = [standing.runs[0], standing.runs[-1]][: len(chosen)]
    return {
        "standing": standing,
        "groups": list(standing.groups()),
        "plots": [(plot.title, Markup(plot.svg)) for plot in plots_of(standing)],  # noqa: S704 - matplotlib escapes its text
        "sides": sides,
        "articles": articles,
        "hidden": hidden,
        "has_gold": _has_gold(articles),
    }


def _has_gold(articles: Sequence[ArticleShown]) -> bool:
    return any(row.gold for article in articles for row in article.rows)


def summary(runs: Sequence[RunResult]) -> dict[str, Any]:
    """The figures of the page as plain values for programs: shares as fractions, None where undefined."""
    found = standings(runs)
    return {
        "confidence": CONFIDENCE,
        "resamples": RESAMPLES,
        "runs": [
            {
                "label": run.info.label,
                "prompt": run.info.asked.prompt,
                "model": run.info.asked.model,
                "options": dict(run.info.asked.options),
                "service": run.info.service,
            }
            for run in runs
        ],
        "sets": {one.dataset.name: _set_summary(one) for one in found},
    }


def _set_summary(standing: Standing) -> dict[str, Any]:
    return {
        "systems": [
            {
                "label": system.label,
                "run": system.letter or None,
                "answered": len(system.result.answered),
                "failed": dict(system.result.failures),
                "figures": {name: asdict(one) for name, one in system.estimates.items()},
            }
            for system in standing.systems
        ],
        "units": {figure.name: figure.unit.value for figure in figures_of(standing.dataset)},
        "comparison": comparison_summary(standing.comparison) if standing.comparison else None,
    }
