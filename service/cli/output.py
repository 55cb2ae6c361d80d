"""What `factcheck analyze` does with its answers: a table, JSON, or any export there is; on stdout or in a file."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import click

from service.cli.effects import echo_json, json_text, stdout_console
from service.cli.tables import one_line, render_analysis
from service.domain import Analysis
from service.errors import SetupError
from service.export.formats import FORMATS
from service.export.json_answer import dump_analysis
from service.wholefile import write_whole

TABLE = "table"
JSON = "json"
FORMAT_NAMES = (TABLE, JSON, *(offered.name for offered in FORMATS))

_EXPORTS = {offered.name: offered for offered in FORMATS}
_BY_EXTENSION = {offered.extension: offered.name for offered in FORMATS}
_READABLE_BY_ALL = 0o666
_RULE_ENDS = len("─  ─")
# What a terminal would obey; tabs and line ends are part of the formats.
_STEERING = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)")


@dataclass
class Output:
    """Where answers go, and as what: `name` is one of `FORMAT_NAMES`, `file` None is stdout. `many` are to come."""

    name: str
    file: Path | None
    many: bool
    on_terminal: bool
    _begun: bool = False
    _kept: list[str] = field(default_factory=list)

    def show(self, article: str, text: str, analysis: Analysis) -> None:
        """Nothing; the answer to the article of that name is on stdout, or kept for the file."""
        if self.name == TABLE:
            self._table(article, text, analysis)
        elif self.name != JSON:
            self._put(self._exported(analysis))
        elif self.file is None:
            echo_json(_answer(article, analysis), pretty=self.on_terminal and not self.many)
        else:
            self._put(json_text(_answer(article, analysis), pretty=False, ascii_only=False) + "\n")

    def done(self) -> None:
        """Nothing; what was kept is in the file, whole. Without any answer the file is left as it was.

        Raises: SetupError.
        """
        if self.file is None or not self._kept:
            return
        data = "".join(self._kept).encode("utf-8")
        try:
            file = self.file.resolve()
            if file.exists() and not file.is_file():
                # A pipe or a device is written to, not put aside.
                file.write_bytes(data)
            else:
                write_whole(file, data, mode=_READABLE_BY_ALL)
        except OSError as error:
            raise SetupError(f"{self.file} cannot be written: {error.strerror}") from error

    def _table(self, article: str, text: str, analysis: Analysis) -> None:
        console = stdout_console()
        if self.many:
            console.rule(_end_of(one_line(article), console.width - _RULE_ENDS))
        render_analysis(dump_analysis(analysis, return_text=False), console, text=text)

    def _exported(self, analysis: Analysis) -> str:
        export = _EXPORTS[self.name]
        dumped = export.dump(analysis)
        return export.further(dumped) if self._begun and export.further else dumped

    def _put(self, words: str) -> None:
        self._begun = True
        if self.file is not None:
            self._kept.append(words)
        else:
            shown = _STEERING.sub("\N{REPLACEMENT CHARACTER}", words) if self.on_terminal else words
            # Bytes: the formats say UTF-8, whatever the terminal's encoding, and line ends are theirs.
            click.echo(shown.encode("utf-8"), nl=False)


def _end_of(name: str, width: int) -> str:
    """`name` cut to `width` characters at its start: files are told apart by how their paths end."""
    return name if len(name) <= width else f"…{name[1 - width :]}"


def chosen_output(asked: str | None, file: Path | None, *, many: bool, on_terminal: bool) -> Output:
    """The output asked for. By default the ending of `file` chooses; on a terminal it is a table, else JSON.

    Raises: click.UsageError for what does not go together.
    """
    usual = TABLE if on_terminal else JSON
    name = asked or (usual if file is None else _BY_EXTENSION.get(file.suffix.lower(), JSON))
    if file is not None and name == TABLE:
        raise click.UsageError("a table goes to a terminal; choose another --format for --output")
    if file is not None and not file.absolute().parent.is_dir():
        raise click.UsageError(f"--output: there is no folder {file.parent}")
    if many and name in _EXPORTS and _EXPORTS[name].further is None:
        raise click.UsageError(f"--format {name} goes with one FILE only")
    return Output(name, file, many, on_terminal)


def _answer(article: str, analysis: Analysis) -> dict[str, object]:
    return {"file": article, **dump_analysis(analysis, return_text=False)}
