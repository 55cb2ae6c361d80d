"""How much of a request has come, so that no thread is given to one before it is whole.

This decides only when a thread begins to read, never what is read: the framing of a request is gunicorn's to judge.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from selectors import EVENT_READ, BaseSelector
from typing import Any, Final

from service.connections import ConnectionWatch

MAX_HEAD_BYTES: Final = 65_536
_MAX_SIZE_LINE_BYTES: Final = 1_000
_MAX_STRAGGLERS: Final = 4
_MOST_BODIES: Final = 64
_READ_BYTES: Final = 65_536
_GO_AHEAD: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_MOST_DIGITS: Final = 12
_HEAD_END: Final = b"\r\n\r\n"
_FIELD: Final = re.compile(rb"(?im)^(content-length|transfer-encoding|expect):[ \t]*([^\r\n]*?)[ \t]*\r$")
_SIZE: Final = re.compile(rb"[0-9A-Fa-f]{1,12}")


class Come(Enum):
    """What has come of a request."""

    PART = "part"
    WHOLE = "whole"
    """Or so wrong that nothing more need be read to refuse it."""
    TOO_MUCH = "too much"
    """More than is taken, with an end that may never come."""


class Arrival:
    """The bytes of one request, and maybe the beginning of the next, as they come."""

    def __init__(self, max_body_bytes: int) -> None:
        self.data = bytearray()
        self.wants_go_ahead = False
        self._max_body_bytes = max_body_bytes
        self._searched = 0
        self._body_at: int | None = None
        self._length: int | None = None
        self._chunk_at = 0

    def feed(self, data: bytes) -> Come:
        """What has come so far, with `data`. `wants_go_ahead` is set when the client waits for a "100 Continue"."""
        self.data += data
        if self._body_at is None:
            end = self.data.find(_HEAD_END, self._searched)
            self._searched = max(len(self.data) - len(_HEAD_END) + 1, 0)
            if end < 0:
                return Come.PART if len(self.data) <= MAX_HEAD_BYTES else Come.TOO_MUCH
            self._body_at = self._chunk_at = end + len(_HEAD_END)
            self._read_head(bytes(self.data[: end + 2]))
        if self._length is None:
            come = self._chunks()
        elif self._length > self._max_body_bytes:
            come = Come.TOO_MUCH
        else:
            come = Come.WHOLE if len(self.data) - self._body_at >= self._length else Come.PART
        self.wants_go_ahead = self.wants_go_ahead and come is Come.PART and len(self.data) == self._body_at
        return come

    def _read_head(self, head: bytes) -> None:
        """Find out how long the body is: `_length`, None for one in chunks."""
        fields = [(name.lower(), value) for name, value in _FIELD.findall(head)]
        lengths = [value for name, value in fields if name == b"content-length"]
        chunked = any(name == b"transfer-encoding" for name, _ in fields)
        self.wants_go_ahead = any(name == b"expect" and value.lower() == b"100-continue" for name, value in fields)
        if chunked and not lengths:
            return
        # Without a body, or with one whose length is told in a way that will be refused.
        sound = len(lengths) == 1 and not chunked and lengths[0].isdigit()
        self._length = self._number(lengths[0]) if sound else 0

    def _number(self, digits: bytes) -> int:
        """What `digits` say; of so many that they are too much anyway, just more than is taken."""
        return int(digits) if len(digits) <= _MOST_DIGITS else self._max_body_bytes + 1

    def _chunks(self) -> Come:
        come: Come | None = None
        while come is None:
            come = self._chunk()
        return come

    def _chunk(self) -> Come | None:
        """What has come of the body as far as the next chunk tells; None when that is whole and more must follow."""
        body_at = self._body_at or 0
        line_end = self.data.find(b"\r\n", self._chunk_at)
        if line_end < 0:
            return Come.PART if len(self.data) - self._chunk_at <= _MAX_SIZE_LINE_BYTES else Come.WHOLE
        size = _SIZE.match(self.data[self._chunk_at : line_end])
        if size is None or int(size[0], 16) == 0:
            return Come.WHOLE if size is None else self._trailers()
        next_at = line_end + 2 + int(size[0], 16) + 2
        if next_at - body_at > self._max_body_bytes + _MAX_SIZE_LINE_BYTES:
            return Come.TOO_MUCH
        if len(self.data) < next_at:
            return Come.PART
        self._chunk_at = next_at
        return None if self.data[next_at - 2 : next_at] == b"\r\n" else Come.WHOLE

    def _trailers(self) -> Come:
        if self.data.find(_HEAD_END, self._chunk_at) >= 0:
            return Come.WHOLE
        return Come.PART if len(self.data) - self._chunk_at <= MAX_HEAD_BYTES else Come.TOO_MUCH


class Reception:
    """The connections whose next request has not come whole yet. Used by the worker's main loop only.

    A connection is handed over with its request, or let go: when it ends, when it sends more than is taken while others do,
    or when all together have sent more than 64 of the largest bodies.
    """

    def __init__(
        self,
        poller: BaseSelector,
        watch: ConnectionWatch,
        max_body_bytes: int,
        *,
        hand_over: Callable[[Any], None],
        let_go: Callable[[Any], None],
    ) -> None:
        self._poller = poller
        self._hand_over = hand_over
        self._let_go = let_go
        self._watch = watch
        self._max_body_bytes = max_body_bytes
        self._max_bytes = _MOST_BODIES * max_body_bytes
        self._bytes = 0
        self._coming: dict[Any, Arrival] = {}
        self._stragglers: set[Any] = set()

    def __len__(self) -> int:
        return len(self._coming)

    def begin(self, connection: Any) -> None:
        """Nothing; `hand_over` is called with `connection` when its next request has come, `let_go` when it never will."""
        connection.init()
        connection.sock.setblocking(False)  # noqa: FBT003 - as the standard library has it
        self._coming[connection] = Arrival(self._max_body_bytes)
        self._watch.begin(connection.sock)
        self._poller.register(connection.sock, EVENT_READ, lambda _: self._read(connection))
        # A client that asks again at once may have sent more than its last request.
        early = connection.parser.unreader.take_buffered()
        if not early or self._feed(connection, early) is Come.PART:
            self._read(connection)

    def over(self, connection: Any) -> None:
        """Nothing; the request that was handed over has been answered."""
        self._stragglers.discard(connection)

    def let_go_oldest(self) -> bool:
        """Whether there was one to let go."""
        oldest = next(iter(self._coming), None)
        if oldest is not None:
            self._end(oldest, whole=False)
        return oldest is not None

    def let_all_go(self) -> None:
        """Nothing; whoever has not sent a whole request yet is let go."""
        while self.let_go_oldest():
            pass

    def _read(self, connection: Any) -> None:
        if connection not in self._coming:
            return  # let go since it was seen to have sent something
        try:
            while data := connection.sock.recv(_READ_BYTES):
                if self._feed(connection, data) is not Come.PART:
                    return
        except BlockingIOError:
            return
        except OSError:
            self._end(connection, whole=False)
            return
        # Half a request is for gunicorn to refuse; nothing at all is the end of a connection.
        self._end(connection, whole=bool(self._coming[connection].data))

    def _feed(self, connection: Any, data: bytes) -> Come:
        arrival = self._coming[connection]
        if not arrival.data:
            self._watch.note_arrival(connection.sock)
        self._bytes += len(data)
        come = arrival.feed(data)
        if come is Come.PART:
            if arrival.wants_go_ahead:
                with suppress(OSError):
                    connection.sock.send(_GO_AHEAD)
            if self._bytes > self._max_bytes:
                self._end(max(self._coming, key=lambda one: len(self._coming[one].data)), whole=False)
                return Come.PART if connection in self._coming else Come.TOO_MUCH
        elif come is Come.TOO_MUCH:
            whole = len(self._stragglers) < _MAX_STRAGGLERS
            if whole:
                self._stragglers.add(connection)
            self._end(connection, whole=whole)
        else:
            self._end(connection, whole=True)
        return come

    def _end(self, connection: Any, *, whole: bool) -> None:
        arrival = self._coming.pop(connection)
        self._bytes -= len(arrival.data)
        self._poller.unregister(connection.sock)
        if whole:
            connection.parser.unreader.unread(bytes(arrival.data))
            self._watch.rest(connection.sock)
            self._hand_over(connection)
        else:
            self._watch.end(connection.sock)
            self._let_go(connection)
