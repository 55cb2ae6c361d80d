"""Articles from files and standard input, read and checked by the rules that hold for requests."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.errors import (
    ArticleTooLongError,
    EmptyBodyError,
    Fault,
    InvalidEncodingError,
    InvalidRequestError,
    RequestError,
)
from service.web.schemas import AnalyzeRequest, load_request

STDIN = "-"
_MAX_BYTES_PER_CHAR = 4
_OPTION_OF_FIELD = {
    "/article/title": "--title",
    "/article/language": "--language",
    "/prompt": "--prompt",
    "/options/max_claims": "--max-claims",
    "/options/min_check_worthiness": "--min-check-worthiness",
}


@dataclass(frozen=True)
class Asked:
    """What the options say of each article."""

    title: str | None = None
    language: str | None = None
    prompt: str | None = None
    max_claims: int | None = None
    min_check_worthiness: float = 0.0

    def document(self, text: str) -> dict[str, Any]:
        """The request that asks the same over HTTP."""
        described = {"title": self.title, "language": self.language}
        return {
            "article": {"text": text, **{name: value for name, value in described.items() if value is not None}},
            "options": {"max_claims": self.max_claims, "min_check_worthiness": self.min_check_worthiness},
            "prompt": self.prompt,
        }


def read_article(name: str, asked: Asked, max_chars: int) -> AnalyzeRequest:
    """What is asked of the article in the file `name`; `-` is standard input. The text is taken as it is.

    Raises: RequestError, which never quotes the article.
    """
    data = _read(name, max_chars * _MAX_BYTES_PER_CHAR)
    if not data:
        raise EmptyBodyError("The article is empty: there is nothing to analyse.")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidEncodingError(f"The article is not UTF-8 at byte {error.start}: convert it to UTF-8.") from None
    try:
        return load_request(_without_nulls(asked.document(text)), max_chars)
    except InvalidRequestError as error:
        raise InvalidRequestError("This has to change:", [_renamed(fault) for fault in error.faults]) from None


def _read(name: str, max_bytes: int) -> bytes:
    try:
        if name == STDIN:
            data = sys.stdin.buffer.read(max_bytes + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(max_bytes + 1)
    except OSError as error:
        raise RequestError(f"The article cannot be read: {error.strerror}.") from error
    if len(data) > max_bytes:
        raise ArticleTooLongError(f"The article has more than {max_bytes} bytes, too many for one analysis.")
    return data


def _without_nulls(document: dict[str, Any]) -> dict[str, Any]:
    """`document` without what is not asked; the schema wants such fields left out."""
    return {
        name: _without_nulls(value) if isinstance(value, dict) else value
        for name, value in document.items()
        if value is not None
    }


def _renamed(fault: Fault) -> Fault:
    """`fault` with the option in place of the field of a request."""
    return Fault(_OPTION_OF_FIELD.get(fault.pointer, "the article"), fault.detail)
