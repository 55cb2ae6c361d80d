"""A ledger whose place may fail: then nothing is given out, or each process counts for itself until it works again."""

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Final, TypeVar

import structlog

from service.limit_errors import LimitsUnavailableError
from service.limits.base import SECOND, Allowance, Amounts, Ledger, Refusal, Tally
from service.store.base import StoreError

REST_S: Final = 5.0
"""How long a place that failed is left alone, so that not every request waits for it to fail again."""

MOST_OWED: Final = 10_000
"""How many settlements are kept for a place that fails; the oldest are forgotten."""

_PAID_AT_ONCE = 20  # whose request finds the place working again does not wait for all of them
_MOVED_TTL = 3_600 * SECOND

T = TypeVar("T")


class GuardedLedger:
    """`ledger` while it works; meanwhile `instead`, or, without it, an error for each request.

    What is spent meanwhile is told to `ledger` when it works again. A failure is logged when it begins and when it ends;
    `ready` tells it for as long as it lasts. Thread-safe.
    """

    def __init__(self, ledger: Ledger, instead: Ledger | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._ledger = ledger
        self._instead = instead
        self._clock = clock
        self._lock = Lock()
        self._rests_until = float("-inf")
        self._trouble: str | None = None
        self._owed: deque[tuple[str, str, Amounts]] = deque(maxlen=MOST_OWED)
        self._elsewhere: set[str] = set()
        """The tickets that `instead` knows."""

    def enter(self, tenant: str, ticket: str, allowance: Allowance, ttl: int) -> tuple[Tally, Refusal | None]:
        """How the tenant stands now; unless refused, one more request was taken in.

        Raises: LimitsUnavailableError.
        """
        try:
            return self._tried(lambda: self._ledger.enter(tenant, ticket, allowance, ttl))
        except StoreError as error:
            return self._moved(ticket, error).enter(tenant, ticket, allowance, ttl)

    def reserve(self, tenant: str, ticket: str, allowance: Allowance, amounts: Amounts) -> tuple[Tally, Refusal | None]:
        """How the tenant stands now; unless refused, the ticket holds `amounts` of today.

        Raises: LimitsUnavailableError.
        """
        if self._instead is not None and ticket in self._elsewhere:
            return self._instead.reserve(tenant, ticket, allowance, amounts)
        try:
            return self._tried(lambda: self._ledger.reserve(tenant, ticket, allowance, amounts))
        except StoreError as error:
            instead = self._moved(ticket, error)
            instead.enter(tenant, ticket, Allowance(), _MOVED_TTL)
            return instead.reserve(tenant, ticket, allowance, amounts)

    def settle(self, tenant: str, ticket: str, spent: Amounts) -> Tally:
        """How the tenant stands now; `spent` is counted, or will be as soon as it can be.

        Raises: LimitsUnavailableError when it cannot be counted yet.
        """
        if self._instead is not None and ticket in self._elsewhere:
            with self._lock:
                self._elsewhere.discard(ticket)
                self._owed.append((tenant, ticket, spent))
            return self._instead.settle(tenant, ticket, spent)
        try:
            return self._tried(lambda: self._ledger.settle(tenant, ticket, spent))
        except StoreError as error:
            with self._lock:
                self._owed.append((tenant, ticket, spent))
            raise _unavailable() from error

    def ready(self) -> str | None:
        """None when the place can be used now, else what is wrong with it and what that means."""
        try:
            self._tried(self._asked)
        except StoreError as error:
            means = "requests are refused" if self._instead is None else "each process counts for itself"
            return f"limits cannot be counted together, so {means}: {error}"
        return None

    def close(self) -> None:
        """Give back what is held open."""
        self._ledger.close()

    def _asked(self) -> None:
        if reason := self._ledger.ready():
            raise StoreError(reason)

    def _moved(self, ticket: str, error: StoreError) -> Ledger:
        """The ledger that this ticket is kept in, now that its place failed.

        Raises: LimitsUnavailableError.
        """
        if self._instead is None:
            raise _unavailable() from error
        with self._lock:
            self._elsewhere.add(ticket)
        return self._instead

    def _tried(self, call: Callable[[], T]) -> T:
        """What `call` returns.

        Raises: StoreError when the place fails or rests.
        """
        if self._clock() < self._rests_until:
            raise StoreError(self._trouble or "it failed a moment ago")
        try:
            result = call()
        except StoreError as error:
            with self._lock:
                first, self._trouble = self._trouble is None, str(error)
                self._rests_until = self._clock() + REST_S
            if first:
                structlog.get_logger().warning("the limits cannot be counted", reason=str(error))
            raise
        with self._lock:
            again, self._trouble = self._trouble is not None, None
        if again:
            structlog.get_logger().info("the limits can be counted again")
        with suppress(StoreError):  # the next one finds out
            self._pay()
        return result

    def _pay(self) -> None:
        """Nothing; some of what could not be counted before is counted.

        Raises: StoreError.
        """
        for _ in range(_PAID_AT_ONCE):
            with self._lock:
                if not self._owed:
                    return
                tenant, ticket, spent = self._owed.popleft()
            try:
                self._ledger.settle(tenant, ticket, spent)
            except StoreError:
                with self._lock:
                    self._owed.append((tenant, ticket, spent))
                raise


def _unavailable() -> LimitsUnavailableError:
    return LimitsUnavailableError(
        "What is left of this caller's limits cannot be found out now.", limit=None, retry_after_s=REST_S
    )
