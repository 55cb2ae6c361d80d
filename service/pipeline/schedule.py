"""Whose passage is read next: owns the places at the model, and hands each that comes free to callers and requests in turn."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from threading import Event, Lock
from typing import Any, Final, TypeVar

from service.deadline import LONGEST_WAIT_S, Deadline
from service.errors import OverloadedError

PATIENCE_S: Final = 1.0
"""A request without any place for this long is turned away: one that comes again later costs less than one that waits."""

Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Limits:
    """How much is done at a time.

    `calls` is for all requests together, `calls_per_article` for each of them, `articles` bounds the requests that are
    read at a time (None: as many as there are places). `patience_s` is how long a request waits for its first place
    before it is turned away (None: as long as its deadline allows).
    """

    calls: int = 8
    calls_per_article: int = 8
    articles: int | None = None
    patience_s: float | None = PATIENCE_S


class Schedule:
    """The places at the model. One that comes free goes to the next caller in turn, and to the next of its requests.

    Thread-safe. Work is done in threads of its own, at most one for each place: who waits for it can leave at the deadline
    whatever the work does, and a place is free again only when its work has ended.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._lock = Lock()
        self._running = 0
        self._articles = 0
        # Exactly the requests with something to begin that have not all the places one article may have, next one first.
        self._next: OrderedDict[str, deque[Turn]] = OrderedDict()
        self._threads = ThreadPoolExecutor(self.limits.calls, thread_name_prefix="passage")

    @contextmanager
    def turn(self, caller: str, deadline: Deadline, in_vain_s: float = 0.0) -> Iterator["Turn"]:
        """A request's right to be served in turn. What has not begun when it ends, or when its client leaves, is dropped.

        `in_vain_s` is how much of its patience the request has spent before.
        """
        turn = Turn(self, caller, deadline, in_vain_s)
        with deadline.interest.when_lost(lambda: self._drop(turn)):
            try:
                yield turn
            finally:
                self._drop(turn)

    @property
    def running(self) -> int:
        """How many passages are being read."""
        with self._lock:
            return self._running

    @property
    def waiting(self) -> int:
        """How many passages could be read if there were places enough."""
        with self._lock:
            return sum(len(turn.tasks) for turns in self._next.values() for turn in turns)

    def close(self) -> None:
        """Nothing; no work is begun any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def add(self, turn: "Turn", task: "Task") -> None:
        """Nothing; `task` is begun when it is its turn."""
        with self._lock:
            if turn.over:
                task.future.cancel()
                return
            turn.tasks.append(task)
            self._queue(turn)
            self._begin()

    def _drop(self, turn: "Turn") -> None:
        with self._lock:
            if not turn.over:
                turn.over = True
                self._unqueue(turn)
                self._articles -= turn.begun.is_set()
                self._begin()
            dropped = tuple(turn.tasks)
            turn.tasks.clear()
        turn.begun.set()  # it has nothing to wait for any more
        for task in dropped:
            task.future.cancel()

    def _queue(self, turn: "Turn") -> None:
        if turn.tasks and turn.running < self.limits.calls_per_article and not turn.over:
            turns = self._next.setdefault(turn.caller, deque())
            if turn not in turns:
                turns.append(turn)

    def _unqueue(self, turn: "Turn") -> None:
        turns = self._next.get(turn.caller, deque())
        if turn in turns:
            turns.remove(turn)
            if not turns:
                del self._next[turn.caller]

    def _begin(self) -> None:
        """Fill the free places."""
        while self._running < self.limits.calls and (turn := self._whose_turn()) is not None:
            self._unqueue(turn)
            if turn.caller in self._next:
                self._next.move_to_end(turn.caller)
            self._running += 1
            turn.running += 1
            if not turn.begun.is_set():
                self._articles += 1
                turn.begun.set()
            task = turn.tasks.popleft()
            self._queue(turn)
            self._threads.submit(self._run, turn, task)

    def _whose_turn(self) -> "Turn | None":
        full = self.limits.articles is not None and self._articles >= self.limits.articles
        return next((turn for turns in self._next.values() for turn in turns if turn.begun.is_set() or not full), None)

    def _run(self, turn: "Turn", task: "Task") -> None:
        try:
            task.run()
        finally:
            with self._lock:
                self._running -= 1
                turn.running -= 1
                self._queue(turn)
                self._begin()


@dataclass(frozen=True)
class Task:
    """One piece of work and who is told what came of it."""

    future: Future[Any]
    work: Callable[[], Any]

    def run(self) -> None:
        """Nothing; the future has the outcome."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            self.future.set_result(self.work())
        except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to who waits for the outcome
            self.future.set_exception(error)


class Turn:
    """One request in the schedule, which alone changes what is public here."""

    def __init__(self, schedule: Schedule, caller: str, deadline: Deadline, in_vain_s: float) -> None:
        self.caller = caller
        self.tasks: deque[Task] = deque()
        self.running = 0
        self.begun = Event()
        self.over = False
        self._schedule = schedule
        self._deadline = deadline
        self._in_vain_s = in_vain_s

    def submit(self, work: Callable[[Given], Made], given: Given) -> "Future[Made]":
        """What comes of `work` done on `given` when it is its turn."""
        future: Future[Made] = Future()
        context = copy_context()  # so that the thread it is done in knows whose trace it is
        self._schedule.add(self, Task(future, lambda: context.run(work, given)))
        return future

    def await_start(self) -> None:
        """Nothing, once some of what was submitted has begun.

        Raises: OverloadedError when none has within the schedule's patience, DeadlineExceededError, ClientGoneError.
        """
        left_s, patience_s = self._deadline.remaining_s(), self._schedule.limits.patience_s
        wait_s = left_s if patience_s is None else min(left_s, patience_s - self._in_vain_s)
        begun = self.begun.wait(min(max(wait_s, 0.0), LONGEST_WAIT_S))
        self._deadline.check()
        if not begun:
            raise OverloadedError("no place at the model came free in time")
