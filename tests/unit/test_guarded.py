import pytest

from service.deadline import Deadline
from service.errors import (
    DeadlineExceededError,
    ModelBusyError,
    ModelContextError,
    ModelEmptyError,
    ModelError,
    ModelMisconfiguredError,
    ModelPausedError,
    ModelQuotaError,
    ModelRefusedError,
    ModelReplyError,
    ModelSchemaError,
    ModelTruncatedError,
    ModelUnavailableError,
)
from service.llm.base import Circuit, Message, ModelCall, ReplySchema
from service.llm.breaker import LEAST_CALLS, PROBE_INTERVAL_S, CircuitBreaker
from service.llm.guarded import GuardedModel
from tests.fakes import TRAITS, FixedClock, ScriptedModel

PATIENCE_S = 60.0


def call():
    return ModelCall((Message("user", "hello"),), ReplySchema("s.v1", "0", {}), temperature=0.0, max_output_tokens=10)


class Waiting(ScriptedModel):
    """A scripted model each of whose outcomes takes its time."""

    def __init__(self, *outcomes, clock, takes_s):
        super().__init__(*outcomes)
        self._pass = lambda: clock.advance(takes_s)

    def complete(self, call, deadline):
        deadline.check()
        self._pass()
        return super().complete(call, Deadline.after(1))


class Trial:
    def __init__(self, *outcomes, takes_s=0.0):
        self.clock = FixedClock()
        self.breaker = CircuitBreaker(self.clock)
        self.scripted = Waiting(*outcomes, clock=self.clock, takes_s=takes_s)
        self.model = GuardedModel(self.scripted, self.breaker, PATIENCE_S)

    def run(self, deadline_s=120.0):
        return self.model.complete(call(), Deadline.after(deadline_s, self.clock))

    def fails(self, times, deadline_s=120.0):
        for _ in range(times):
            with pytest.raises((ModelError, DeadlineExceededError, ZeroDivisionError)):
                self.run(deadline_s)
        return self.breaker.state


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ModelUnavailableError("down"), id="unavailable"),
        pytest.param(ModelReplyError("a page in HTML"), id="malformed completion"),
    ],
)
def test_failures_of_the_endpoint_stop_the_asking(error):
    trial = Trial(*[error] * LEAST_CALLS)
    assert trial.fails(LEAST_CALLS).circuit is Circuit.OPEN
    with pytest.raises(ModelPausedError) as caught:
        trial.run()
    assert caught.value.retry_after_s == PROBE_INTERVAL_S
    assert len(trial.scripted.calls) == LEAST_CALLS


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ModelRefusedError("refused"), id="refusal"),
        pytest.param(ModelContextError("too long"), id="too long"),
        pytest.param(ModelEmptyError("nothing"), id="empty"),
        pytest.param(ModelTruncatedError("cut off"), id="cut off"),
        pytest.param(ModelSchemaError("off schema"), id="off schema"),
        pytest.param(ModelQuotaError("exhausted"), id="quota"),
        pytest.param(ModelMisconfiguredError("wrong key"), id="wrong key"),
        pytest.param(ModelBusyError("busy"), id="busy"),
        pytest.param(ModelBusyError("busy", retry_after_s=PATIENCE_S), id="busy for a while"),
        pytest.param(ZeroDivisionError(), id="our own bug"),
    ],
)
def test_what_an_article_or_an_operator_brings_about_does_not(error):
    assert Trial(*[error] * 50).fails(50).circuit is Circuit.CLOSED


def test_an_endpoint_that_lets_long_calls_run_out_of_time_is_failing():
    assert Trial(DeadlineExceededError("spent"), takes_s=PATIENCE_S).fails(1, PATIENCE_S).failures == 1


def test_calls_side_by_side_that_run_out_of_time_open_it():
    trial = Trial()
    trial.scripted = Waiting(*[DeadlineExceededError("spent")] * LEAST_CALLS, clock=trial.clock, takes_s=0.0)
    model = GuardedModel(trial.scripted, trial.breaker, patience_s=0.0)
    for _ in range(LEAST_CALLS):
        with pytest.raises(DeadlineExceededError):
            model.complete(call(), Deadline.after(120, trial.clock))
    assert trial.breaker.state.circuit is Circuit.OPEN


def test_a_caller_in_a_hurry_does_not_make_it_look_failing():
    trial = Trial(*[DeadlineExceededError("spent")] * 50, takes_s=1.0)
    assert trial.fails(50, deadline_s=1.0).calls == 0


@pytest.mark.parametrize(
    ("retry_after_s", "deadline_s", "circuit"),
    [
        pytest.param(3_600, 120, Circuit.OPEN, id="longer than the request can wait"),
        pytest.param(100, 120, Circuit.CLOSED, id="the request can wait"),
        pytest.param(30, 10, Circuit.CLOSED, id="a request in a hurry cannot, others can"),
    ],
)
@pytest.mark.parametrize("kind", [ModelBusyError, ModelUnavailableError])
def test_a_wait_nobody_can_wait_for_stops_the_asking_at_once(kind, retry_after_s, deadline_s, circuit):
    assert Trial(kind("busy", retry_after_s=retry_after_s)).fails(1, deadline_s).circuit is circuit


def test_a_probe_that_answers_lets_all_ask_again():
    trial = Trial(*[ModelUnavailableError("down")] * LEAST_CALLS, "{}", "{}")
    trial.fails(LEAST_CALLS)
    trial.clock.advance(PROBE_INTERVAL_S)
    assert trial.run().text == trial.run().text == "{}"
    assert trial.breaker.state.circuit is Circuit.CLOSED


def test_a_probe_that_ends_in_a_bug_of_ours_gives_its_place_back():
    trial = Trial(*[ModelUnavailableError("down")] * LEAST_CALLS, ZeroDivisionError(), "{}")
    trial.fails(LEAST_CALLS)
    for _ in range(2):
        trial.clock.advance(PROBE_INTERVAL_S)
        if trial.scripted.calls[LEAST_CALLS:]:
            assert trial.run().text == "{}"
        else:
            trial.fails(1)
    assert trial.breaker.state.circuit is Circuit.CLOSED


def test_nothing_is_asked_or_counted_once_the_deadline_has_passed():
    trial = Trial()
    with pytest.raises(DeadlineExceededError):
        trial.run(deadline_s=0.0)
    assert trial.breaker.state.calls == 0


def test_traits_and_readiness_are_those_of_the_model_inside():
    guarded = GuardedModel(ScriptedModel(not_ready="warming up"), CircuitBreaker(FixedClock()), PATIENCE_S)
    assert guarded.traits is TRAITS
    assert guarded.ready() == "warming up"
