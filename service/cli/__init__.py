"""The command line: `factcheck`. Data on stdout, words on stderr; exit status 0 done, 1 failed, 2 usage or set-up."""

import os
import sys
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from importlib import import_module
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click

from service.cli.analyze import analyze_command
from service.cli.effects import Effects, echo_json, production
from service.cli.failures import describe
from service.cli.keys import keys
from service.cli.models import models
from service.cli.openapi import openapi_command
from service.cli.prompts import prompts
from service.cli.tables import aligned
from service.errors import RequestError, SetupError
from service.secret_files import SECRET_FILES

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
_OF_THE_ENDPOINT = {"base_url": "OPENAI_BASE_URL", "api_key": "OPENAI_API_KEY"}


class _Cli(click.Group):
    """Commands whose failures end in a sentence and an exit status, never in a traceback."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Nothing; runs the command that the process was started with and ends it."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                # A terminal without some character shows a stand-in; what programs read is ASCII there.
                stream.reconfigure(errors="replace")
        return super().__call__(*args, **{"prog_name": "factcheck", "obj": production(os.environ), **kwargs})

    def invoke(self, ctx: click.Context) -> Any:
        """What the command returns."""
        try:
            return super().invoke(ctx)
        except SetupError as error:
            click.echo(str(error), err=True)
            ctx.exit(EXIT_USAGE)
        except RequestError as error:
            click.echo(describe(error), err=True)
            ctx.exit(EXIT_USAGE)
        except KeyboardInterrupt:
            ctx.exit(EXIT_INTERRUPTED)


@click.group(cls=_Cli, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("factcheck-service"), prog_name="factcheck")
def main() -> None:
    """Find the claims in news articles, who makes each, and who stands where on it."""


@main.command()
@click.option("--host", help="Address to listen on, instead of FACTCHECK_HOST.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on, instead of FACTCHECK_PORT; 0 takes any.")
@click.pass_obj
def serve(effects: Effects, host: str | None, port: int | None) -> None:
    """Answer HTTP requests until told to stop."""
    settings = effects.settings()
    effects.serve(replace(settings, host=host or settings.host, port=settings.port if port is None else port))


@main.command("eval", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def eval_command(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """Measure prompts and models on labelled articles (in a checkout, with what `make test` installs)."""
    try:
        # By name: the service is complete without its evaluation, which has libraries of its own.
        evals = import_module("evals.cli").evals
    except ModuleNotFoundError as error:
        raise SetupError(
            f"the evaluation is not installed here: {error.name} is missing; run `make test` in a checkout"
        ) from error
    ctx.exit(evals.main(list(arguments), "factcheck eval", standalone_mode=False, obj=ctx.obj) or 0)


@main.command("settings")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def settings_command(effects: Effects, *, as_json: bool) -> None:
    """Show the settings in effect, without secrets."""
    shown = _shown(effects.settings())
    if as_json:
        echo_json(shown, pretty=effects.is_terminal(sys.stdout))
        return
    given = {
        name.removesuffix("_FILE") if name in SECRET_FILES else name for name, value in effects.environ.items() if value.strip()
    }
    rows = [
        (name, "(not set)" if value is None else str(value), "" if name in given else "default")
        for name, value in shown.items()
    ]
    click.echo("\n".join(aligned(rows)))


def _shown(settings: Any) -> dict[str, str | int | float | None]:
    """The settings by the name of their variable; of a secret only whether it is set."""
    shown: dict[str, str | int | float | None] = {}
    for field in fields(settings):
        value = getattr(settings, field.name)
        if is_dataclass(value):
            shown |= _shown(value)
            continue
        name = _OF_THE_ENDPOINT.get(field.name, f"FACTCHECK_{field.name.upper()}")
        if not field.repr:
            value = value and "(set)"
        if isinstance(value, tuple):
            value = ",".join(value) or None
        shown[name] = str(value) if isinstance(value, Path | Decimal) else value
    return shown


main.add_command(analyze_command)
main.add_command(keys)
main.add_command(models)
main.add_command(openapi_command)
main.add_command(prompts)
