"""Texts kept in this process, and gone with it: nothing of an article reaches a disk.

Not SQLite's own memory database: that has one connection, and SQLite lets go of Python's lock at every step, so under load
a thread that holds the connection waits its turn while all others wait for it.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import ClassVar

from service.store.base import Shelf


@dataclass(frozen=True)
class _Kept:
    data: bytes  # text would take up to four bytes for each character once one of them is an emoji
    size_bytes: int
    expires_at: float


@dataclass
class _Rows:
    """The texts of one shelf, the least recently used first."""

    by_key: OrderedDict[str, _Kept] = field(default_factory=OrderedDict)
    size_bytes: int = 0


class MemoryStore:
    """At most `max_bytes` on each shelf; the least recently used goes first. `clock` gives seconds that only grow."""

    shared: ClassVar[bool] = False

    def __init__(self, max_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._lock = Lock()
        self._shelves = {shelf: _Rows() for shelf in Shelf}

    def get(self, shelf: Shelf, key: str) -> str | None:
        """The text kept under `key`, or None."""
        with self._lock:
            return self._find(shelf, key)

    def put(self, shelf: Shelf, key: str, text: str, ttl_s: float) -> None:
        """Keep `text`; one larger than the whole shelf is not kept."""
        with self._lock:
            self._keep(shelf, key, text, ttl_s)

    def claim(self, shelf: Shelf, key: str, text: str, ttl_s: float) -> str | None:
        """None when `text` is kept now, else what is kept already."""
        with self._lock:
            found = self._find(shelf, key)
            if found is None:
                self._keep(shelf, key, text, ttl_s)
            return None if found == text else found

    def swap(self, shelf: Shelf, key: str, old: str, new: str, ttl_s: float) -> None:
        """Keep `new` where `old` is kept."""
        with self._lock:
            if self._find(shelf, key) == old:
                self._keep(shelf, key, new, ttl_s)

    def remove(self, shelf: Shelf, key: str, old: str) -> None:
        """Keep nothing where `old` is kept."""
        with self._lock:
            if self._find(shelf, key) == old:
                self._drop(shelf, key)

    def ready(self) -> str | None:
        """None: it never fails."""
        return None

    def close(self) -> None:
        """Nothing: it ends with the process."""

    def _find(self, shelf: Shelf, key: str) -> str | None:
        rows = self._shelves[shelf]
        found = rows.by_key.get(key)
        if found is None:
            return None
        if found.expires_at <= self._clock():
            self._drop(shelf, key)
            return None
        rows.by_key.move_to_end(key)
        return found.data.decode("utf-8")

    def _keep(self, shelf: Shelf, key: str, text: str, ttl_s: float) -> None:
        rows = self._shelves[shelf]
        self._drop(shelf, key)
        data = text.encode("utf-8")
        kept = _Kept(data, len(data) + len(key), self._clock() + ttl_s)
        if kept.size_bytes > self._max_bytes:
            return
        rows.by_key[key] = kept
        rows.size_bytes += kept.size_bytes
        while rows.size_bytes > self._max_bytes:
            self._drop(shelf, next(iter(rows.by_key)))

    def _drop(self, shelf: Shelf, key: str) -> None:
        rows = self._shelves[shelf]
        if dropped := rows.by_key.pop(key, None):
            rows.size_bytes -= dropped.size_bytes
