from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from service.errors import ModelPausedError
from service.llm.base import Circuit
from service.llm.breaker import (
    FAILURE_SHARE,
    LEAST_CALLS,
    LONGEST_PAUSE_S,
    PROBE_INTERVAL_S,
    PROBE_LEASE_S,
    WINDOW_CALLS,
    WINDOW_S,
    CircuitBreaker,
    Outcome,
    Verdict,
)
from tests.examples import examples
from tests.fakes import FixedClock

WORKS = Outcome(Verdict.WORKS)
FAILS = Outcome(Verdict.FAILS, "upstream-unavailable")
UNKNOWN = Outcome(Verdict.UNKNOWN)


class Trial:
    """A breaker on a clock that stands, and what it told."""

    def __init__(self):
        self.clock = FixedClock()
        self.told = []
        self.breaker = CircuitBreaker(self.clock, lambda circuit, reason: self.told.append((circuit, reason)))

    def ends(self, outcome, times=1):
        for _ in range(times):
            self.breaker.settle(self.breaker.admit(), outcome)
        return self

    def opened(self):
        return self.ends(FAILS, LEAST_CALLS)

    def refusal(self):
        with pytest.raises(ModelPausedError) as caught:
            self.breaker.admit()
        return caught.value

    @property
    def circuit(self):
        return self.breaker.state.circuit


def test_a_breaker_begins_closed():
    state = Trial().breaker.state
    assert (state.circuit, state.reason, state.probe_in_s, state.openings) == (Circuit.CLOSED, None, None, 0)


def test_a_few_failures_say_nothing():
    assert Trial().ends(FAILS, LEAST_CALLS - 1).circuit is Circuit.CLOSED


def test_an_endpoint_that_keeps_failing_is_left_alone_and_the_wait_is_told():
    trial = Trial().opened()
    state = trial.breaker.state
    assert (state.circuit, state.reason, state.probe_in_s) == (Circuit.OPEN, "upstream-unavailable", PROBE_INTERVAL_S)
    assert (state.calls, state.failures, state.openings) == (LEAST_CALLS, LEAST_CALLS, 1)
    trial.clock.advance(2)
    assert trial.refusal().retry_after_s == PROBE_INTERVAL_S - 2


def test_an_endpoint_dies_within_a_window_of_calls_however_well_it_did_before():
    trial = Trial().ends(WORKS, 1_000)
    needed = 0
    while trial.circuit is Circuit.CLOSED:
        trial.ends(FAILS)
        needed += 1
    assert needed == FAILURE_SHARE * WINDOW_CALLS


def test_a_model_that_answers_every_other_time_is_still_asked():
    trial = Trial()
    for _ in range(100):
        trial.ends(WORKS).ends(FAILS)
    assert trial.circuit is Circuit.CLOSED


def test_old_failures_are_forgotten():
    trial = Trial().ends(FAILS, LEAST_CALLS - 1)
    trial.clock.advance(WINDOW_S + 1)
    assert trial.ends(FAILS).breaker.state.calls == 1


def test_calls_that_say_nothing_are_not_counted():
    assert Trial().ends(UNKNOWN, 100).breaker.state.calls == 0


@pytest.mark.parametrize(
    ("asked_s", "wait_s"),
    [
        pytest.param(60.0, 60.0, id="as asked"),
        pytest.param(0.5, PROBE_INTERVAL_S, id="never shorter than a probe interval"),
        pytest.param(3_600.0, LONGEST_PAUSE_S, id="never an hour"),
    ],
)
def test_an_endpoint_that_asks_for_it_is_left_alone_at_once(asked_s, wait_s):
    trial = Trial().ends(Outcome(Verdict.UNKNOWN, "upstream-busy", asked_s, leave_alone=True))
    assert trial.circuit is Circuit.OPEN
    assert trial.refusal().retry_after_s == wait_s


def test_the_last_wait_asked_for_is_kept_when_failures_open_it():
    trial = Trial().ends(Outcome(Verdict.FAILS, "upstream-unavailable", 20.0), LEAST_CALLS)
    assert trial.refusal().retry_after_s == 20.0


