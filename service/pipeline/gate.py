"""Who may come in: owns how many requests are taken at a time, so that those beyond are told at once and cost nothing."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from threading import Lock
from typing import Final

from service.errors import OverloadedError

DEFAULT_CAPACITY: Final = 96
_SHARE: Final = 8


class Gate:
    """Room for `capacity` requests at a time. Thread-safe; never waits.

    A caller who is in already leaves a place free for others for every eight requests begun, so that no single one can
    fill the room.
    """

    def __init__(self, capacity: int = DEFAULT_CAPACITY, *, retry_after_s: float = 1.0) -> None:
        self.capacity = capacity
        self._retry_after_s = retry_after_s
        self._lock = Lock()
        self._inside: Counter[str] = Counter()

    @property
    def inside(self) -> int:
        """How many requests are in."""
        with self._lock:
            return self._inside.total()

    @contextmanager
    def passed(self, caller: str) -> Iterator[None]:
        """Within this, one request of `caller` is in.

        Raises: OverloadedError at once when there is no room.
        """
        with self._lock:
            free = self.capacity - self._inside.total()
            if free <= ceil(self._inside[caller] / _SHARE):
                raise OverloadedError("no more requests are taken in", retry_after_s=self._retry_after_s)
            self._inside[caller] += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside[caller] -= 1
                if not self._inside[caller]:
                    del self._inside[caller]
