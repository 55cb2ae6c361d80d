"""The time one request may take, as a single absolute moment passed down the whole flow."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from service.errors import DeadlineExceededError


@dataclass(frozen=True)
class Deadline:
    """A moment on `clock` (seconds, monotonic) after which a request must have been answered."""

    at: float
    clock: Callable[[], float] = monotonic

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = monotonic) -> "Deadline":
        """A deadline `seconds` from now."""
        return cls(at=clock() + seconds, clock=clock)

    def sooner(self, seconds: float) -> "Deadline":
        """The deadline that lies `seconds` before this one, or half way to it where less time is left."""
        now = self.clock()
        return Deadline(max(self.at - seconds, now + (self.at - now) / 2), self.clock)

    def remaining_s(self) -> float:
        """Seconds left; zero or less once it has passed."""
        return self.at - self.clock()

    def check(self) -> float:
        """Seconds left, always more than zero.

        Raises: DeadlineExceededError when none are.
        """
        remaining = self.remaining_s()
        if remaining <= 0:
            raise DeadlineExceededError("the request's time is spent")
        return remaining