def half_open():
    trial = Trial().opened()
    trial.clock.advance(PROBE_INTERVAL_S)
    return trial, trial.breaker.admit()


def test_one_probe_at_a_time_is_let_through():
    trial, _ = half_open()
    assert trial.circuit is Circuit.HALF_OPEN
    assert trial.refusal().retry_after_s == PROBE_INTERVAL_S


def test_a_probe_that_works_closes_it_with_a_clean_slate():
    trial, probe = half_open()
    trial.breaker.settle(probe, WORKS)
    state = trial.breaker.state
    assert (state.circuit, state.calls, state.reason) == (Circuit.CLOSED, 0, None)
    assert trial.told == [(Circuit.OPEN, "upstream-unavailable"), (Circuit.CLOSED, "upstream-unavailable")]


@pytest.mark.parametrize("outcome", [FAILS, Outcome(Verdict.UNKNOWN, wait_s=1.0)], ids=["fails", "busy for a second"])
def test_a_probe_that_does_not_opens_it_for_another_interval(outcome):
    trial, probe = half_open()
    trial.breaker.settle(probe, outcome)
    state = trial.breaker.state
    assert (state.circuit, state.reason, state.openings) == (Circuit.OPEN, "upstream-unavailable", 1)
    assert trial.refusal().retry_after_s == PROBE_INTERVAL_S
    assert len(trial.told) == 1


def test_a_probe_that_hangs_does_not_keep_others_from_trying():
    trial, hung = half_open()
    trial.clock.advance(PROBE_LEASE_S)
    second = trial.breaker.admit()
    trial.breaker.settle(hung, FAILS)
    assert trial.circuit is Circuit.HALF_OPEN
    trial.breaker.settle(second, WORKS)
    assert trial.circuit is Circuit.CLOSED


def test_a_probe_that_says_nothing_lets_the_next_caller_try_at_once():
    trial, probe = half_open()
    trial.breaker.settle(probe, UNKNOWN)
    state = trial.breaker.state
    assert (state.circuit, state.reason, state.probe_in_s, state.openings) == (Circuit.OPEN, "upstream-unavailable", 0.0, 1)
    second = trial.breaker.admit()
    assert trial.refusal().retry_after_s == PROBE_INTERVAL_S
    trial.breaker.settle(second, WORKS)
    assert trial.circuit is Circuit.CLOSED


def slow_probe(then):
    """A probe that took longer than its lease, after another that ended as `then` says, or has not."""
    trial, slow = half_open()
    trial.clock.advance(PROBE_LEASE_S)
    second = trial.breaker.admit()
    if then is not None:
        trial.breaker.settle(second, then)
    return trial, slow


@pytest.mark.parametrize("then", [None, FAILS, UNKNOWN], ids=["under way", "failed", "said nothing"])
def test_a_slow_probe_that_works_closes_it(then):
    trial, slow = slow_probe(then)
    trial.breaker.settle(slow, WORKS)
    assert (trial.circuit, trial.breaker.state.calls) == (Circuit.CLOSED, 0)
    assert [circuit for circuit, _ in trial.told] == [Circuit.OPEN, Circuit.CLOSED]


@pytest.mark.parametrize(
    "outcome",
    [FAILS, UNKNOWN, Outcome(Verdict.UNKNOWN, "upstream-busy", 60.0, leave_alone=True)],
    ids=["fails", "says nothing", "busy"],
)
def test_a_slow_probe_that_does_not_work_changes_nothing(outcome):
    trial, slow = slow_probe(FAILS)
    before = trial.breaker.state
    trial.breaker.settle(slow, outcome)
    assert trial.breaker.state == before


def test_a_slow_probe_does_not_end_a_pause_that_was_asked_for_meanwhile():
    trial, slow = slow_probe(Outcome(Verdict.UNKNOWN, "upstream-busy", 60.0, leave_alone=True))
    trial.breaker.settle(slow, WORKS)
    assert trial.refusal().retry_after_s == 60.0


def test_a_probe_of_an_earlier_outage_says_nothing_of_this_one():
    trial, slow = slow_probe(WORKS)
    trial.breaker.settle(slow, WORKS)
    trial.opened().breaker.settle(slow, WORKS)
    assert trial.circuit is Circuit.OPEN


