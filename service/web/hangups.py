"""Clients that leave while they are waited for: one thread looks at all their connections and tells those who work for them.

A connection whose other side has ended may be that of a client that left, or of one that has only said all it had to say. A
moment later such a client is sent a "100 Continue", which every client of HTTP/1.1 skips: the machine of one that left
answers that the connection is no more. Where an answer has begun already, whoever sends it is asked to send something.
"""

import selectors
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Final

from service.deadline import Interest

LOOK_S: Final = 0.2
"""How long after its end a connection is asked, and after that is looked at again and again."""

_PROBE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True)
class _Client:
    """A client that waits; `probe` sends it something."""

    interest: Interest
    probe: Callable[[], object]


class HangUps:
    """The connections of clients who wait for an answer. Thread-safe; its thread starts with the first of them."""

    def __init__(self, look_s: float = LOOK_S) -> None:
        self._look_s = look_s
        self._lock = Lock()
        self._waiting: dict[socket.socket, _Client] = {}
        self._ended: dict[socket.socket, bool] = {}
        # Changed by other threads while its thread waits in it, which epoll and kqueue are made for.
        self._selector: selectors.BaseSelector | None = None

    @contextmanager
    def watched(
        self, connection: socket.socket | None, interest: Interest, probe: Callable[[], object] | None = None
    ) -> Iterator[None]:
        """Within this, `interest` is lost when the client of `connection` leaves. Without one nothing is watched.

        `probe` has something sent to the client, and does not wait for that; without it, a "100 Continue" is.
        """
        if connection is None:
            yield
            return
        with self._lock:
            self._begin().register(connection, selectors.EVENT_READ, connection)
            self._waiting[connection] = _Client(interest, probe or (lambda: connection.send(_PROBE, socket.MSG_DONTWAIT)))
        try:
            yield
        finally:
            with self._lock:
                self._ignore(connection)
                self._ended.pop(connection, None)
                del self._waiting[connection]

    def _begin(self) -> selectors.BaseSelector:
        if self._selector is None:
            self._selector = selectors.DefaultSelector()
            Thread(target=self._watch, args=(self._selector,), name="hang-ups", daemon=True).start()
        return self._selector

    def _ignore(self, connection: socket.socket) -> None:
        """Let the thread not be woken by a connection any more; the lock is held."""
        if self._selector is not None and connection in self._selector.get_map():
            self._selector.unregister(connection)

    def _watch(self, selector: selectors.BaseSelector) -> None:
        while True:
            readable = selector.select(self._look_s if self._ended else None)
            with self._lock:
                gone = [connection for connection, probed in self._ended.items() if self._left(connection, probed=probed)]
                self._ended = {connection: True for connection in self._ended if connection not in gone}
                gone += [key.data for key, _ in readable if self._look(key.data)]
                lost = [self._waiting[connection].interest for connection in gone]
            for interest in lost:
                interest.lose()

    def _look(self, connection: socket.socket) -> bool:
        """Whether a connection that can be read from is broken; the lock is held."""
        if connection not in self._waiting:
            return False
        broken = False
        try:
            if not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                self._ended[connection] = False
        except BlockingIOError:
            return False
        except OSError:
            broken = True
        # One that sends its next request already can no longer be seen leaving: it would wake this thread for ever.
        self._ignore(connection)
        return broken

    def _left(self, connection: socket.socket, *, probed: bool) -> bool:
        """Whether the client of a connection that has ended is gone; asks it, the first time. The lock is held."""
        try:
            if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                return True
            if not probed:
                self._waiting[connection].probe()
        except BlockingIOError:
            return False
        except OSError:
            return True
        return False
