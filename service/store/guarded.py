"""A store that never fails: what goes wrong with the place makes the service slower, and is told, but breaks nothing."""

import time
from collections.abc import Callable
from hashlib import sha256
from typing import TypeVar

import structlog

from service.store.base import Shelf, Store, StoreBusyError, StoreError

REST_S = 5.0
"""How long a place that failed is left alone, so that not every request waits for it to fail again."""

TELL_AFTER_S = 60.0
"""How long nothing more is logged of a place that fails now and then."""

T = TypeVar("T")


class GuardedStore:
    """`store`, seen as empty while it fails; what comes back from it is exactly what was put in, or nothing.

    Each text carries a hash of itself and its key. A failure is logged when it begins, and its end when something could be
    written again; `ready` tells it for as long as it lasts.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._rests_until = float("-inf")
        self._told_at = float("-inf")
        self._untold = False  # that what was logged as failing works again
        self._trouble: str | None = None

    @property
    def shared(self) -> bool:
        """Whether other processes see what is kept."""
        return self._store.shared

    def get(self, shelf: Shelf, key: str) -> str | None:
        """The text kept under `key`, or None."""
        return _opened(key, self._tried(lambda: self._store.get(shelf, key), None))

    def put(self, shelf: Shelf, key: str, text: str, ttl_s: float) -> None:
        """Keep `text`, if that can be done."""
        self._written(lambda: self._store.put(shelf, key, _sealed(key, text), ttl_s), None)

    def claim(self, shelf: Shelf, key: str, text: str, ttl_s: float) -> str | None:
        """None when `text` is what is kept now, or would be if the store worked; else the text in its way.

        What is in the way and cannot be read gives way.
        """
        found = self._written(lambda: self._store.claim(shelf, key, _sealed(key, text), ttl_s), None)
        if found is not None and _opened(key, found) is None:
            self.put(shelf, key, text, ttl_s)
        return _opened(key, found)

    def swap(self, shelf: Shelf, key: str, old: str, new: str, ttl_s: float) -> None:
        """Keep `new` where `old` is kept, if that can be done."""
        self._written(lambda: self._store.swap(shelf, key, _sealed(key, old), _sealed(key, new), ttl_s), None)

    def remove(self, shelf: Shelf, key: str, old: str) -> None:
        """Keep nothing where `old` is kept, if that can be done."""
        self._written(lambda: self._store.remove(shelf, key, _sealed(key, old)), None)

    def ready(self) -> str | None:
        """None when the place can be used now, else the reason why not."""
        self._written(self._asked, None)
        return self._trouble

    def close(self) -> None:
        """Give back what is held."""
        self._store.close()

    def _asked(self) -> None:
        if reason := self._store.ready():
            raise StoreBusyError(reason)  # whoever uses it finds out whether to leave it alone

    def _written(self, call: Callable[[], T], otherwise: T) -> T:
        """As `_tried`; a success shows that the place can be used again. That it can be read does not show it."""

        def write() -> T:
            result = call()
            if self._trouble is not None:
                self._trouble = None
                if self._untold:
                    self._untold = False
                    structlog.get_logger().info("the cache can be used again")
            return result

        return self._tried(write, otherwise)

    def _tried(self, call: Callable[[], T], otherwise: T) -> T:
        """What `call` returns, or `otherwise` when the place fails or rests."""
        now = self._clock()
        if now < self._rests_until:
            return otherwise
        try:
            return call()
        except StoreError as error:
            if not isinstance(error, StoreBusyError):
                self._rests_until = now + REST_S
            if self._trouble is None and now - self._told_at >= TELL_AFTER_S:
                self._told_at, self._untold = now, True
                structlog.get_logger().warning("the cache cannot be used", reason=str(error))
            self._trouble = str(error)
            return otherwise


def _sealed(key: str, text: str) -> str:
    return sha256(f"{key}\n{text}".encode()).hexdigest() + text


def _opened(key: str, sealed: str | None) -> str | None:
    """The text under a seal that fits it; None for one that does not."""
    if sealed is None:
        return None
    text = sealed[64:]
    return text if _sealed(key, text) == sealed else None
