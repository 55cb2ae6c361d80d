"""The limits as a request meets them: let in, given what its article may take, and charged for what it took."""

from contextlib import suppress
from secrets import token_hex
from threading import Lock
from types import TracebackType
from typing import Self

from service.errors import ArticleTooLongError
from service.limit_errors import BudgetExhaustedError, LimitError, LimitsUnavailableError, RateLimitedError
from service.limits.allowances import Allowances
from service.limits.base import (
    MONEY_UNIT,
    NOTHING,
    SECOND,
    Amounts,
    Ledger,
    Level,
    Limit,
    NoLedger,
    Refusal,
    Tally,
    levels,
)
from service.llm.base import Tokens
from service.observing import LimitReached, Observer, Unobserved

_MARGIN_S = 60.0


class Limiter:
    """Holds each tenant to what `allowances` say, by what `ledger` has counted; `observer` is told of refusals.

    `longest_s` is how long a request may take at most: one that was neither answered nor failed a minute after that holds
    nothing any more.
    """

    def __init__(
        self,
        allowances: Allowances | None = None,
        ledger: Ledger | None = None,
        observer: Observer | None = None,
        *,
        longest_s: float = 3_600.0,
    ) -> None:
        self.allowances = allowances or Allowances()
        self.ledger = ledger or NoLedger()
        self.observer = observer or Unobserved()
        self.ttl = int((longest_s + _MARGIN_S) * SECOND)

    def admission(self, tenant: str) -> "Admission":
        """A request of `tenant`, not let in yet."""
        return Admission(self, tenant)

    def ready(self) -> str | None:
        """None when all is counted as it should be, else what is not, for `/readyz`."""
        return self.ledger.ready() if self.allowances.limit_anything else None

    def close(self) -> None:
        """Give back what is held open."""
        self.ledger.close()


class Admission:
    """One request of a tenant. As a context manager it is in from its beginning to its end, and then charged.

    A request that is answered bit by bit is in for as long as an `ExitStack` keeps it. One that ends with an error has cost
    its characters nothing, its model calls what they cost. `levels` are those known last.
    """

    def __init__(self, limiter: Limiter, tenant: str) -> None:
        self.allowance = limiter.allowances.of(tenant)
        self.levels: tuple[Level, ...] = ()
        self._limiter = limiter
        self._tenant = tenant
        self._ticket = token_hex(8)
        self._lock = Lock()
        self._characters = 0
        self._used = NOTHING
        self._left = False

    @property
    def meters(self) -> bool:
        """Whether it matters what models are asked."""
        return self.allowance.tokens is not None or self.allowance.money is not None

    def __enter__(self) -> Self:
        """The request, let in.

        Raises: RateLimitedError, LimitsUnavailableError.
        """
        if self.allowance.limited:
            ledger, ttl = self._limiter.ledger, self._limiter.ttl
            self._learn(*ledger.enter(self._tenant, self._ticket, self.allowance, ttl), NOTHING)
        return self

    def reserve(self, characters: int, models: dict[str, Tokens]) -> None:
        """Nothing; what an article of so many characters may take is set aside.

        `models` are those that may be asked, each with what it would take at most; one of them will be.
        Raises: BudgetExhaustedError, LimitsUnavailableError; ArticleTooLongError when a whole day's budget is not enough.
        """
        self._characters = characters
        amounts = Amounts(
            characters,
            max((tokens.input + tokens.output for tokens in models.values()), default=0),
            max((self._cost(model, tokens) for model, tokens in models.items()), default=0),
        )
        if any(self.allowance.of(limit) is not None for limit in (Limit.CHARACTERS, Limit.TOKENS, Limit.MONEY)):
            ledger = self._limiter.ledger
            self._learn(*ledger.reserve(self._tenant, self._ticket, self.allowance, amounts), amounts)

    def count(self, model: str, tokens: Tokens) -> None:
        """Nothing; `model` took so many tokens for this request. It may be told late, by work that was broken off."""
        used = Amounts(0, tokens.input + tokens.output, self._cost(model, tokens))
        with self._lock:
            if not self._left:
                self._used += used
                return
        with suppress(LimitsUnavailableError):
            self._limiter.ledger.settle(self._tenant, token_hex(8), used)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self.allowance.limited:
            return
        with self._lock:
            self._left = True
            spent = self._used + Amounts(self._characters if error is None else 0)
        with suppress(LimitsUnavailableError):  # it is counted later
            self.levels = levels(self._limiter.ledger.settle(self._tenant, self._ticket, spent), self.allowance)

    def _cost(self, model: str, tokens: Tokens) -> int:
        price = self._limiter.allowances.prices.get(model)
        return 0 if price is None else price.of(tokens.input, tokens.cached, tokens.output)

    def _learn(self, tally: Tally, refusal: Refusal | None, asked: Amounts) -> None:
        self.levels = levels(tally, self.allowance)
        if refusal is not None:
            self._limiter.observer.tell(LimitReached(refusal.limit))
            raise self._error(refusal, asked)

    def _error(self, refusal: Refusal, asked: Amounts) -> LimitError | ArticleTooLongError:
        limit = refusal.limit
        quota, left = next((level.quota, level.left) for level in self.levels if level.limit is limit)
        if limit is Limit.REQUESTS:
            words = f"{quota} requests a minute are allowed, and as many have come."
            return RateLimitedError(words, limit=limit, retry_after_s=refusal.retry_after_s)
        if limit is Limit.CONCURRENT:
            words = f"{quota} analyses at a time are allowed, and as many are being worked on."
            return RateLimitedError(words, limit=limit, retry_after_s=refusal.retry_after_s)
        needs = f"This article may take {_number(limit, asked.of(limit))} {'of ' * (limit is Limit.MONEY)}{limit}"
        if not refusal.ever:
            return ArticleTooLongError(f"{needs}, more than the {_number(limit, quota)} of a whole day: send it in parts.")
        words = f"{needs}, and {_number(limit, left)} of today's {_number(limit, quota)} are left."
        return BudgetExhaustedError(words, limit=limit, retry_after_s=refusal.retry_after_s)


def _number(limit: Limit, amount: int) -> str:
    return f"{amount / MONEY_UNIT:g}" if limit is Limit.MONEY else str(amount)
