"""`factcheck analyze`: the claims of articles in files, found in this process without any server."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from service.cli.articles import STDIN, Asked, read_article
from service.cli.effects import Effects, stderr_console
from service.cli.failures import describe
from service.cli.output import FORMAT_NAMES, JSON, TABLE, Output, chosen_output
from service.cli.progress import BarProgress, waiting
from service.cli.tables import one_line
from service.deadline import Deadline
from service.domain import Analysis
from service.errors import DeadlineExceededError, FactCheckError, ModelError, RequestError
from service.pipeline.analyze import Services, analyze, choose
from service.pipeline.fallback import first_answer
from service.prompting import Prompt
from service.settings import Settings
from service.web.schemas import MAX_CLAIMS, AnalyzeRequest

EXIT_FAILED = 1
_LOG_LEVEL = "FACTCHECK_LOG_LEVEL"
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("analyze")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--json/--table", "as_json", default=None, help="How to print; by default a table on a terminal, else JSON.")
@click.option(
    "--format", "format_name", type=click.Choice(FORMAT_NAMES), help="How to print: these, or any form Accept can ask for."
)
@click.option(
    "--output", type=_FILE, help="File to write instead of stdout; its ending chooses the form, unless --format does."
)
@click.option("--prompt", metavar="REF", help="Prompt to use, such as extract_claims@1; by default the active one.")
@click.option("--model", metavar="NAME", help="Model to ask, instead of FACTCHECK_MODEL.")
@click.option("--title", help="Title of the article.")
@click.option("--language", metavar="TAG", help="Language of the articles (BCP 47); by default it is detected.")
@click.option("--max-claims", type=click.IntRange(1, MAX_CLAIMS), help="List no more claims of an article than this.")
@click.option("--min-check-worthiness", type=click.FloatRange(0, 1), default=0.0, help="Leave out claims below this, 0 to 1.")
@click.option("--drafts", is_flag=True, help="Allow prompts that are not sealed.")
@click.pass_obj
def analyze_command(
    effects: Effects, /, files: tuple[str, ...], *, output: Path | None, model: str | None, drafts: bool, **options: Any
) -> None:
    """Find the claims in each FILE; - is standard input.

    JSON comes as one object for each file, with its name, on a line of its own.
    """
    asked = _format_asked(options.pop("as_json"), options.pop("format_name"))
    shown = chosen_output(asked, output, many=len(files) > 1, on_terminal=effects.is_terminal(sys.stdout))
    if options["title"] is not None and len(files) > 1:
        raise click.UsageError("--title goes with one FILE only")
    if files.count(STDIN) > 1:
        raise click.UsageError("standard input (-) can be read only once")
    settings = effects.settings()
    settings = replace(settings, model=model or settings.model)
    # Log lines are for whoever runs a service; at a terminal they come when asked for by name.
    effects.configure_logs(settings.log_level if effects.environ.get(_LOG_LEVEL) else "error")
    # What cannot be read is told before anything is fetched or loaded.
    articles = list(_readable(files, Asked(**options), settings.max_article_chars))
    done = _analyze_all(articles, effects, settings, shown, drafts=drafts) if articles else 0
    shown.done()
    if done < len(files):
        raise click.exceptions.Exit(EXIT_FAILED)


@dataclass(frozen=True)
class _Named:
    """A request and the file its article came from."""

    name: str
    request: AnalyzeRequest


def _format_asked(as_json: bool | None, name: str | None) -> str | None:  # noqa: FBT001 - a flag of three values
    """The form that --json, --table and --format ask for; None when none of them does."""
    flag = None if as_json is None else JSON if as_json else TABLE
    if flag and name and flag != name:
        raise click.UsageError(f"--{flag} goes without --format {name}")
    return name or flag


def _readable(files: Sequence[str], asked: Asked, max_chars: int) -> Iterator[_Named]:
    """The articles that can be analysed; of the others, the problem is told."""
    for name in files:
        try:
            yield _Named(name, read_article(name, asked, max_chars))
        except RequestError as error:
            _tell(name, error)


def _analyze_all(articles: Sequence[_Named], effects: Effects, settings: Settings, output: Output, *, drafts: bool) -> int:
    """How many of the articles were analysed and printed; of the others, the problem is told."""
    done = 0
    console = stderr_console()
    with closing(effects.build_services(settings, progress=BarProgress(console), drafts=drafts)) as services:
        choose(articles[0].request.prompt, services)  # an unknown one is told once, not for each file
        for article in articles:
            deadline = Deadline.after(settings.deadline_s, services.clock)
            try:
                with waiting(console, f"reading {one_line(article.name)} …"):
                    request = article.request
                    analysis = first_answer(request.prompt, services, deadline, partial(_ask, request))
            except (RequestError, ModelError, DeadlineExceededError) as error:
                _tell(article.name, error)
                continue
            output.show(article.name, article.request.article.text, analysis)
            done += 1
    return done


def _ask(request: AnalyzeRequest, prompt: Prompt, services: Services, deadline: Deadline) -> Analysis:
    return analyze(request.article, request.options, prompt, services, deadline)


def _tell(name: str, error: FactCheckError) -> None:
    click.echo(f"{one_line(name)}: {describe(error)}", err=True)
