"""Whether an endpoint is worth asking: not while it keeps failing, but for a question now and then to see if it works."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from time import monotonic

from service.errors import ModelPausedError
from service.llm.base import Circuit

WINDOW_CALLS = 20
WINDOW_S = 60.0
LEAST_CALLS = 8
FAILURE_SHARE = 0.7
"""Of a model that still answers every other time, half the answers are better than none."""

PROBE_INTERVAL_S = 5.0
PROBE_LEASE_S = 30.0
"""After so long without a word, a probe no longer keeps others from trying."""

LONGEST_PAUSE_S = 300.0
"""An endpoint that asks for more is tried all the same: limits are raised, and an hour is long."""


class Verdict(StrEnum):
    """What a call shows of its endpoint."""

    WORKS = "works"
    FAILS = "fails"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Outcome:
    """How a call ended. `wait_s` is what the endpoint asked for; with `leave_alone` it is left alone for that long."""

    verdict: Verdict
    reason: str = ""
    wait_s: float | None = None
    leave_alone: bool = False


@dataclass(frozen=True)
class Ticket:
    """Leave to make one call. Its outcome counts only while the breaker is in the state that gave it.

    But that a probe worked counts until the breaker closes, or the endpoint asks to be left alone.
    """

    epoch: int


@dataclass(frozen=True)
class BreakerState:
    """A breaker at one moment: `failures` of the last `calls`, how often it has opened, and seconds to the next probe."""

    circuit: Circuit
    calls: int
    failures: int
    openings: int
    reason: str | None
    probe_in_s: float | None


def _tell_nobody(_: Circuit, __: str) -> None:
    """Most breakers are nobody's concern."""


class CircuitBreaker:
    """Closed at first; open once `FAILURE_SHARE` of the last calls failed, or for the pause the endpoint asked for.

    Open, every call is refused until the next probe is due; that one is let through (half open), and its outcome closes
    or opens the breaker; where that says nothing, the next call is let through at once. The last calls are at most
    `WINDOW_CALLS`, none older than `WINDOW_S`, and at least `LEAST_CALLS` before they say anything. Thread-safe.
    `on_change` is told when it opens and why, and when it closes; it must not ask the breaker anything.
    """

    def __init__(
        self, clock: Callable[[], float] = monotonic, on_change: Callable[[Circuit, str], None] = _tell_nobody
    ) -> None:
        self._clock = clock
        self._on_change = on_change
        self._lock = Lock()
        self._circuit = Circuit.CLOSED
        self._epoch = 0
        self._left_alone = 0  # the epoch in which it opened, or was last asked for a pause: those after it are probes
        self._until = 0.0  # open: the next probe; half open: the end of this probe's lease
        self._outcomes: deque[tuple[float, bool]] = deque(maxlen=WINDOW_CALLS)
        self._openings = 0
        self._reason = ""

    @property
    def state(self) -> BreakerState:
        """What is known now."""
        with self._lock:
            self._forget_old()
            closed = self._circuit is Circuit.CLOSED
            return BreakerState(
                circuit=self._circuit,
                calls=len(self._outcomes),
                failures=self._failures(),
                openings=self._openings,
                reason=None if closed else self._reason,
                probe_in_s=None if closed else max(0.0, self._until - self._clock()),
            )

    def admit(self) -> Ticket:
        """Leave to make a call now; `settle` must be told how it ended.

        Raises: ModelPausedError with the seconds after which it is worth asking again.
        """
        with self._lock:
            if self._circuit is Circuit.CLOSED:
                return Ticket(self._epoch)
            wait_s = self._until - self._clock()
            if wait_s > 0:
                if self._circuit is Circuit.HALF_OPEN:
                    wait_s = min(wait_s, PROBE_INTERVAL_S)
                raise ModelPausedError(f"the endpoint is not asked for now: {self._reason}", retry_after_s=wait_s)
            return self._change(Circuit.HALF_OPEN, PROBE_LEASE_S)

    def settle(self, ticket: Ticket, outcome: Outcome) -> None:
        """Nothing; the call of `ticket` is over."""
        with self._lock:
            if ticket.epoch != self._epoch:
                if self._is_probe(ticket) and outcome.verdict is Verdict.WORKS and not outcome.leave_alone:
                    self._close()
            elif outcome.leave_alone:
                self._open(outcome)
            elif self._circuit is Circuit.CLOSED:
                self._count(outcome)
            else:
                self._end_probe(outcome)

    def _is_probe(self, ticket: Ticket) -> bool:
        """Whether the call was let through since the breaker opened, however long ago."""
        return self._circuit is not Circuit.CLOSED and ticket.epoch > self._left_alone

    def _end_probe(self, outcome: Outcome) -> None:
        if outcome.verdict is Verdict.WORKS:
            self._close()
        elif outcome.verdict is Verdict.UNKNOWN and not outcome.wait_s:
            self._change(Circuit.OPEN, 0.0)
        else:
            self._open(outcome)

    def _close(self) -> None:
        self._outcomes.clear()
        self._change(Circuit.CLOSED, 0.0)
        self._on_change(Circuit.CLOSED, self._reason)

    def _count(self, outcome: Outcome) -> None:
        if outcome.verdict is Verdict.UNKNOWN:
            return
        self._outcomes.append((self._clock(), outcome.verdict is Verdict.FAILS))
        self._forget_old()
        if len(self._outcomes) >= LEAST_CALLS and self._failures() >= FAILURE_SHARE * len(self._outcomes):
            self._open(outcome)

    def _open(self, outcome: Outcome) -> None:
        first = self._circuit is Circuit.CLOSED
        self._reason = outcome.reason or self._reason
        self._change(Circuit.OPEN, min(max(outcome.wait_s or 0.0, PROBE_INTERVAL_S), LONGEST_PAUSE_S))
        if first or outcome.leave_alone:
            self._left_alone = self._epoch
        if first:
            self._openings += 1
            self._on_change(Circuit.OPEN, self._reason)

    def _change(self, circuit: Circuit, lasts_s: float) -> Ticket:
        self._circuit = circuit
        self._epoch += 1
        self._until = self._clock() + lasts_s
        return Ticket(self._epoch)

    def _failures(self) -> int:
        return sum(failed for _, failed in self._outcomes)

    def _forget_old(self) -> None:
        oldest = self._clock() - WINDOW_S
        while self._outcomes and self._outcomes[0][0] < oldest:
            self._outcomes.popleft()
