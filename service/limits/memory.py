"""A ledger in the memory of one process: exact for its threads, and gone with it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from service.limits.base import (
    NOTHING,
    SECOND,
    Allowance,
    Amounts,
    Refusal,
    Tally,
    day_of,
    place_of,
    refusal_at_the_door,
    refusal_of_amounts,
)


@dataclass
class _Ticket:
    begun: int
    ttl: int
    day: int
    held: Amounts = NOTHING


@dataclass
class _Account:
    next_free: int = 0
    tickets: dict[str, _Ticket] = field(default_factory=dict)
    spent: dict[int, Amounts] = field(default_factory=dict)

    def idle(self, now: int) -> bool:
        """Whether forgetting it changes nothing."""
        return not self.tickets and not self.spent and self.next_free <= now


class MemoryLedger:
    """Counts in memory. `clock` gives seconds since the epoch, and may be put forward and back. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = Lock()
        self._accounts: dict[str, _Account] = {}
        self._swept = 0

    def enter(self, tenant: str, ticket: str, allowance: Allowance, ttl: int) -> tuple[Tally, Refusal | None]:
        """How the tenant stands now; unless refused, one more request was taken in."""
        with self._lock:
            account, now = self._opened(tenant)
            place = place_of(now, account.next_free, allowance)
            account.next_free = min(place, account.next_free)
            tally = _tally(account, now)
            if refusal := refusal_at_the_door(tally, allowance):
                return tally, refusal
            account.next_free = place + allowance.request_every
            account.tickets[ticket] = _Ticket(now, ttl, day_of(now))
            return _tally(account, now), None

    def reserve(self, tenant: str, ticket: str, allowance: Allowance, amounts: Amounts) -> tuple[Tally, Refusal | None]:
        """How the tenant stands now; unless refused, `amounts` of today are held by the ticket."""
        with self._lock:
            account, now = self._opened(tenant)
            tally, holder = _tally(account, now), account.tickets.get(ticket)
            if holder is not None and holder.held != NOTHING:
                return tally, None
            if refusal := refusal_of_amounts(tally, allowance, amounts):
                return tally, refusal
            if holder is not None:
                holder.held, holder.day = amounts, tally.today
            return _tally(account, now), None

    def settle(self, tenant: str, ticket: str, spent: Amounts) -> Tally:
        """How the tenant stands now: the ticket holds nothing any more, and `spent` was used."""
        with self._lock:
            account, now = self._opened(tenant)
            holder = account.tickets.pop(ticket, None)
            day = day_of(now) if holder is None else holder.day
            if spent != NOTHING:
                account.spent[day] = account.spent.get(day, NOTHING) + spent
            return _tally(account, now)

    def ready(self) -> str | None:
        """None: it never fails."""
        return None

    def close(self) -> None:
        """Nothing: it ends with the process."""

    def _opened(self, tenant: str) -> tuple[_Account, int]:
        now = int(self._clock() * SECOND)
        if day_of(now) != self._swept:
            self._swept = day_of(now)
            self._accounts = {name: account for name, account in self._accounts.items() if not _swept(account, now).idle(now)}
        return _swept(self._accounts.setdefault(tenant, _Account()), now), now


def _swept(account: _Account, now: int) -> _Account:
    """`account` without what has run out.

    Yesterday is kept, so that a clock put back over midnight finds what was spent then. A ticket also ends when the clock
    was put back further than it lives.
    """
    for name in [name for name, ticket in account.tickets.items() if abs(now - ticket.begun) >= ticket.ttl]:
        del account.tickets[name]
    for day in [day for day in account.spent if day < day_of(now) - 1]:
        del account.spent[day]
    return account


def _tally(account: _Account, now: int) -> Tally:
    today = day_of(now)
    held = sum((ticket.held for ticket in account.tickets.values() if ticket.day == today), NOTHING)
    return Tally(now, max(now, account.next_free), len(account.tickets), account.spent.get(today, NOTHING), held)
