"""The trace a request belongs to, taken from its caller and given on: W3C Trace Context, with the random flag of level 2.

Nothing is recorded here: whoever reads logs, and whoever serves the model, can join them by the ids. What an observer is told,
it is told within the span that it is about.
Source: https://www.w3.org/TR/trace-context-2/
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

SAMPLED: Final = 0x01
RANDOM: Final = 0x02
_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_MEMBER = re.compile(
    r"([a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})"
    r"=([\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e])"
)
_MAX_PARENT_CHARS = 128
_MAX_STATE_CHARS = 512
_MAX_MEMBERS = 32


@dataclass(frozen=True)
class Trace:
    """A place in a trace: `span_id` is what is being done now. `state` is what others keep in it, which we only hand on.

    `caller` is the span that it is done for, where there is one. An `outgoing` span is itself a call to another service.
    """

    trace_id: str
    span_id: str
    flags: int = 0
    state: str = ""
    caller: str | None = None
    outgoing: bool = False

    @property
    def parent(self) -> str:
        """What a `traceparent` header says of it."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}"

    def child(self, *, outgoing: bool = False) -> "Trace":
        """A new span of the same trace, for this one."""
        return Trace(self.trace_id, _new_id(8), self.flags, self.state, self.span_id, outgoing)

    @property
    def headers(self) -> dict[str, str]:
        """What whoever is asked next is to be sent."""
        return {"traceparent": self.parent} | ({"tracestate": self.state} if self.state else {})


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current() -> Trace | None:
    """The span this thread works for."""
    return _current.get()


def enter(trace: Trace | None) -> None:
    """Nothing; from now on this thread works for that span, or for none."""
    _current.set(trace)


@contextmanager
def inner_span(*, outgoing: bool = False) -> Iterator[None]:
    """What is done within is a span of its own in the trace of now; nothing outside of one."""
    outer = _current.get()
    token = _current.set(outer and outer.child(outgoing=outgoing))
    try:
        yield
    finally:
        _current.reset(token)


def headers_of_a_call() -> Mapping[str, str]:
    """What a call to another service is to carry: the span of that call, or nothing outside of a trace."""
    trace = _current.get()
    if trace is None:
        return {}
    return trace.headers if trace.outgoing else trace.child().headers


def server_span(parent: str | None, state: str | None, *, sample: bool = False) -> Trace:
    """The span of a request with these headers: in its caller's trace, or in a new one when theirs cannot be read.

    With `sample` a new trace asks everybody in it to record it.
    """
    if parent is not None and len(parent) <= _MAX_PARENT_CHARS and (read := _PARENT.fullmatch(parent)):
        version, trace_id, span_id, flags, more = read.groups()
        known = version != "ff" and not (version == "00" and more)
        if known and int(trace_id, 16) and int(span_id, 16):
            return Trace(trace_id, _new_id(8), int(flags, 16) & (SAMPLED | RANDOM), _checked_state(state), span_id)
    return Trace(_new_id(16), _new_id(8), RANDOM | SAMPLED if sample else RANDOM)


def _checked_state(header: str | None) -> str:
    """The members of a `tracestate` as one header; nothing when one of them breaks the rules."""
    if header is None or len(header) > _MAX_STATE_CHARS:
        return ""
    members = [stripped for member in header.split(",") if (stripped := member.strip(" \t"))]
    read = [_MEMBER.fullmatch(member) for member in members]
    keys = {found[1] for found in read if found}
    return ",".join(members) if len(keys) == len(members) <= _MAX_MEMBERS else ""


def _new_id(size_bytes: int) -> str:
    """Random hex digits, not all zero."""
    return f"{1 + secrets.randbelow(2 ** (8 * size_bytes) - 1):0{2 * size_bytes}x}"
