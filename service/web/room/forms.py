"""The page's form as browsers send it, read as the JSON it stands for, so that it is held to the same rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from flask import Request
from werkzeug.formparser import FormDataParser

from service.errors import Fault, InvalidEncodingError, InvalidRequestError, UnsupportedMediaTypeError
from service.web.reading import read_body

MULTIPART = "multipart/form-data"
_URL_ENCODED = "application/x-www-form-urlencoded"
_SAME = frozenset({"same-origin", "none"})
_MOST_PARTS = 40
_ARTICLE = ("url", "title", "language")
_OTHER = ("text", "prompt", "max_claims", "min_check_worthiness", "as")
_CHECKED = ("allow_partial", "store")


@dataclass(frozen=True)
class Given:
    """What somebody wrote into the form, to be shown again; `file` is the words of a file they chose."""

    fields: Mapping[str, str] = field(default_factory=dict)
    file: str | None = None
    page: bool = False

    def __getattr__(self, name: str) -> str:
        """The field of that name, empty where nothing was written into it."""
        if name not in {*_ARTICLE, *_OTHER, *_CHECKED}:
            raise AttributeError(name)
        return self.fields.get(name, "")

    @property
    def form(self) -> str:
        """The form of the answer that is asked for; empty for the page."""
        return self.fields.get("as", "")

    @property
    def opened(self) -> bool:
        """Whether one of the fields that are folded away was used."""
        return any(self.fields.get(name) for name in {*_ARTICLE, *_OTHER, *_CHECKED} - {"text", "url"})

    def document(self) -> dict[str, Any]:
        """The JSON body of `POST /analyze` that says the same."""
        article: dict[str, Any] = {name: self.fields[name].strip() for name in _ARTICLE if self.fields.get(name, "").strip()}
        if self.file is not None:
            article["html" if self.page else "text"] = self.file
        elif self.text.strip() or "url" not in article:
            article["text"] = self.text
        options: dict[str, Any] = {name: _number(self.fields[name]) for name in _NUMBERS if self.fields.get(name, "").strip()}
        options |= {name: True for name in _CHECKED if self.fields.get(name)}
        document: dict[str, Any] = {"article": article, "options": options}
        if self.prompt:
            document["prompt"] = self.prompt
        return document


_NUMBERS = ("max_claims", "min_check_worthiness")


def _number(written: str) -> Any:
    """The number that was written; what is none is handed on, to be refused with all else that is wrong."""
    try:
        return int(written)
    except ValueError:
        pass
    try:
        return float(written)
    except ValueError:
        return written


def read_form(request: Request, max_bytes: int) -> Given:
    """What is in the form.

    A page of another site may not send it: nobody would have asked for what it costs.
    Raises: UnsupportedMediaTypeError, InvalidRequestError, InvalidEncodingError; what `read_body` does.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in _SAME:
        raise InvalidRequestError(
            "The form was sent from a page of another site: open this service's own page.",
            [Fault("", "A form is taken from this service's own page only.")],
        )
    if request.mimetype not in {MULTIPART, _URL_ENCODED}:
        raise UnsupportedMediaTypeError(f"A form is read as {MULTIPART}; send JSON to /analyze.")
    body = read_body(request, max_bytes)
    # A file stays in memory: an article that is nobody's business yet must not lie on a disk.
    parser = FormDataParser(lambda *_, **__: BytesIO(), None, max_form_parts=_MOST_PARTS, silent=False)
    try:
        _, fields, files = parser.parse(BytesIO(body), request.mimetype, len(body), request.mimetype_params)
    except ValueError as error:
        raise InvalidRequestError(
            "The form cannot be read.", [Fault("", f"The body is no form of type {request.mimetype}.")]
        ) from error
    # A browser sends every line end of a text field as CRLF, whatever it was before; a file comes as it is.
    given = {name: value.replace("\r\n", "\n") for name, value in fields.items()}
    file = files.get("file")
    content = file.read() if file else b""
    if file is None or not content:
        return Given(given)
    try:
        words = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidEncodingError(f"The file is not UTF-8 at byte {error.start}: convert it to UTF-8.") from None
    name = (file.filename or "").lower()
    return Given(given, words, page=file.mimetype == "text/html" or name.endswith((".html", ".htm")))
