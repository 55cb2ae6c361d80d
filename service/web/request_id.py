"""The id by which a caller, a log line and a problem report speak of the same request."""

import re
from uuid import uuid4

_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,128}")


def request_id_from(header: str | None) -> str:
    """The caller's own id when it is harmless to echo and log, else a new one of 32 hex digits."""
    if header is not None and _ACCEPTED.fullmatch(header):
        return header
    return uuid4().hex
