"""From the bytes of an HTTP request to the analysis it asks for, refusing what cannot be taken before any work is done."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from flask import Request
from marshmallow import ValidationError
from werkzeug import exceptions
from werkzeug.exceptions import ClientDisconnected, RequestTimeout

from service import strictjson
from service.domain import ArticleInput
from service.errors import (
    BodyTooLargeError,
    EmptyBodyError,
    Fault,
    InvalidEncodingError,
    InvalidJsonError,
    InvalidRequestError,
    UnsupportedMediaTypeError,
)
from service.settings import Settings
from service.web.asking import caching_of, key_fault
from service.web.checks import check_text
from service.web.schemas import (
    MAX_PROMPT_CHARS,
    AnalyzeRequest,
    article_of_page,
    check_length,
    load_request,
    refusal,
)

_CHUNK_BYTES = 65_536
_DRAINED_BYTES = 16_000_000
_BARE = frozenset({"text/plain", "text/markdown", "text/html"})
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_HARMLESS_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_UTF_8 = {None, "utf-8", "utf8"}


def read_request(request: Request, settings: Settings) -> AnalyzeRequest:
    """The analysis that `request` asks for.

    The body is JSON, or an article alone: its words as plain text or Markdown, or the HTML page it stands on, of which the
    main text is taken. Plain text and Markdown are taken as they are: a byte order mark at its start
    stays a character of the article (U+FEFF), so that offsets count what was sent.
    Raises: RequestError of every kind but UnknownPromptError; werkzeug's ClientDisconnected and RequestTimeout when the
    body does not arrive, and its NotImplemented when it comes in a transfer coding that the server does not undo.
    """
    media_type = _media_type(request)
    body = read_body(request, settings.max_request_bytes)
    if not body:
        raise EmptyBodyError('The body is empty: send the article as text/plain, or as JSON {"article": {"text": "…"}}.')
    if not media_type:
        raise UnsupportedMediaTypeError(
            "The Content-Type header is missing: send application/json, or text/plain for an article's bare words."
        )
    bare = media_type in _BARE
    faults = [*_parameter_faults(request, {"prompt"} if bare else set()), *_header_faults(request)]
    try:
        asked = (
            _from_bare_article(body, request, settings)
            if bare
            else load_request(read_json(body), settings.max_article_chars, fetch_urls=settings.fetch_urls)
        )
    except InvalidRequestError as error:
        raise refusal([*faults, *error.faults]) from error
    faults += storing_faults(asked, request, settings)
    if faults:
        raise refusal(faults)
    timeout = request.headers.get("Request-Timeout", type=float)
    return replace(asked, deadline_s=min((s for s in (asked.deadline_s, timeout) if s is not None), default=None))


def _media_type(request: Request) -> str:
    """The body's media type, one of those read here, or nothing when the header is missing."""
    if request.headers.get("Content-Encoding", "").strip().lower() not in {"", "identity"}:
        raise UnsupportedMediaTypeError("The body has a content encoding: send it without one.")
    if request.headers.get("Transfer-Encoding", "chunked").strip().lower() != "chunked":
        raise exceptions.NotImplemented
    media_type = request.mimetype
    if media_type not in {"", "application/json", *_BARE}:
        raise UnsupportedMediaTypeError(
            "The Content-Type header names a type that is not read here: send application/json, or an article alone as "
            "text/plain, text/markdown or text/html."
        )
    charset = request.mimetype_params.get("charset")
    if (charset and charset.lower()) not in _UTF_8:
        raise UnsupportedMediaTypeError("The Content-Type header names another charset than utf-8: convert the body to UTF-8.")
    return media_type


