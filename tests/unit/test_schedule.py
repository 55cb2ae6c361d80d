"""Every piece of work here waits for the test, so that only the order in which it is begun decides."""

from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from queue import SimpleQueue
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.deadline import Deadline
from service.errors import ClientGoneError, DeadlineExceededError, OverloadedError
from service.pipeline.schedule import Limits, Schedule
from service.tracing import current, enter, server_span
from tests.examples import examples
from tests.fakes import FixedClock

PATIENCE_S = 30


class Work:
    """Work that says its name when it is begun and ends when it is told to."""

    def __init__(self):
        self.begun = SimpleQueue()
        self.may_end = {}

    def __call__(self, name):
        self.begun.put(name)
        assert self.may_end.setdefault(name, Event()).wait(PATIENCE_S)
        return name

    def next(self):
        return self.begun.get(timeout=PATIENCE_S)

    def end(self, *names):
        for name in names:
            self.may_end.setdefault(name, Event()).set()


@pytest.fixture
def work():
    return Work()


@contextmanager
def schedule_of(**limits):
    schedule = Schedule(Limits(**limits))
    try:
        yield schedule
    finally:
        schedule.close()


@contextmanager
def requests(schedule, *callers):
    with ExitStack() as stack:
        yield [stack.enter_context(schedule.turn(caller, Deadline.after(60))) for caller in callers]


def order_of(work, first, count):
    """The names begun after `first`, each ended before the next begins."""
    seen = [first]
    for _ in range(count):
        work.end(seen[-1])
        seen.append(work.next())
    work.end(seen[-1])
    return seen


def test_work_comes_back_with_what_it_made_or_raised():
    with schedule_of() as schedule, requests(schedule, "a") as (turn,):
        assert turn.submit(str.upper, "x").result(PATIENCE_S) == "X"
        assert isinstance(turn.submit(int, "x").exception(PATIENCE_S), ValueError)


def test_it_tells_how_much_is_being_done_and_how_much_waits(work):
    with schedule_of(calls=1) as schedule, requests(schedule, "a", "b") as (one, other):
        assert (schedule.running, schedule.waiting) == (0, 0)
        for turn, name in ((one, "A1"), (one, "A2"), (other, "B1")):
            turn.submit(work, name)
        assert work.next() == "A1"
        assert (schedule.running, schedule.waiting) == (1, 2)
        work.end("A1", "A2", "B1")


def test_work_knows_whose_trace_it_is_and_no_other_work_does():
    trace = server_span(None, None)
    with schedule_of(calls=1) as schedule, requests(schedule, "a") as (turn,):
        enter(trace)
        try:
            known = turn.submit(lambda _: current(), None)
        finally:
            enter(None)
        unknown = turn.submit(lambda _: current(), None)
        assert (known.result(PATIENCE_S), unknown.result(PATIENCE_S)) == (trace, None)


def test_a_short_article_does_not_wait_for_all_of_a_long_one(work):
    with schedule_of(calls=1) as schedule, requests(schedule, "a", "a") as (long, short):
        for name in ("L1", "L2", "L3", "L4"):
            long.submit(work, name)
        assert work.next() == "L1"
        short.submit(work, "S1")
        assert order_of(work, "L1", 4) == ["L1", "L2", "S1", "L3", "L4"]


def test_a_caller_with_one_request_does_not_wait_for_all_of_one_with_many(work):
    with schedule_of(calls=1) as schedule, requests(schedule, "a", "a", "a", "a", "b") as turns:
        *many, single = turns
        for number, turn in enumerate(many):
            turn.submit(work, f"A{number}")
        assert work.next() == "A0"
        single.submit(work, "B")
        assert order_of(work, "A0", 4) == ["A0", "A1", "B", "A2", "A3"]


def test_one_article_has_no_more_places_than_it_may(work):
    with schedule_of(calls=3, calls_per_article=2) as schedule, requests(schedule, "a", "a") as (long, short):
        for name in ("L1", "L2", "L3"):
            long.submit(work, name)
        assert {work.next(), work.next()} == {"L1", "L2"}
        short.submit(work, "S1")
        assert work.next() == "S1"
        work.end("L1")
        assert work.next() == "L3"
        work.end("L2", "L3", "S1")


