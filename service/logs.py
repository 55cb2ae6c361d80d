"""Structured log lines on stderr that cannot carry article text: what is not on the list below is dropped.

One JSON object a line. Records of other libraries keep their place in the code and lose their words, because a library's
message may quote the data it stumbled over.
"""

import json
import logging
import sys
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from traceback import extract_tb
from typing import Any, TextIO

import structlog

from service.tracing import current

LOGGED_FIELDS = frozenset(
    {
        "article_sha256",
        "at",
        "attempt",
        "bytes",
        "cache",
        "cached_tokens",
        "caller",
        "calls",
        "claims",
        "client",
        "code",
        "duration_ms",
        "endpoint",
        "error",
        "event",
        "host",
        "input_tokens",
        "level",
        "logger",
        "method",
        "model",
        "of_bytes",
        "output_tokens",
        "passages",
        "pid",
        "port",
        "prompt",
        "reason",
        "request_id",
        "response_format",
        "retries",
        "reused",
        "route",
        "sentences",
        "set_aside",
        "span_id",
        "status",
        "step",
        "timestamp",
        "trace_id",
        "wait_s",
        "warnings",
    }
)
"""Every key a log line may have."""

MAX_VALUE_CHARS = 200
MAX_ITEMS = 20
_FRAMES_KEPT = 16
_PATH_PARTS_KEPT = 3
# Its lines are about processes and ports; those about requests are replaced in server.py, and at level debug lose their words.
_OWN_WORDS = ("gunicorn",)


def configure_logs(level: str, stream: TextIO | None = None) -> None:
    """Log lines from now on: ours through structlog, everyone else's through the standard library, both as JSON.

    `level` is debug, info, warning or error. `stream` None means stderr as it is when a line is written.
    """
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            add_trace,
            keep_listed_fields,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: structlog.WriteLogger(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(ForeignFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(threshold, logging.WARNING))  # below a warning, HTTP clients log URLs and bodies


def add_trace(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """`event` with the ids of the span it belongs to, if any: a structlog processor."""
    if trace := current():
        event["trace_id"], event["span_id"] = trace.trace_id, trace.span_id
    return event


def keep_listed_fields(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """`event` with only the listed keys and only short, plain values: a structlog processor."""
    return {key: _plain(value) for key, value in event.items() if key in LOGGED_FIELDS}


def frames(error: BaseException) -> list[str]:
    """Where `error` was raised, innermost last, as `file:line`: neither its message nor any source line."""
    kept = extract_tb(error.__traceback__)[-_FRAMES_KEPT:]
    return [f"{'/'.join(Path(frame.filename).parts[-_PATH_PARTS_KEPT:])}:{frame.lineno}" for frame in kept]


class ForeignFormatter(logging.Formatter):
    """Log records of other libraries as lines like ours."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object: the record's place and level, its exception's class, and its words if they are harmless."""
        own = record.name.startswith(_OWN_WORDS) and record.levelno > logging.DEBUG
        line: dict[str, Any] = {
            "event": record.getMessage() if own else "library message",
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
        }
        if not own:
            line["at"] = f"{record.module}:{record.lineno}"
        if record.exc_info and record.exc_info[1]:
            line["error"] = type(record.exc_info[1]).__qualname__
            line["at"] = frames(record.exc_info[1])
        return json.dumps({key: _plain(value) for key, value in line.items()}, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value[:MAX_VALUE_CHARS].encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value[:MAX_ITEMS]]
    if isinstance(value, dict):
        return {_plain(str(key)): _plain(item) for key, item in list(value.items())[:MAX_ITEMS]}
    return type(value).__qualname__
