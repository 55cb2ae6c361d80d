"""What is limited, by how much, and what a ledger promises. Pure: times are given, never asked for.

Amounts are whole numbers: characters are code points, tokens those of a model, money millionths of the currency that the
prices are in. Days begin at midnight UTC. Moments are microseconds since the epoch.
"""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final, Protocol

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
DAY: Final = 86_400 * SECOND
MONEY_UNIT: Final = 1_000_000
"""How many of a ledger's units of money one unit of the currency is."""

_HELD_RETRY_S = 5
_CONCURRENT_RETRY_S = 1


class Limit(StrEnum):
    """What can be limited: requests a minute, analyses at a time, and characters, tokens and money a day."""

    REQUESTS = "requests"
    CONCURRENT = "concurrent"
    CHARACTERS = "characters"
    TOKENS = "tokens"
    MONEY = "money"


@dataclass(frozen=True)
class Amounts:
    """What an analysis takes of the day's budgets."""

    characters: int = 0
    tokens: int = 0
    money: int = 0

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(self.characters + other.characters, self.tokens + other.tokens, self.money + other.money)

    def of(self, limit: Limit) -> int:
        """How much of that budget."""
        return int(getattr(self, limit))


NOTHING: Final = Amounts()
BUDGETS: Final = tuple(Limit(field.name) for field in fields(Amounts))
"""What is limited by the day, in the order of the fields of `Amounts`."""


