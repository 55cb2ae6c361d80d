"""How many repeats all questions to one model may cost together, so that they never add much to an endpoint's trouble."""

from collections.abc import Callable
from threading import Lock
from time import monotonic

AT_FIRST = 3.0
MOST = 10.0
EARNED_BY_A_QUESTION = 0.1
REFILL_S = 30.0
"""In so many seconds one token comes back without a question, up to `AT_FIRST`: a quiet service may repeat a lone failure."""


class RetryTokens:
    """A balance of repeats. Thread-safe.

    A question earns a tenth of a token and a repeat takes a whole one, so that a failing endpoint sees at most 110 % of
    the calls it would see anyway, but for the few tokens there are at first and at rest.
    Source: Google SRE, "Handling overload", per-client retry budget; AWS SDKs, retry quota.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._balance = AT_FIRST
        self._at = clock()

    @property
    def balance(self) -> float:
        """How many repeats could be made now."""
        with self._lock:
            self._refill()
            return self._balance

    def earn(self) -> None:
        """Nothing; a question is being asked for the first time."""
        with self._lock:
            self._refill()
            self._balance = min(MOST, self._balance + EARNED_BY_A_QUESTION)

    def take(self) -> bool:
        """Whether one repeat may be made; it is counted as made."""
        with self._lock:
            self._refill()
            if self._balance < 1.0:
                return False
            self._balance -= 1.0
            return True

    def _refill(self) -> None:
        now = self._clock()
        rested_s, self._at = max(0.0, now - self._at), max(self._at, now)
        if self._balance < AT_FIRST:
            self._balance = min(AT_FIRST, self._balance + rested_s / REFILL_S)