def read_body(request: Request, max_bytes: int) -> bytes:
    """The whole body.

    Werkzeug's own stream is not used: of unknown length it refuses a body of exactly the most bytes, and it takes a body
    cut short for a whole one.
    Raises: BodyTooLargeError; werkzeug's ClientDisconnected and RequestTimeout when the body does not arrive.
    """
    length = request.content_length
    if length is None:
        length = max_bytes + 1 if "wsgi.input_terminated" in request.environ else 0
    elif length > max_bytes:
        _drain(request, length)
        raise _too_large(max_bytes)
    body = bytearray()
    try:
        while chunk := request.environ["wsgi.input"].read(min(_CHUNK_BYTES, length - len(body))):
            body += chunk
    except TimeoutError as error:
        raise RequestTimeout from error
    except OSError as error:
        raise ClientDisconnected from error
    if len(body) > max_bytes:
        _drain(request, _DRAINED_BYTES)
        raise _too_large(max_bytes)
    if len(body) < (request.content_length or 0):
        raise ClientDisconnected
    return bytes(body)


def _drain(request: Request, size: int) -> None:
    """Nothing; what is left of the body is read and thrown away, up to a limit.

    A client that is still sending when the connection closes never sees the answer that tells it why.
    """
    left = min(size, _DRAINED_BYTES)
    with suppress(OSError):
        while left > 0 and (chunk := request.environ["wsgi.input"].read(min(_CHUNK_BYTES, left))):
            left -= len(chunk)


def _too_large(max_bytes: int) -> BodyTooLargeError:
    return BodyTooLargeError(f"The body has more than {max_bytes} bytes, the most that is taken at a time.")


def read_json(body: bytes) -> Any:
    """The JSON document in `body`.

    Raises: InvalidEncodingError, InvalidJsonError, InvalidRequestError.
    """
    try:
        return strictjson.loads(body)
    except strictjson.NotUtf8Error as error:
        raise InvalidEncodingError(f"The body {error.reason}: send UTF-8 without a byte order mark.") from error
    except strictjson.LoneSurrogateError as error:
        raise refusal([Fault("", f"The body {error.reason}: send whole characters.")]) from error
    except strictjson.StrictJsonError as error:
        raise InvalidJsonError(f"The body {'is not JSON: ' if error.line else ''}{error.reason}.") from error


def _from_bare_article(body: bytes, request: Request, settings: Settings) -> AnalyzeRequest:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidEncodingError(f"The body is not UTF-8 at byte {error.start}: convert it to UTF-8.") from None
    page = request.mimetype == "text/html"
    article = article_of_page(text) if page else ArticleInput(text)
    try:
        check_text(article.text)
    except ValidationError as error:
        raise refusal([Fault("", str(told)) for told in error.messages]) from None
    check_length(article.text, settings.max_article_chars)
    # Who sends a page cannot know the text that offsets refer to.
    return AnalyzeRequest(article, prompt=request.args.get("prompt"), return_text=page)


def _parameter_faults(request: Request, known: set[str]) -> Iterator[Fault]:
    for name, values in request.args.lists():
        shown = name if _HARMLESS_NAME.fullmatch(name) else "with an odd name"
        if name not in known:
            yield Fault("", f"The query parameter {shown} is not taken here: remove it.")
        elif len(values) > 1:
            yield Fault("", f"The query parameter {shown} is given more than once: give it once.")
        elif len(values[0]) > MAX_PROMPT_CHARS:
            yield Fault("", f"The query parameter {shown} has more than {MAX_PROMPT_CHARS} characters: shorten it.")


def storing_faults(asked: AnalyzeRequest, request: Request, settings: Settings) -> Iterator[Fault]:
    """What is wrong with asking to store the answer, where that is asked."""
    if asked.store and not settings.history.enabled:
        yield Fault("/options/store", "This service stores no analyses: remove it, or set it to false.")
    elif asked.store and not caching_of(request).keep:
        told = "This asks to store the answer and the header Cache-Control: no-store not to: send one of them."
        yield Fault("/options/store", told)


def _header_faults(request: Request) -> Iterator[Fault]:
    header = request.headers.get("Request-Timeout")
    if header is not None and (not _SECONDS.fullmatch(header) or float(header) <= 0):
        yield Fault("", "The Request-Timeout header must be a number of seconds greater than 0, such as 30.")
    key = request.headers.get("Idempotency-Key")
    if fault := key_fault(key):
        yield Fault("", fault)
    elif key is not None and not caching_of(request).keep:
        told = "The Idempotency-Key header asks to keep the answer and Cache-Control: no-store not to: send one of them."
        yield Fault("", told)
