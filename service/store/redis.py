"""Texts kept in Redis, where all processes of all machines see them; its client is imported nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError  # noqa: A004 - Redis's own
from redis.retry import Retry

from service.store.base import Shelf, StoreError

WAIT_S = 0.1
PREFIX = "factcheck"
_CLAIM = """
local found = redis.call('GET', KEYS[1])
if found then return found end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false
"""
_SWAP = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end"
_REMOVE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


def connect(url: str, wait_s: float) -> Redis:
    """A client of the Redis at `url` that waits at most `wait_s` seconds; a connection found closed is made anew once."""
    return Redis.from_url(
        url,
        socket_timeout=wait_s,
        socket_connect_timeout=wait_s,
        retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
        decode_responses=False,
    )


@contextmanager
def translated() -> Iterator[None]:
    """Within this, what goes wrong with Redis is a StoreError.

    Raises: StoreError.
    """
    try:
        yield
    except (RedisError, OSError) as error:
        raise StoreError("Redis cannot be reached or does not take what it is sent") from error


class RedisStore:
    """Texts in the Redis at `url`, each with its end; how much room there is, is Redis's own setting.

    `prefix` begins every key. A connection is made, and an answer waited for, no longer than `wait_s` seconds.
    """

    shared: ClassVar[bool] = True

    def __init__(self, url: str, *, prefix: str = PREFIX, wait_s: float = WAIT_S) -> None:
        self._prefix = prefix
        self._redis = connect(url, wait_s)
        self._claim = self._redis.register_script(_CLAIM)
        self._swap = self._redis.register_script(_SWAP)
        self._remove = self._redis.register_script(_REMOVE)

    def get(self, shelf: Shelf, key: str) -> str | None:
        """The text kept under `key`, or None.

        Raises: StoreError.
        """
        with translated():
            return _text(self._redis.get(self._name(shelf, key)))

    def put(self, shelf: Shelf, key: str, text: str, ttl_s: float) -> None:
        """Keep `text`.

        Raises: StoreError.
        """
        with translated():
            self._redis.set(self._name(shelf, key), text, px=_ms(ttl_s))

    def claim(self, shelf: Shelf, key: str, text: str, ttl_s: float) -> str | None:
        """None when `text` is kept now, else what is kept already.

        Raises: StoreError.
        """
        with translated():
            found = _text(self._claim([self._name(shelf, key)], [text, _ms(ttl_s)]))
        return None if found == text else found

    def swap(self, shelf: Shelf, key: str, old: str, new: str, ttl_s: float) -> None:
        """Keep `new` where `old` is kept.

        Raises: StoreError.
        """
        with translated():
            self._swap([self._name(shelf, key)], [old, new, _ms(ttl_s)])

    def remove(self, shelf: Shelf, key: str, old: str) -> None:
        """Keep nothing where `old` is kept.

        Raises: StoreError.
        """
        with translated():
            self._remove([self._name(shelf, key)], [old])

    def ready(self) -> str | None:
        """None when Redis takes a text now, else the reason why not."""
        try:
            with translated():
                self._redis.set(f"{self._prefix}:ready", b"", px=1)  # a full Redis answers a ping
        except StoreError as error:
            return str(error)
        return None

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def _name(self, shelf: Shelf, key: str) -> str:
        return f"{self._prefix}:{shelf}:{key}"


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _text(value: Any) -> str | None:
    """What was kept, as text; bytes that are none of ours become a text that is none of ours either."""
    return None if value is None else bytes(value).decode("utf-8", "replace")
