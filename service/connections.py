"""How long a client may take over each step of a request, on every connection at once."""

import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from selectors import EVENT_READ, BaseSelector
from threading import Lock
from time import monotonic
from typing import Any, Final

LINGER_S: Final = 5.0
"""How long a thread may read what should have come whole already; more only when threads have to wait for a processor."""

SEND_LIMIT_S: Final = 60.0
"""How long a client may take over receiving an answer."""

PARTING_S: Final = 2.0
"""How long a client that has its last answer is given to close its side."""

_MOST_PARTING_BYTES: Final = 65_536


_TCP_INFO: Final = getattr(socket, "TCP_INFO", -1)
_LAST_RECEIVED: Final = struct.Struct("52xI")  # of Linux's struct tcp_info: tcpi_last_data_recv, in milliseconds


def unread_s(connection: socket.socket) -> float:
    """How many seconds ago the last bytes came on a TCP connection; 0 where the system does not tell.

    On a busy machine that is when a client began to wait, long before anybody had time to look.
    """
    try:
        told = connection.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _LAST_RECEIVED.size)
    except OSError:
        return 0.0
    return _LAST_RECEIVED.unpack(told)[0] / 1000 if len(told) == _LAST_RECEIVED.size else 0.0


class ConnectionWatch:
    """Which connections are waited for, and until when. Safe to use from several threads."""

    def __init__(self, limit_s: float, clock: Callable[[], float] = monotonic) -> None:
        self._limit_s = limit_s
        self._clock = clock
        self._lock = Lock()
        self._until: dict[socket.socket, tuple[float, int]] = {}
        self._arrived: dict[socket.socket, float] = {}
        self._cut: set[socket.socket] = set()

    def begin(self, connection: socket.socket, limit_s: float | None = None) -> None:
        """From now on `connection` is being read from."""
        with self._lock:
            limit_s = self._limit_s if limit_s is None else limit_s
            self._until[connection] = self._clock() + limit_s, socket.SHUT_RD

    def note_arrival(self, connection: socket.socket) -> None:
        """Something of a request has come, and was waiting to be read for as long as the system says."""
        arrived = self._clock() - unread_s(connection)
        with self._lock:
            self._arrived[connection] = arrived

    def arrival(self, connection: socket.socket) -> float | None:
        """When the first byte of the request came, on the clock, if that was noted."""
        with self._lock:
            return self._arrived.get(connection)

    def answer(self, connection: socket.socket) -> None:
        """From now on `connection` is being written to."""
        with self._lock:
            self._until[connection] = self._clock() + SEND_LIMIT_S, socket.SHUT_RDWR

    def rest(self, connection: socket.socket) -> None:
        """The client is not waited for at the moment."""
        with self._lock:
            self._until.pop(connection, None)

    def end(self, connection: socket.socket) -> None:
        """The request is over, or given up."""
        with self._lock:
            self._until.pop(connection, None)
            self._arrived.pop(connection, None)
            self._cut.discard(connection)

    def was_cut(self, connection: socket.socket) -> bool:
        """Whether reading from `connection` was ended by `cut_late`."""
        with self._lock:
            return connection in self._cut

    def cut_late(self) -> None:
        """End what has taken longer than its limit: whoever waits for it finds the connection at its end."""
        with self._lock:
            now = self._clock()
            late = [(connection, how) for connection, (until, how) in self._until.items() if now > until]
            for connection, how in late:
                del self._until[connection]
                self._cut.add(connection)
                with suppress(OSError):  # the client may have left already
                    connection.shutdown(how)


class Paced(Iterator[bytes]):
    """The pieces of an answer that is sent as it is made: the client may take its time over none of them, we over each."""

    def __init__(self, pieces: Iterable[bytes], connection: socket.socket, watch: ConnectionWatch) -> None:
        self._pieces = pieces
        self._each = iter(pieces)
        self._connection = connection
        self._watch = watch

    def __next__(self) -> bytes:
        self._watch.rest(self._connection)
        piece = next(self._each)
        self._watch.answer(self._connection)
        return piece

    def close(self) -> None:
        """Nothing; whoever makes the pieces is told that no more are wanted."""
        if close := getattr(self._pieces, "close", None):
            close()


@dataclass
class _Parting:
    until: float
    read: int = 0


class Partings:
    """The connections whose last answer was sent, until their clients close them, too. Used by the worker's main loop only.

    What a client still sends is read and thrown away, at most 64 KiB: closing a connection with something unread would
    break off the answer (RFC 9112, section 9.6). Nothing here waits. `closed` is called after each connection was closed.
    """

    def __init__(
        self,
        poller: BaseSelector,
        closed: Callable[[], None],
        clock: Callable[[], float] = monotonic,
        seconds: float = PARTING_S,
    ) -> None:
        self._poller = poller
        self._closed = closed
        self._clock = clock
        self._seconds = seconds
        self._parting: dict[Any, _Parting] = {}

    def begin(self, connection: Any) -> None:
        """Nothing; the client is told that no more will come, and is let go when it closes its side, or late."""
        self._parting[connection] = _Parting(self._clock() + self._seconds)
        try:
            connection.sock.setblocking(False)  # noqa: FBT003 - as the standard library has it
            connection.sock.shutdown(socket.SHUT_WR)
            self._poller.register(connection.sock, EVENT_READ, lambda _: self._read(connection))
        except (OSError, ValueError):  # the client has left, or the connection was closed
            self._end(connection)

    def end_late(self) -> None:
        """Nothing; who has not closed in time is no longer waited for."""
        now = self._clock()
        for connection in [one for one, parting in self._parting.items() if now > parting.until]:
            self._end(connection)

    def end_oldest(self) -> bool:
        """Whether there was one to end."""
        oldest = next(iter(self._parting), None)
        if oldest is not None:
            self._end(oldest)
        return oldest is not None

    def _read(self, connection: Any) -> None:
        parting = self._parting.get(connection)
        if parting is None:
            return  # closed since it was seen to have sent something
        try:
            data = connection.sock.recv(_MOST_PARTING_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        parting.read += len(data)
        if not data or parting.read >= _MOST_PARTING_BYTES:
            self._end(connection)

    def _end(self, connection: Any) -> None:
        del self._parting[connection]
        with suppress(KeyError, ValueError):  # never registered
            self._poller.unregister(connection.sock)
        connection.close()
        self._closed()
