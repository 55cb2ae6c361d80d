"""JSON lines as the sets are stored, and texts put together from labelled pieces."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from evals.items import Item, LabelledSentence, Range, SentenceGold
from service.errors import SetupError

Record = Mapping[str, Any]
ValueT = TypeVar("ValueT")

PART_CHARS = 6_000
"""About a long news article: what is labelled sentence by sentence is read in parts of this size."""


def read_each(path: Path, read: Callable[[Record], ValueT]) -> Iterator[ValueT]:
    """What `read` makes of each line of the file.

    Raises: SetupError naming the file, and the line that is not as it should be.
    """
    for number, record in _numbered(path):
        try:
            value = read(record)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise SetupError(f"{path}: line {number} is not as this set's lines are ({type(error).__name__})") from error
        yield value


def _numbered(path: Path) -> Iterator[tuple[int, Record]]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _record(line, path, number)
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}") from error


def _record(line: str, path: Path, number: int) -> Record:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise SetupError(f"{path}: line {number} holds no JSON object")
    return record


def pair(value: Sequence[int]) -> Range:
    """The range written as a list of two.

    Raises: ValueError when it is none.
    """
    start, end = value
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start <= end):
        raise ValueError("not a range")
    return start, end


def joined(pieces: Iterable[str], separator: str) -> tuple[str, tuple[Range, ...]]:
    """The pieces as one text, and where in it each is."""
    parts: list[str] = []
    spans: list[Range] = []
    at = 0
    for piece in pieces:
        if parts:
            parts.append(separator)
            at += len(separator)
        parts.append(piece)
        spans.append((at, at + len(piece)))
        at += len(piece)
    return "".join(parts), tuple(spans)


Labelled = tuple[str, str, bool]


def sentence_items(
    cluster: str, language: str, sentences: Sequence[Labelled], *, separator: str = " ", part_chars: int = PART_CHARS
) -> Iterator[Item[SentenceGold]]:
    """The sentences (words, label, positive) of one speech or page, in parts of about `part_chars` characters."""
    for number, part in enumerate(_parts(sentences, part_chars), 1):
        text, spans = joined((words for words, _, _ in part), separator)
        gold = SentenceGold(
            tuple(LabelledSentence(span, label, positive) for span, (_, label, positive) in zip(spans, part, strict=True))
        )
        yield Item(f"{cluster}#{number:02d}", text, language, None, gold, cluster)


def _parts(sentences: Sequence[Labelled], part_chars: int) -> Iterator[list[Labelled]]:
    part: list[Labelled] = []
    size = 0
    for sentence in sentences:
        if part and size + len(sentence[0]) > part_chars:
            yield part
            part, size = [], 0
        part.append(sentence)
        size += len(sentence[0]) + 1
    if part:
        yield part
