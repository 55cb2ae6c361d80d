"""Server-sent events read back: what a client of a stream sees."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

TYPE = "text/event-stream"
ACCEPT = {"Accept": TYPE}


@dataclass(frozen=True)
class Event:
    """One event; `data` is what its JSON says."""

    id: int
    name: str
    data: Any


def events_of(body: bytes) -> list[Event]:
    """The events of a whole stream, in order. Comments are left out; anything else that is no event fails."""
    return [event for block in _blocks(body) if (event := read_event(block))]


def comments_of(body: bytes) -> int:
    """How many comments a stream holds."""
    return sum(block.startswith(b":") for block in _blocks(body))


def _blocks(body: bytes) -> Iterator[bytes]:
    assert not body or body.endswith(b"\n\n"), "the stream ends in the middle of an event"
    yield from filter(None, body.split(b"\n\n"))


def read_event(block: bytes) -> Event | None:
    """The event that a block without its blank line is; None for a comment."""
    if block.startswith(b":"):
        return None
    fields = dict(line.split(": ", 1) for line in block.decode("utf-8").split("\n"))
    assert fields.keys() == {"id", "event", "data"}
    return Event(int(fields["id"]), fields["event"], json.loads(fields["data"]))