def test_calls_begun_before_it_opened_say_nothing_any_more():
    trial = Trial()
    under_way = [trial.breaker.admit() for _ in range(50)]
    trial.opened()
    for ticket in under_way:
        trial.breaker.settle(ticket, WORKS)
    assert trial.circuit is Circuit.OPEN


def test_many_threads_get_one_probe():
    trial = Trial().opened()
    trial.clock.advance(PROBE_INTERVAL_S)

    def admitted(_):
        try:
            return trial.breaker.admit()
        except ModelPausedError:
            return None

    with ThreadPoolExecutor(8) as pool:
        assert sum(ticket is not None for ticket in pool.map(admitted, range(200))) == 1


class BreakerMachine(RuleBasedStateMachine):
    """Any order of calls begun, ended and waited for, against what must hold of every breaker."""

    def __init__(self):
        super().__init__()
        self.clock = FixedClock()
        self.breaker = CircuitBreaker(self.clock)
        self.under_way = []
        self.probes = []
        self.last_probe = None

    @rule()
    def begin(self):
        before = self.breaker.state
        if before.probe_in_s:
            with pytest.raises(ModelPausedError) as caught:
                self.breaker.admit()
            assert 0 < caught.value.retry_after_s <= LONGEST_PAUSE_S
            assert self.breaker.state == before
            return
        self.under_way.append(self.breaker.admit())
        if before.circuit is not Circuit.CLOSED:
            assert self.breaker.state.circuit is Circuit.HALF_OPEN
            if self.last_probe is not None:
                assert self.clock() - self.last_probe >= PROBE_INTERVAL_S
            self.last_probe = self.clock()
            self.probes.append(self.under_way[-1])

    @precondition(lambda self: self.under_way)
    @rule(
        index=st.integers(0, 10_000),
        verdict=st.sampled_from(Verdict),
        wait_s=st.none() | st.floats(0, 10_000),
        leave_alone=st.booleans(),
    )
    def end(self, index, verdict, wait_s, leave_alone):
        ticket = self.under_way.pop(index % len(self.under_way))
        before = self.breaker.state
        self.breaker.settle(ticket, Outcome(verdict, "why", wait_s, leave_alone))
        after = self.breaker.state
        assert after.openings - before.openings == (before.circuit is Circuit.CLOSED and after.circuit is Circuit.OPEN)
        works = verdict is Verdict.WORKS and not leave_alone
        if before.circuit is Circuit.OPEN and not (works and ticket in self.probes):
            assert after == before
        if before.circuit is Circuit.HALF_OPEN and after.circuit is Circuit.OPEN and not after.probe_in_s:
            assert verdict is Verdict.UNKNOWN
            assert not wait_s
            self.last_probe = None
        if before.circuit is Circuit.HALF_OPEN and ticket == self.probes[-1]:
            assert (after.circuit is Circuit.CLOSED) == works
        if before.circuit is not Circuit.CLOSED and after.circuit is Circuit.CLOSED:
            assert works
            assert ticket in self.probes
            self.forget_probes()
        if before.circuit is Circuit.CLOSED and after.circuit is Circuit.OPEN and not leave_alone:
            assert verdict is Verdict.FAILS
            assert after.calls >= LEAST_CALLS
            assert after.failures >= FAILURE_SHARE * after.calls

    @rule(seconds=st.floats(0.01, 60))
    def wait(self, seconds):
        self.clock.advance(seconds)

    @rule()
    def recover(self):
        """An endpoint that works again is asked again within the longest pause, whatever happened before."""
        for _ in range(2):
            self.clock.advance(LONGEST_PAUSE_S)
            self.breaker.settle(self.breaker.admit(), WORKS)
        assert self.breaker.state.circuit is Circuit.CLOSED
        self.forget_probes()

    def forget_probes(self):
        """They were of an outage that is over."""
        self.probes, self.last_probe = [], None

    @invariant()
    def its_state_is_sound(self):
        state = self.breaker.state
        assert 0 <= state.failures <= state.calls <= WINDOW_CALLS
        assert (state.probe_in_s is None) == (state.reason is None) == (state.circuit is Circuit.CLOSED)


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = examples()
