"""A ledger in Redis, for all processes of all machines: each deed is one script, which Redis runs alone."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from service.limits.base import (
    BUDGETS,
    SECOND,
    Allowance,
    Amounts,
    Limit,
    Refusal,
    Tally,
    refusal_at_the_door,
    refusal_of_amounts,
)
from service.store.base import StoreError
from service.store.redis import PREFIX, connect, translated

WAIT_S = 1.0
"""Longer than for a cache: without an answer nobody is let in."""

_SCRIPT = Path(__file__).with_name("ledger.lua")


class RedisLedger:
    """Counts in the Redis at `url`, by its clock, so that all processes have the same days; `clock` stands in for it in tests.

    `prefix` begins every key. A connection is made, and an answer waited for, no longer than `wait_s` seconds.
    """

    def __init__(
        self, url: str, *, prefix: str = PREFIX, wait_s: float = WAIT_S, clock: Callable[[], float] | None = None
    ) -> None:
        self._prefix = prefix
        self._clock = clock
        self._redis = connect(url, wait_s)
        self._script = self._redis.register_script(_SCRIPT.read_text(encoding="utf-8"))

    def enter(self, tenant: str, ticket: str, allowance: Allowance, ttl: int) -> tuple[Tally, Refusal | None]:
        """How the tenant stands now; unless refused, one more request was taken in.

        Raises: StoreError.
        """
        asked = (allowance.requests or 0, allowance.request_every, allowance.concurrent or 0, ttl)
        refused, tally = self._do("enter", tenant, ticket, *asked)
        return tally, refusal_at_the_door(tally, allowance) if refused else None

    def reserve(self, tenant: str, ticket: str, allowance: Allowance, amounts: Amounts) -> tuple[Tally, Refusal | None]:
        """How the tenant stands now; unless refused, `amounts` of today are held by the ticket.

        Raises: StoreError.
        """
        asked = [number for limit in BUDGETS for number in (_quota(allowance, limit), amounts.of(limit))]
        refused, tally = self._do("reserve", tenant, ticket, *asked)
        return tally, refusal_of_amounts(tally, allowance, amounts) if refused else None

    def settle(self, tenant: str, ticket: str, spent: Amounts) -> Tally:
        """How the tenant stands now: the ticket holds nothing any more, and `spent` was used.

        Raises: StoreError.
        """
        return self._do("settle", tenant, ticket, *(spent.of(limit) for limit in BUDGETS))[1]

    def ready(self) -> str | None:
        """None when Redis takes something now, else the reason why not."""
        try:
            with translated():
                self._redis.set(f"{self._prefix}:ready", b"", px=1)  # a full Redis answers a ping
        except StoreError as error:
            return str(error)
        return None

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def _do(self, deed: str, tenant: str, ticket: str, *asked: int) -> tuple[bool, Tally]:
        """Whether the deed was refused, and how the tenant stands after it."""
        now = "" if self._clock is None else int(self._clock() * SECOND)
        with translated():
            told: list[Any] = self._script(self._keys(tenant, ticket), [deed, now, ticket, *asked])
        refused, now, free, open_, spent, held = (bytes(part).decode() for part in told)
        tally = Tally(int(now), int(free), int(open_), _amounts(spent), _amounts(held))
        return bool(refused), tally

    def _keys(self, tenant: str, ticket: str) -> list[str]:
        # A tenant's name comes from outside, and Redis shows keys to whoever may look at it. What is in braces puts both
        # keys on the same machine of a cluster.
        account = f"{self._prefix}:limits:{{{sha256(tenant.encode()).hexdigest()}}}"
        return [account, f"{account}:settled:{ticket}"]


def _quota(allowance: Allowance, limit: Limit) -> int:
    quota = allowance.of(limit)
    return -1 if quota is None else quota


def _amounts(text: str) -> Amounts:
    return Amounts(*map(int, text.split()))
