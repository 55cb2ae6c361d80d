"""What a request's headers say about keeping and repeating: `Cache-Control` and `Idempotency-Key`."""

import re

from flask import Request
from werkzeug.datastructures import RequestCacheControl
from werkzeug.http import parse_cache_control_header

from service.pipeline.answers import Caching

MAX_KEY_CHARS = 255

_VISIBLE = re.compile(r"[\x20-\x7e]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_ESCAPED = re.compile(r"\\(.)")


def caching_of(request: Request) -> Caching:
    """What the caller allows: `no-cache` wants new work, `no-store` wants nothing kept either."""
    # In lower case: werkzeug takes directives as they are written, and their case means nothing.
    wanted = parse_cache_control_header(request.headers.get("Cache-Control", "").lower(), cls=RequestCacheControl)
    keep = not wanted.no_store
    return Caching(read=keep and not wanted.no_cache, keep=keep)


def key_of(header: str | None) -> str | None:
    """The key in an `Idempotency-Key` header: a string in quotation marks, or, as many clients send it, without.

    Source: draft-ietf-httpapi-idempotency-key-header-07, section 2.1; RFC 9651, section 3.3.3.
    """
    if header is None:
        return None
    quoted = _QUOTED.fullmatch(header)
    return _ESCAPED.sub(r"\1", quoted[1]) if quoted else header


def key_fault(header: str | None) -> str | None:
    """What to change about an `Idempotency-Key` header; None when it is well or not there."""
    key = key_of(header)
    if key is None or (len(key) <= MAX_KEY_CHARS and _VISIBLE.fullmatch(key)):
        return None
    return f"The Idempotency-Key header must be 1 to {MAX_KEY_CHARS} visible ASCII characters, such as a UUID."
