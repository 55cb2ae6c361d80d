"""`factcheck eval`: run prompts and models over labelled sets, compare runs, write reports."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from evals.baselines import BASELINES
from evals.datasets import DATASETS, data_folder
from evals.judging import JudgePlan, judge_run
from evals.results import RunResult, estimate, figures_of, load_runs, read_items
from evals.running import Plan, Recordings, Runner
from evals.scores.intrinsic import FIGURES as INTRINSIC
from evals.scores.judged import FIGURES as JUDGED
from evals.standings import Comparison, compare_sets, comparison_summary, written, written_range
from service.cli.effects import Effects, echo_json
from service.cli.tables import aligned
from service.domain import Options
from service.errors import ModelError, SetupError
from service.web.schemas import MAX_CLAIMS

EXIT_FAILED = 1
_FOLDER = click.Path(file_okay=False, path_type=Path)
_RUN = click.Path(file_okay=False, exists=True, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group("eval")
def evals() -> None:
    """Measure prompts and models on labelled articles.

    FACTCHECK_DATA names the folder of the labelled sets.
    """


@evals.command("sets")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def sets_command(effects: Effects, *, as_json: bool) -> None:
    """List the labelled sets, and which of them are there."""
    data = data_folder(effects.environ)
    listed: list[dict[str, Any]] = [
        {
            "name": one.name,
            "articles": len(read_items(one, data)) if (data / one.file).exists() else None,
            "labels": one.labels,
            "licence": one.licence,
            "private": one.private,
        }
        for one in DATASETS.values()
    ]
    if as_json:
        echo_json(listed, pretty=effects.is_terminal(sys.stdout))
        return
    rows = [
        (
            one["name"],
            "missing" if one["articles"] is None else str(one["articles"]),
            one["labels"],
            f"{one['licence']}{' (private)' if one['private'] else ''}",
        )
        for one in listed
    ]
    click.echo("\n".join(aligned([("SET", "ARTICLES", "LABELS", "LICENCE"), *rows])))


@evals.command("run")
@click.option("--set", "sets", multiple=True, required=True, metavar="NAME[=FILE]", help="Set to run on; repeat for more.")
@click.option("--out", required=True, type=_FOLDER, help="Folder for the run folders; a run in it is gone on with.")
@click.option("--prompt", "prompts", multiple=True, metavar="REF", help="Prompt; repeat for more. By default the active one.")
@click.option("--model", "models", multiple=True, metavar="NAME", help="Model, instead of FACTCHECK_MODEL; repeat for more.")
@click.option("--baseline", "baselines", multiple=True, type=click.Choice(list(BASELINES)), help="Baseline instead of a model.")
@click.option("--limit", type=click.IntRange(1), help="No more articles of a set than this.")
@click.option("--workers", type=click.IntRange(1, 64), help="Articles at a time; by default 4, the embedded engine 1.")
@click.option("--max-claims", type=click.IntRange(1, MAX_CLAIMS), help="List no more claims of an article than this.")
@click.option("--min-check-worthiness", type=click.FloatRange(0, 1), default=0.0, help="Leave out claims below this, 0 to 1.")
@click.option("--keep-failed", is_flag=True, help="Do not try again what failed before.")
@click.option("--drafts", is_flag=True, help="Allow prompts that are not sealed.")
@click.option("--record", type=_FOLDER, help="Keep the model's replies in this folder.")
@click.option("--replay", type=_FOLDER, help="Take the model's replies from this folder; no model is needed.")
@click.pass_obj
def run_command(effects: Effects, /, sets: tuple[str, ...], baselines: tuple[str, ...], **given: Any) -> None:
    """Answer the articles of each set, and keep the answers.

    The folder of each run is printed as it is done. A run that was stopped goes on where it was.
    """
    _check_together(baselines, given)
    data = data_folder(effects.environ)
    plan = Plan(
        sets=[_named_set(name) for name in sets],
        out=given["out"],
        prompts=given["prompts"] or (None,),
        models=given["models"] or (None,),
        options=Options(max_claims=given["max_claims"], min_check_worthiness=given["min_check_worthiness"]),
        limit=given["limit"],
        workers=given["workers"],
        retry_failed=not given["keep_failed"],
        drafts=given["drafts"],
        recordings=Recordings(given["record"], given["replay"]),
    )
    effects.configure_logs("error")
    runner = Runner(effects, plan, data)
    folders: dict[Path, None] = {}
    try:
        for folder in runner.baselines(baselines) if baselines else runner.models():
            click.echo(str(folder))
            folders[folder] = None  # two refs may name one prompt
    except ModelError as error:
        click.echo(f"{error.code}: {error}", err=True)
        raise click.exceptions.Exit(EXIT_FAILED) from error
    results = load_runs(list(folders), data)
    click.echo(
        "\n".join([*_summary_lines(results), "", *_figure_lines(results, [figure.name for figure in INTRINSIC])]), err=True
    )
    if any(result.failed for run in results for result in run.sets.values()):
        raise click.exceptions.Exit(EXIT_FAILED)


def _check_together(baselines: Sequence[str], given: Mapping[str, Any]) -> None:
    model_options = [name for name in ("prompts", "models", "record", "replay") if given[name]]
    if baselines and model_options:
        raise click.UsageError("--baseline goes without --prompt, --model, --record and --replay")
    _check_recordings(given["record"], given["replay"], given["models"])


def _check_recordings(record: Path | None, replay: Path | None, models: Sequence[str]) -> None:
    if record and replay:
        raise click.UsageError("--record goes without --replay")
    if replay and models:
        raise click.UsageError("--replay goes without --model: the recordings say whose they are")
    if record and len(models) > 1:
        raise click.UsageError("--record goes with one --model only")


def _named_set(given: str) -> tuple[str, str | None]:
    """The name of a set and the file to read instead of its usual one, if one is given."""
    name, _, file = given.partition("=")
    if name not in DATASETS:
        raise click.UsageError(f"no such set: {name}; there is: {', '.join(DATASETS)}")
    return name, str(Path(file).resolve()) if file else None


def _summary_lines(runs: Sequence[RunResult]) -> list[str]:
    rows = [("RUN", "SET", "ANSWERED", "FAILED", "HEADLINE", "", "90 % RANGE")]
    for run in runs:
        for name, result in run.sets.items():
            figure = result.dataset.scorer.headline_figure
            found = estimate(result)[figure.name]
            shown = (figure.title, written(found.value, figure.unit), written_range(found, figure.unit))
            rows.append((run.info.label, name, str(len(result.answered)), str(result.failed), *shown))
    return aligned(rows)


def _figure_lines(runs: Sequence[RunResult], names: Sequence[str]) -> list[str]:
    """A row for each figure of these names that a run has on a set."""
    rows = [("RUN", "SET", "FIGURE", "", "90 % RANGE")]
    for run in runs:
        for name, result in run.sets.items():
            found = estimate(result)
            for figure in figures_of(result.dataset):
                if figure.name in names and found[figure.name].value is not None:
                    shown = (written(found[figure.name].value, figure.unit), written_range(found[figure.name], figure.unit))
                    rows.append((run.info.label, name, f"{figure.group}: {figure.title}", *shown))
    return aligned(rows)


@evals.command("judge")
@click.argument("run", type=_RUN)
@click.option("--prompt", metavar="REF", help="Version of judge_same_claim; by default the active one.")
@click.option("--model", metavar="NAME", help="Model to judge, instead of FACTCHECK_MODEL.")
@click.option("--workers", type=click.IntRange(1, 64), help="Articles at a time; by default 4, the embedded engine 1.")
@click.option("--keep-failed", is_flag=True, help="Do not try again what failed before.")
@click.option("--drafts", is_flag=True, help="Allow prompts that are not sealed.")
@click.option("--record", type=_FOLDER, help="Keep the model's replies in this folder.")
@click.option("--replay", type=_FOLDER, help="Take the model's replies from this folder; no model is needed.")
@click.pass_obj
def judge_command(effects: Effects, /, run: Path, *, record: Path | None, replay: Path | None, **given: Any) -> None:
    """Ask a model whether the claims that RUN found say the same as the annotated ones.

    What it says is kept in RUN's folder and stands in its figures from then on. A judging that was stopped goes on where
    it was.
    """
    _check_recordings(record, replay, [given["model"]] if given["model"] else [])
    effects.configure_logs("error")
    data = data_folder(effects.environ)
    plan = JudgePlan(
        prompt=given["prompt"],
        model=given["model"],
        workers=given["workers"],
        retry_failed=not given["keep_failed"],
        drafts=given["drafts"],
        recordings=Recordings(record, replay),
    )
    try:
        outcomes = judge_run(effects, run, data, plan)
    except ModelError as error:
        click.echo(f"{error.code}: {error}", err=True)
        raise click.exceptions.Exit(EXIT_FAILED) from error
    (judged,) = load_runs([run], data)
    click.echo("\n".join(_figure_lines([judged], [figure.name for figure in JUDGED])))
    if any(outcome.failure for outcome in outcomes):
        raise click.exceptions.Exit(EXIT_FAILED)


@evals.command("compare")
@click.argument("before", type=_RUN)
@click.argument("after", type=_RUN)
@click.option("--clear", is_flag=True, help="Only figures whose change is clear.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def compare_command(effects: Effects, before: Path, after: Path, *, clear: bool, as_json: bool) -> None:
    """Show what each figure gained from run BEFORE to run AFTER, on the articles both answered."""
    one, two = load_runs([before, after], data_folder(effects.environ))
    shared = [name for name in one.sets if name in two.sets]
    compared = {name: compare_sets(one.sets[name], two.sets[name]) for name in shared}
    if as_json:
        echo_json({name: comparison_summary(it) for name, it in compared.items()}, pretty=effects.is_terminal(sys.stdout))
        return
    click.echo(f"from {one.info.label} to {two.info.label}", err=True)
    rows = [row for name, it in compared.items() for row in _comparison_rows(name, it, clear=clear)]
    click.echo("\n".join(aligned([("SET", "FIGURE", "BEFORE", "AFTER", "CHANGE", "90 % RANGE", ""), *rows])))


def _comparison_rows(name: str, comparison: Comparison, *, clear: bool) -> list[tuple[str, ...]]:
    return [
        (
            name,
            f"{change.figure.group}: {change.figure.title}",
            written(change.difference.before, change.figure.unit),
            written(change.difference.after, change.figure.unit),
            written(change.difference.gain.value, change.figure.unit, signed=True),
            written_range(change.difference.gain, change.figure.unit, signed=True),
            "" if change.verdict == "unclear" else change.verdict,
        )
        for change in (comparison.clear if clear else comparison.changes)
    ]


@evals.command("report")
@click.argument("runs", type=_RUN, nargs=-1, required=True, metavar="RUN...")
@click.option("--out", required=True, type=_FILE, help="HTML file to write.")
@click.option("--json", "json_file", type=_FILE, help="JSON file to write the same figures to.")
@click.option("--articles", type=click.IntRange(0), default=40, show_default=True, help="Articles to list of a set.")
@click.pass_obj
def report_command(effects: Effects, runs: tuple[Path, ...], out: Path, json_file: Path | None, articles: int) -> None:
    """Write a page about each RUN: figures, plots, and the answers article by article.

    Of several runs, the first is compared with the last. The page is one file that loads nothing and runs no script.
    """
    from evals.report import render_html, summary  # noqa: PLC0415 - a second of matplotlib that other commands do without

    loaded = load_runs(runs, data_folder(effects.environ))
    _save(out, render_html(loaded, most_articles=articles))
    if json_file:
        _save(json_file, json.dumps(summary(loaded), ensure_ascii=False, allow_nan=False, indent=1) + "\n")
    click.echo(str(out))


def _save(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}") from error