@dataclass(frozen=True)
class Allowance:
    """How much a tenant may have; None is without limit, and a number at least 1.

    `requests` are those of any minute, `concurrent` those being answered at a time, the others those of a day.
    """

    requests: int | None = None
    concurrent: int | None = None
    characters: int | None = None
    tokens: int | None = None
    money: int | None = None

    def of(self, limit: Limit) -> int | None:
        """How much of that, or None."""
        most: int | None = getattr(self, limit)
        return most

    @property
    def limited(self) -> tuple[Limit, ...]:
        """What is limited at all."""
        return tuple(limit for limit in Limit if self.of(limit) is not None)

    @property
    def request_every(self) -> int:
        """How many microseconds after another each request has its place in the minute; 0 without limit."""
        return 0 if self.requests is None else -(-MINUTE // self.requests)


@dataclass(frozen=True)
class Tally:
    """What a ledger knows of a tenant at one moment, `now`.

    `next_free` is when the last request's place in the minute ends, if that is not over, `open` how many requests are being
    answered. Of today `spent` is what was used and `held` what is set aside for requests being answered.
    """

    now: int
    next_free: int = 0
    open: int = 0
    spent: Amounts = NOTHING
    held: Amounts = NOTHING

    @property
    def today(self) -> int:
        """The number of the day."""
        return day_of(self.now)


@dataclass(frozen=True)
class Level:
    """How a limit stands: `left` of `quota` in this `window_s`. `reset_s` is when more is given: at the latest, all of it."""

    limit: Limit
    quota: int
    left: int
    window_s: int | None = None
    reset_s: int | None = None


@dataclass(frozen=True)
class Refusal:
    """The limit in the way, and when it may be gone. `ever` is False when a whole day's budget would not be enough."""

    limit: Limit
    retry_after_s: int
    ever: bool = True


class Ledger(Protocol):
    """What tenants have used and hold. Each call is all or nothing, whoever else calls; a tenant's never touches another's.

    A ticket stands for one request. One that is not given back within its `ttl` (microseconds) holds nothing any more:
    whoever had it was killed.
    """

    def enter(self, tenant: str, ticket: str, allowance: Allowance, ttl: int) -> tuple[Tally, Refusal | None]:
        """How the tenant stands now; unless refused, one more request was taken in and has its place in the minute.

        Raises: StoreError.
        """

    def reserve(self, tenant: str, ticket: str, allowance: Allowance, amounts: Amounts) -> tuple[Tally, Refusal | None]:
        """How the tenant stands now; unless refused, the ticket holds `amounts` of today. One that holds any takes no more.

        Raises: StoreError.
        """

    def settle(self, tenant: str, ticket: str, spent: Amounts) -> Tally:
        """How the tenant stands now: the ticket holds nothing any more, and `spent` was used of the day it was held of.

        Raises: StoreError.
        """

    def ready(self) -> str | None:
        """None when it can be used now, else a short reason for `/readyz`."""

    def close(self) -> None:
        """Give back what is held open; what is counted stays."""


class NoLedger:
    """Counts nothing, for nobody is limited."""

    def enter(self, _tenant: str, _ticket: str, _allowance: Allowance, _ttl: int) -> tuple[Tally, Refusal | None]:
        """As if nothing had ever been asked for."""
        return Tally(0), None

    def reserve(self, _tenant: str, _ticket: str, _allowance: Allowance, _amounts: Amounts) -> tuple[Tally, Refusal | None]:
        """As if nothing had ever been asked for."""
        return Tally(0), None

    def settle(self, _tenant: str, _ticket: str, _spent: Amounts) -> Tally:
        """As if nothing had ever been asked for."""
        return Tally(0)

    def ready(self) -> str | None:
        """None: it never fails."""
        return None

    def close(self) -> None:
        """Nothing."""


def day_of(moment: int) -> int:
    """The number of the day that `moment` is in."""
    return moment // DAY


def place_of(now: int, next_free: int, allowance: Allowance) -> int:
    """When the last place in the minute ends, as seen now: not before now, and never further away than a whole minute.

    So a clock that is put back lets nobody wait for longer than a minute.
    """
    return max(now, min(next_free, now + allowance.request_every * (allowance.requests or 0)))


def refusal_at_the_door(tally: Tally, allowance: Allowance) -> Refusal | None:
    """What keeps one more request out."""
    if allowance.requests is not None:
        room_at = place_of(tally.now, tally.next_free, allowance) - allowance.request_every * (allowance.requests - 1)
        if room_at > tally.now:
            return Refusal(Limit.REQUESTS, _seconds(room_at - tally.now))
    if allowance.concurrent is not None and tally.open >= allowance.concurrent:
        return Refusal(Limit.CONCURRENT, _CONCURRENT_RETRY_S)
    return None


def refusal_of_amounts(tally: Tally, allowance: Allowance, amounts: Amounts) -> Refusal | None:
    """What keeps these amounts from being held: the first budget they do not fit into."""
    for limit in BUDGETS:
        quota, asked = allowance.of(limit), amounts.of(limit)
        if quota is None or tally.spent.of(limit) + tally.held.of(limit) + asked <= quota or not asked:
            continue
        until_midnight = _until_midnight_s(tally.now)
        if tally.spent.of(limit) + asked <= quota:  # what is held now may well come back
            return Refusal(limit, min(_HELD_RETRY_S, until_midnight))
        return Refusal(limit, until_midnight, ever=asked <= quota)
    return None


def levels(tally: Tally, allowance: Allowance) -> tuple[Level, ...]:
    """How each limit there is stands, for whoever wants to stay within them."""
    return tuple(_level(limit, quota, tally, allowance) for limit in Limit if (quota := allowance.of(limit)) is not None)


def _level(limit: Limit, quota: int, tally: Tally, allowance: Allowance) -> Level:
    if limit is Limit.REQUESTS:
        return _rate_level(quota, tally, allowance)
    if limit is Limit.CONCURRENT:
        return Level(limit, quota, max(0, quota - tally.open))
    left = max(0, quota - tally.spent.of(limit) - tally.held.of(limit))
    return Level(limit, quota, left, DAY // SECOND, _until_midnight_s(tally.now))


def _rate_level(quota: int, tally: Tally, allowance: Allowance) -> Level:
    every = allowance.request_every
    taken = place_of(tally.now, tally.next_free, allowance) - tally.now
    left = max(0, (every * quota - taken) // every)
    # With none left, when there is one; else when there are all: within that time no more than `left` may be relied on.
    reset = taken - every * (quota - 1) if left == 0 else taken
    return Level(Limit.REQUESTS, quota, left, MINUTE // SECOND, _seconds(reset) if reset else 0)


def _until_midnight_s(now: int) -> int:
    return _seconds(DAY - now % DAY)


def _seconds(microseconds: int) -> int:
    """Whole seconds, at least one, so that whoever waits as long is not early."""
    return max(1, -(-microseconds // SECOND))
