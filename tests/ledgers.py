"""What tests of limits share: a clock that starts at noon, and ledgers that go by it."""

from contextlib import contextmanager

from redis import Redis

from service.limits.memory import MemoryLedger
from service.limits.redis import RedisLedger
from tests.fakes import FixedClock
from tests.redis_server import URL, fresh_prefix, need_redis

DAY_S = 86_400
NOON = 20_000 * DAY_S + DAY_S // 2
TTL = 60_000_000


@contextmanager
def ledger_of(kind, clock, prefix=None):
    """A ledger of that kind whose time is `clock`'s, or with None its own; what it kept is gone afterwards."""
    if kind == "memory":
        yield MemoryLedger() if clock is None else MemoryLedger(clock)
        return
    prefix = prefix or fresh_prefix()
    ledger = RedisLedger(need_redis(), prefix=prefix, wait_s=5, clock=clock)
    try:
        yield ledger
    finally:
        ledger.close()
        with Redis.from_url(URL) as client:
            for key in client.scan_iter(f"{prefix}:*"):
                client.delete(key)


def noon():
    return FixedClock(float(NOON))
