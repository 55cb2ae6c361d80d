"""What the commands need of the outside world, handed to each as click's context object, so that tests hand in doubles."""

import json
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import click
from rich.console import Console

from service.llm.catalogue import Entry
from service.llm.download import Progress, fetch
from service.logs import configure_logs
from service.pipeline.analyze import Services
from service.prompt_files import find_prompts
from service.settings import Settings, from_environ

# json.dumps leaves these as they are: a terminal obeys the first, and some readers end a line at the others.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029]")


class BuildServices(Protocol):
    """Builds what an analysis needs; `drafts` lets it use prompts that are not sealed."""

    def __call__(self, settings: Settings, *, progress: Progress, drafts: bool) -> Services:
        """The services that `settings` ask for.

        Raises: SetupError.
        """


@dataclass(frozen=True)
class Effects:
    """The environment, and every function of ours that reaches a network, a process, the log or the terminal."""

    environ: Mapping[str, str]
    build_services: BuildServices
    serve: Callable[[Settings], None]
    fetch: Callable[[Entry, Path, str, Progress], Path]
    find_prompts: Callable[[], Path]
    configure_logs: Callable[[str], None]
    is_terminal: Callable[[IO[Any]], bool]
    clock: Callable[[], float] = time.time

    def settings(self) -> Settings:
        """The settings in the environment.

        Raises: SetupError.
        """
        return from_environ(self.environ)


def production(environ: Mapping[str, str]) -> Effects:
    """The effects of a real run."""
    return Effects(
        environ=environ,
        build_services=_build_services,
        serve=_serve,
        fetch=fetch,
        find_prompts=find_prompts,
        configure_logs=configure_logs,
        is_terminal=lambda stream: stream.isatty(),
    )


def _build_services(settings: Settings, *, progress: Progress, drafts: bool) -> Services:
    from service.wiring import build_services  # noqa: PLC0415 - a second of imports that most commands do without

    return build_services(settings, progress=progress, drafts=drafts)


def _serve(settings: Settings) -> None:
    from service.server import serve  # noqa: PLC0415 - a second of imports that most commands do without

    serve(settings)


def stdout_console() -> Console:
    """Where data goes. Colour only on a terminal, or where the usual FORCE_COLOR asks for it."""
    return Console(highlight=False, markup=False, emoji=False)


def stderr_console() -> Console:
    """Where words go."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def echo_json(document: Any, *, pretty: bool) -> None:
    """Nothing; `document` is on stdout, on one line unless `pretty`."""
    utf_8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    click.echo(json_text(document, pretty=pretty, ascii_only=not utf_8))


def json_text(document: Any, *, pretty: bool, ascii_only: bool) -> str:
    """`document` as JSON that steers no terminal, on one line unless `pretty`."""
    text = json.dumps(
        document,
        ensure_ascii=ascii_only,
        allow_nan=False,
        indent=2 if pretty else None,
        separators=None if pretty else (",", ":"),
    )
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
