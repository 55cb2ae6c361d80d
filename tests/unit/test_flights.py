from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import sleep

import pytest

from service.deadline import Deadline
from service.errors import ClientGoneError, DeadlineExceededError, FactCheckError, ModelUnavailableError, OverloadedError
from service.pipeline.flights import Flights
from tests.fakes import FixedClock

PATIENCE_S = 30


def always(_):
    return True


class Work:
    """Work that waits until it is let go, and then ends as it is told."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.begun = Event()
        self.go = Event()
        self.times = 0

    def __call__(self, _in_vain_s):
        self.times += 1
        self.begun.set()
        assert self.go.wait(PATIENCE_S)
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


def together(flights, work, count, may_share=always, deadline=None):
    """What `count` callers got, of whom the first was at work before the others came."""

    def call():
        try:
            return flights.once("key", work, deadline or Deadline.after(PATIENCE_S), may_share)
        except FactCheckError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        first = pool.submit(call)
        assert work.begun.wait(PATIENCE_S)
        others = [pool.submit(call) for _ in range(count - 1)]
        while flights.waiting("key") < count - 1:
            sleep(0.001)
        work.go.set()
        return first.result(), [other.result() for other in others]


def test_work_asked_for_many_times_at_once_is_done_once():
    work = Work("done")
    first, others = together(Flights(), work, 64)
    assert first == ("done", False)
    assert others == [("done", True)] * 63
    assert work.times == 1


def test_work_asked_for_afterwards_is_done_again():
    flights, work = Flights(), Work("one", "two")
    work.go.set()
    assert flights.once("key", work, Deadline.after(1), always) == ("one", False)
    assert flights.once("key", work, Deadline.after(1), always) == ("two", False)


def test_other_work_is_not_waited_for():
    flights, slow = Flights(), Work("slow")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(flights.once, "slow", slow, Deadline.after(PATIENCE_S), always)
        assert slow.begun.wait(PATIENCE_S)
        assert flights.once("quick", lambda _: "quick", Deadline.after(1), always) == ("quick", False)
        slow.go.set()
        assert waiting.result() == ("slow", False)


def test_a_failure_of_the_model_is_everybodys():
    error = ModelUnavailableError("gone")
    work = Work(error)
    first, others = together(Flights(), work, 8)
    assert first is error
    assert others == [error] * 7
    assert work.times == 1


def test_a_failure_says_whether_it_is_everybodys():
    assert ModelUnavailableError.for_all
    assert not DeadlineExceededError.for_all


def of_one(error):
    """An error that only the time of this request kept from being overcome."""
    error.for_all = False
    return error


@pytest.mark.parametrize(
    "error",
    [DeadlineExceededError("late"), of_one(ModelUnavailableError("no time")), KeyError("a bug"), SystemExit(1)],
    ids=repr,
)
def test_where_only_the_first_one_failed_another_does_the_work(error):
    flights, work = Flights(), Work(error, *["done"] * 7)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(flights.once, "key", work, Deadline.after(PATIENCE_S), always)
        assert work.begun.wait(PATIENCE_S)
        others = [pool.submit(flights.once, "key", work, Deadline.after(PATIENCE_S), always) for _ in range(7)]
        while flights.waiting("key") < 7:
            sleep(0.001)
        work.go.set()
        assert isinstance(first.exception(), type(error))
        found = [other.result() for other in others]
    assert {result for result, _ in found} == {"done"}
    assert [shared for _, shared in found].count(False) == work.times - 1
    assert flights.waiting("key") == 0


def test_a_result_that_may_not_be_shared_is_not():
    work = Work(*range(5))
    first, others = together(Flights(), work, 4, may_share=lambda result: result > 0)
    assert first == (0, False)
    assert all(result > 0 for result, _ in others)
    assert work.times >= 2


def test_who_waits_does_so_within_their_own_time():
    flights, work, clock = Flights(), Work("done"), FixedClock()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(flights.once, "key", work, Deadline.after(PATIENCE_S), always)
        assert work.begun.wait(PATIENCE_S)
        with pytest.raises(DeadlineExceededError):
            flights.once("key", work, Deadline.after(0.01, clock), always)
        with pytest.raises(DeadlineExceededError):
            flights.once("key", work, Deadline(clock.now - 1, clock), always)
        work.go.set()
        assert first.result() == ("done", False)
    assert work.times == 1


def test_who_waits_for_the_work_of_another_is_gone_as_soon_as_their_client_is():
    flights, work, deadline = Flights(), Work("done"), Deadline.after(PATIENCE_S)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(flights.once, "key", work, Deadline.after(PATIENCE_S), always)
        assert work.begun.wait(PATIENCE_S)
        other = pool.submit(flights.once, "key", work, deadline, always)
        while flights.waiting("key") < 1:
            sleep(0.001)
        deadline.interest.lose()
        assert isinstance(other.exception(PATIENCE_S / 2), ClientGoneError)
        assert not first.done()
        work.go.set()
        assert first.result() == ("done", False)


class Crowded:
    """Work there is no place for: each who comes waits until its patience is spent, and is turned away."""

    def __init__(self, clock, patience_s):
        self.clock = clock
        self.patience_s = patience_s
        self.begun = Event()
        self.go = Event()
        self.waited = []

    def __call__(self, in_vain_s):
        self.begun.set()
        assert self.go.wait(PATIENCE_S)
        self.waited.append(self.patience_s - in_vain_s)
        self.clock.advance(self.waited[-1])
        raise OverloadedError("no place")


def test_who_waited_for_one_that_was_turned_away_tries_with_the_patience_that_is_left():
    clock = FixedClock()
    flights, work, deadline = Flights(), Crowded(clock, 1.0), Deadline.after(PATIENCE_S, clock)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(flights.once, "key", work, deadline, always)
        assert work.begun.wait(PATIENCE_S)
        clock.advance(0.75)
        others = [pool.submit(flights.once, "key", work, deadline, always) for _ in range(3)]
        while flights.waiting("key") < 3:
            sleep(0.001)
        work.go.set()
        assert all(isinstance(one.exception(), OverloadedError) for one in [first, *others])
    assert work.waited == [1.0, 0.0, 0.0, 0.0]
    assert clock.now == 1001.75


def test_who_waited_for_one_that_was_turned_away_has_the_place_that_came_free_since():
    flights, work = Flights(), Work(OverloadedError("no place"), *["done"] * 3)
    first, others = together(flights, work, 4)
    assert isinstance(first, OverloadedError)
    assert {result for result, _ in others} == {"done"}
