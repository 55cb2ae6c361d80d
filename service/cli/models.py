"""`factcheck models`: which models the embedded engine can serve, and their weights on this disk."""

import sys
from typing import Any

import click

from service.cli.effects import Effects, echo_json, stderr_console
from service.cli.progress import BarProgress
from service.cli.tables import aligned
from service.llm.catalogue import Catalogue, Entry, load, resolve
from service.llm.download import stored
from service.settings import Settings


@click.group()
def models() -> None:
    """The models the service can run by itself."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_models(effects: Effects, *, as_json: bool) -> None:
    """List the catalogue and what of it is on this disk."""
    settings, catalogue = effects.settings(), load()
    rows = [_row(entry, catalogue, settings) for entry in catalogue.entries.values()]
    if as_json:
        echo_json(rows, pretty=effects.is_terminal(sys.stdout))
        return
    click.echo("\n".join(aligned([_HEAD, *map(_cells, rows)])))


@models.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.pass_obj
def pull(effects: Effects, names: tuple[str, ...]) -> None:
    """Fetch and verify weights, and print where they are.

    Without a NAME, those of the model that the embedded engine would serve.
    """
    settings, catalogue = effects.settings(), load()
    progress = BarProgress(stderr_console())
    asked = names or (settings.model if settings.embedded else None,)
    for entry in [resolve(name, catalogue, settings.model_dir) for name in asked]:
        click.echo(str(effects.fetch(entry, settings.model_dir, settings.hub_url, progress)))


@models.command()
@click.argument("name")
@click.pass_obj
def path(effects: Effects, name: str) -> None:
    """Print where the weights of model NAME are; exit status 1 when they are not on this disk."""
    settings = effects.settings()
    entry = resolve(name, load(), settings.model_dir)
    if not stored(entry, settings.model_dir):
        click.echo(f"{entry.name} is not on this disk; `factcheck models pull {entry.name}` fetches it", err=True)
        raise click.exceptions.Exit(1)
    click.echo(str(entry.local or settings.model_dir / entry.file))


_HEAD = ("NAME", "SIZE", "CONTEXT", "LICENCE", "ON DISK", "TITLE")


def _row(entry: Entry, catalogue: Catalogue, settings: Settings) -> dict[str, Any]:
    return {
        "name": entry.name,
        "title": entry.title,
        "licence": entry.licence,
        "size_bytes": entry.size_bytes,
        "sha256": entry.sha256,
        "context_tokens": entry.context_tokens,
        "memory_bytes": entry.memory_bytes,
        "trial": entry.trial,
        "default": entry.name == catalogue.default,
        "stored": stored(entry, settings.model_dir),
    }


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    notes = [word for word in ("default", "trial") if row[word]]
    return (
        row["name"],
        f"{row['size_bytes'] / 1e6:,.0f} MB",
        f"{row['context_tokens']:,}",
        row["licence"],
        "yes" if row["stored"] else "no",
        row["title"] + (f" ({', '.join(notes)})" if notes else ""),
    )
