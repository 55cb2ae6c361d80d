"""The time one request may take, as a single absolute moment passed down the whole flow, and whether anybody still waits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock
from time import monotonic

from service.errors import ClientGoneError, DeadlineExceededError

LONGEST_WAIT_S = 86_400.0
"""No wait is begun for longer at a time: a lock takes no endless number of seconds."""


class Interest:
    """Whether anybody still wants the work. Once lost it never comes back. Thread-safe."""

    def __init__(self) -> None:
        self._lost = Event()
        self._lock = Lock()
        self._calls: dict[object, Callable[[], None]] = {}

    @property
    def lost(self) -> bool:
        """Whether the work is for nobody."""
        return self._lost.is_set()

    def lose(self) -> None:
        """Nothing; what waits on behalf of this work is told, once."""
        with self._lock:
            self._lost.set()
            calls = tuple(self._calls.values())
            self._calls.clear()
        for call in calls:
            call()

    def wait_lost(self, seconds: float) -> bool:
        """Whether the interest was lost within `seconds`."""
        return self._lost.wait(min(max(seconds, 0.0), LONGEST_WAIT_S))

    def listen(self, call: Callable[[], None]) -> Callable[[], None]:
        """What ends the listening; until then `call` is called once when the interest is lost, at once where it is already.

        It is called in another thread, may still run when listening has ended, and must neither block nor raise.
        """
        key = object()
        with self._lock:
            lost = self._lost.is_set()
            if not lost:
                self._calls[key] = call
        if lost:
            call()

        def end() -> None:
            with self._lock:
                self._calls.pop(key, None)

        return end

    @contextmanager
    def when_lost(self, call: Callable[[], None]) -> Iterator[None]:
        """Within this, `call` is listened with."""
        end = self.listen(call)
        try:
            yield
        finally:
            end()


@dataclass(frozen=True)
class Deadline:
    """A moment on `clock` (seconds, monotonic) after which a request must have been answered.

    `interest` is lost when the client has left before that.
    """

    at: float
    clock: Callable[[], float] = monotonic
    interest: Interest = field(default_factory=Interest, compare=False)

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = monotonic) -> "Deadline":
        """A deadline `seconds` from now."""
        return cls(at=clock() + seconds, clock=clock)

    def sooner(self, seconds: float) -> "Deadline":
        """The deadline that lies `seconds` before this one, or half way to it where less time is left."""
        now = self.clock()
        return Deadline(max(self.at - seconds, now + (self.at - now) / 2), self.clock, self.interest)

    def share(self, part: float) -> "Deadline":
        """The deadline at which `part` of the time that is left now will be over."""
        now = self.clock()
        return Deadline(now + (self.at - now) * part, self.clock, self.interest)

    @contextmanager
    def branch(self) -> Iterator["Deadline"]:
        """The same deadline for a part of the work, in which the interest can be lost alone."""
        interest = Interest()
        with self.interest.when_lost(interest.lose):
            yield Deadline(self.at, self.clock, interest)

    def remaining_s(self) -> float:
        """Seconds left; zero or less once it has passed."""
        return self.at - self.clock()

    def check(self) -> float:
        """Seconds left, always more than zero.

        Raises: DeadlineExceededError when none are, ClientGoneError when nobody waits any more.
        """
        if self.interest.lost:
            raise ClientGoneError("the client closed its connection")
        remaining = self.remaining_s()
        if remaining <= 0:
            raise DeadlineExceededError("the request's time is spent")
        return remaining

    def pause(self, seconds: float) -> None:
        """Nothing, after `seconds`.

        Raises: ClientGoneError as soon as nobody waits any more.
        """
        if self.interest.wait_lost(seconds):
            raise ClientGoneError("the client closed its connection")
