"""How far a long step is, shown on a terminal and nowhere else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


class BarProgress:
    """The `Progress` of the model download as a bar on `console`; nothing when that is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Progress | None = None

    def start(self, title: str, total_bytes: int) -> None:
        """Show a new bar; 0 bytes show one without an end."""
        self.done()
        columns = (TextColumn("{task.description}", markup=False), BarColumn())
        counts = (DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()) if total_bytes else ()
        self._bar = Progress(*columns, *counts, console=self._console, transient=True, disable=not self._console.is_terminal)
        self._bar.add_task(title, total=total_bytes or None)
        self._bar.start()

    def advance(self, size_bytes: int) -> None:
        """Move the bar on."""
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0], size_bytes)

    def done(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


@contextmanager
def waiting(console: Console, what: str) -> Iterator[Callable[[str], None]]:
    """Shows that something goes on, and for how long; gives a function that changes the words."""
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task(what, total=None)
        yield lambda words: shown.update(task, description=words)
