"""Work that several requests ask for at the same time, done by the first of them for all."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Lock
from typing import Generic, TypeVar

from service.deadline import Deadline
from service.errors import DeadlineExceededError, FactCheckError, OverloadedError

T = TypeVar("T")


@dataclass
class _Flight(Generic[T]):
    """One piece of work under way. Neither `result` nor `error` when it has ended means: somebody else must do it.

    `turned_away` says that it was not begun, because there was no place for it.
    """

    ended: bool = False
    turned_away: bool = False
    result: T | None = None
    error: FactCheckError | None = None
    waiting: list[Event] = field(default_factory=list)


class Flights(Generic[T]):
    """The work under way in this process, by key."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._flying: dict[Hashable, _Flight[T]] = {}

    def once(
        self, key: Hashable, work: Callable[[float], T], deadline: Deadline, may_share: Callable[[T], bool]
    ) -> tuple[T, bool]:
        """What `work` comes to, and whether another request did it.

        `work` is told how many seconds this request has waited already for others that found no place for the same: one who
        was turned away takes none of them along, and yet none waits for a place longer than if each had come alone.

        A failure is shared too, where it would be everybody's (`for_all`). Where it would not, such as the end of the first
        one's own time, and with a result that `may_share` refuses, one of those who waited does the work itself.
        Raises: what `work` raises, DeadlineExceededError, ClientGoneError as soon as nobody waits for this request any more.
        """
        in_vain_s = 0.0
        while True:
            came, woken = deadline.clock(), Event()
            with self._lock:
                flight = self._flying.get(key)
                if leads := flight is None:
                    flight = self._flying[key] = _Flight()
                else:
                    flight.waiting.append(woken)
            if leads:
                return self._lead(key, flight, partial(work, in_vain_s), may_share), False
            with deadline.interest.when_lost(woken.set):
                woken.wait(deadline.check())
            if not flight.ended:
                deadline.check()
                raise DeadlineExceededError("the request's time was spent before the same work, begun for another, was done")
            if flight.error is not None:
                raise flight.error
            if flight.result is not None:
                return flight.result, True
            if flight.turned_away:
                in_vain_s += deadline.clock() - came

    def waiting(self, key: Hashable) -> int:
        """How many requests have come to wait for the work under way; 0 when none is."""
        with self._lock:
            flight = self._flying.get(key)
            return 0 if flight is None else len(flight.waiting)

    def _lead(self, key: Hashable, flight: _Flight[T], work: Callable[[], T], may_share: Callable[[T], bool]) -> T:
        try:
            result = work()
            if may_share(result):
                flight.result = result
        except FactCheckError as error:
            if error.for_all:
                flight.error = error
            flight.turned_away = isinstance(error, OverloadedError)
            raise
        else:
            return result
        finally:
            with self._lock:
                del self._flying[key]
            flight.ended = True
            for woken in flight.waiting:
                woken.set()