def test_one_article_at_a_time_is_read_to_its_end(work):
    with schedule_of(calls=1, articles=1, patience_s=None) as schedule, requests(schedule, "b") as (second,):
        with requests(schedule, "a") as (first,):
            futures = [first.submit(work, name) for name in ("A1", "A2")]
            second.submit(work, "B1")
            assert order_of(work, work.next(), 1) == ["A1", "A2"]
            assert futures[1].result(PATIENCE_S) == "A2"
        assert work.next() == "B1"
        work.end("B1")


def test_a_request_without_a_place_is_turned_away_when_patience_ends(work):
    with schedule_of(calls=1, patience_s=0.01) as schedule, requests(schedule, "a", "b") as (first, second):
        first.submit(work, "A")
        first.await_start()
        waiting = second.submit(work, "B")
        with pytest.raises(OverloadedError):
            second.await_start()
        assert not waiting.done()
        work.end("A", "B")


@pytest.mark.parametrize("in_vain_s", [60.0, 61.0])
def test_who_has_no_patience_left_has_a_free_place_or_is_turned_away_at_once(work, in_vain_s):
    with schedule_of(calls=1, patience_s=60.0) as schedule, schedule.turn("a", Deadline.after(60), in_vain_s) as first:
        first.submit(work, "A")
        first.await_start()
        with schedule.turn("b", Deadline.after(60), in_vain_s) as second:
            second.submit(work, "B")
            with pytest.raises(OverloadedError):
                second.await_start()
        work.end("A")


def test_who_waits_as_long_as_the_deadline_is_told_when_that_has_passed(work):
    with schedule_of(calls=1, patience_s=None) as schedule, requests(schedule, "a") as (first,):
        first.submit(work, "A")
        with schedule.turn("b", Deadline.after(0.01)) as second:
            second.submit(work, "B")
            with pytest.raises(DeadlineExceededError):
                second.await_start()
        work.end("A")


def test_what_has_not_begun_is_dropped_with_its_request(work):
    with schedule_of(calls=1) as schedule, requests(schedule, "c") as (other,):
        with requests(schedule, "a", "b") as (first, second):
            first.submit(work, "A")
            assert work.next() == "A"
            dropped = second.submit(work, "B")
        assert dropped.cancelled()
        with pytest.raises(CancelledError):
            second.submit(work, "B2").result(PATIENCE_S)
        other.submit(work, "C")
        work.end("A", "C")
        assert work.next() == "C"


def test_a_client_that_leaves_drops_what_has_not_begun(work):
    deadline = Deadline.after(60, FixedClock())
    with schedule_of(calls=1) as schedule, requests(schedule, "a") as (first,), schedule.turn("b", deadline) as second:
        first.submit(work, "A")
        dropped = second.submit(work, "B")
        deadline.interest.lose()
        with pytest.raises(ClientGoneError):
            second.await_start()
        assert dropped.cancelled()
        work.end("A")


def test_a_place_is_taken_until_its_work_has_ended_whoever_has_left(work):
    with schedule_of(calls=1, patience_s=0.01) as schedule:
        with requests(schedule, "a") as (first,):
            first.submit(work, "A")
            assert work.next() == "A"
        with requests(schedule, "b") as (second,):
            second.submit(work, "B")
            with pytest.raises(OverloadedError):
                second.await_start()
        work.end("A")
        with requests(schedule, "c") as (third,):
            assert third.submit(str.upper, "c").result(PATIENCE_S) == "C"


def test_work_whose_waiter_took_it_back_is_not_done(work):
    with schedule_of(calls=1) as schedule, requests(schedule, "a") as (turn,):
        turn.submit(work, "A")
        taken_back = turn.submit(work, "B")
        assert taken_back.cancel()
        last = turn.submit(work, "C")
        work.end("A", "C")
        assert last.result(PATIENCE_S) == "C"
        assert [work.next(), work.next()] == ["A", "C"]


@examples()
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 5)), max_size=8), st.integers(1, 4), st.integers(1, 3))
def test_everything_is_done_once_and_the_schedule_is_empty_again(articles, calls, per_article):
    done = []
    with schedule_of(calls=calls, calls_per_article=per_article) as schedule:
        with requests(schedule, *(caller for caller, _ in articles)) as turns:
            futures = [
                turn.submit(done.append, (at, number))
                for at, (turn, (_, count)) in enumerate(zip(turns, articles, strict=True))
                for number in range(count)
            ]
            for future in futures:
                future.result(PATIENCE_S)
        assert sorted(done) == [(at, number) for at, (_, count) in enumerate(articles) for number in range(count)]
        with requests(schedule, "z") as (turn,):
            assert turn.submit(str.upper, "z").result(PATIENCE_S) == "Z"
