from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from service.deadline import Deadline
from service.errors import (
    DeadlineExceededError,
    FactCheckError,
    ModelBusyError,
    ModelContextError,
    ModelEmptyError,
    ModelMisconfiguredError,
    ModelQuotaError,
    ModelRefusedError,
    ModelReplyError,
    ModelSchemaError,
    ModelTruncatedError,
    ModelUnavailableError,
)
from service.llm.base import Message, ModelCall, Reply, ReplySchema, ResponseFormat
from service.llm.retrying import JITTER_S, LONGEST_WAIT_S, RetryingModel
from tests.fakes import TRAITS, FixedClock, ScriptedModel

CALL = ModelCall((Message("user", "hello"),), ReplySchema("s.v1", "0", {}), temperature=0.0, max_output_tokens=10)
REPLY = Reply("{}", "m", ResponseFormat.JSON_SCHEMA, calls=1)


class SlowModel(ScriptedModel):
    """A scripted model whose answers take their time."""

    def __init__(self, *outcomes: Reply | Exception, takes: Callable[[], None]) -> None:
        super().__init__(*outcomes, not_ready="warming up")
        self._takes = takes

    def complete(self, call: ModelCall, deadline: Deadline) -> Reply:
        deadline.check()
        self._takes()
        return super().complete(call, Deadline.after(1))


@dataclass
class Trial:
    scripted: ScriptedModel
    model: RetryingModel
    clock: FixedClock
    slept: list[float] = field(default_factory=list)

    def run(self, deadline_s: float = 60.0) -> Reply:
        return self.model.complete(CALL, Deadline.after(deadline_s, self.clock))


def trial(*outcomes: Reply | FactCheckError, attempts: int = 3, draw: float = 0.0, takes_s: float = 0.0) -> Trial:
    clock = FixedClock()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.advance(seconds)

    scripted = SlowModel(*outcomes, takes=lambda: clock.advance(takes_s))
    return Trial(scripted, RetryingModel(scripted, attempts, sleep=sleep, random=lambda: draw), clock, slept)


def test_a_first_answer_is_passed_on_untouched():
    run = trial(REPLY)

    assert run.run() is REPLY
    assert run.slept == []


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(ModelUnavailableError("down"), id="unavailable"),
        pytest.param(ModelBusyError("busy"), id="busy"),
        pytest.param(ModelReplyError("not a completion"), id="malformed answer"),
        pytest.param(ModelEmptyError("no choices"), id="empty answer"),
    ],
)
def test_failures_that_pass_are_asked_again(failure):
    run = trial(failure, failure, REPLY)

    assert run.run() == Reply("{}", "m", ResponseFormat.JSON_SCHEMA, calls=3, retries=2)


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(ModelUnavailableError("told not to", may_retry=False), id="told not to retry"),
        pytest.param(ModelTruncatedError("cut off"), id="cut off"),
        pytest.param(ModelSchemaError("off schema"), id="off schema"),
        pytest.param(ModelQuotaError("exhausted"), id="quota"),
        pytest.param(ModelMisconfiguredError("wrong key"), id="wrong key"),
        pytest.param(ModelRefusedError("refused"), id="refusal"),
        pytest.param(ModelContextError("too long"), id="too long"),
        pytest.param(DeadlineExceededError("spent"), id="deadline"),
    ],
)
def test_failures_that_would_repeat_themselves_are_raised_at_once(failure):
    run = trial(failure, REPLY)

    with pytest.raises(type(failure)) as caught:
        run.run()

    assert caught.value is failure
    assert (len(run.scripted.calls), run.slept) == (1, [])


def test_the_last_failure_is_raised_when_the_attempts_are_used_up():
    last = ModelBusyError("the third")
    run = trial(ModelUnavailableError("the first"), ModelReplyError("the second"), last)

    with pytest.raises(ModelBusyError) as caught:
        run.run()

    assert caught.value is last
    assert len(run.scripted.calls) == 3


def test_calls_of_the_answer_itself_are_added_to_the_failed_ones():
    run = trial(ModelUnavailableError("down"), Reply("{}", "m", ResponseFormat.TEXT, calls=3, retries=1))

    reply = run.run()

    assert (reply.calls, reply.retries) == (4, 2)


def test_waits_double_up_to_their_cap():
    run = trial(*[ModelUnavailableError("down")] * 7, REPLY, attempts=8, draw=1.0)

    run.run()

    assert run.slept == [0.5, 1.0, 2.0, 4.0, LONGEST_WAIT_S, LONGEST_WAIT_S, LONGEST_WAIT_S]


def test_waits_are_drawn_from_the_whole_range():
    run = trial(ModelUnavailableError("down"), ModelUnavailableError("down"), REPLY, draw=0.5)

    run.run()

    assert run.slept == [0.25, 0.5]


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(ModelBusyError("busy", retry_after_s=7), id="429"),
        pytest.param(ModelUnavailableError("down", retry_after_s=7), id="503"),
    ],
)
def test_a_wait_the_endpoint_asks_for_is_kept(failure):
    run = trial(failure, REPLY)

    assert run.run().text == "{}"
    assert run.slept == [7]


def test_a_wait_the_endpoint_asks_for_gets_a_little_jitter():
    run = trial(ModelBusyError("busy", retry_after_s=7), REPLY, draw=1.0)

    run.run()

    assert run.slept == [7 + JITTER_S]


def test_a_wait_that_does_not_fit_the_deadline_is_not_begun():
    run = trial(ModelBusyError("busy", retry_after_s=3600), REPLY)

    with pytest.raises(ModelBusyError) as caught:
        run.run(deadline_s=60)

    assert caught.value.retry_after_s == 3600
    assert run.slept == []


def test_backing_off_never_passes_the_deadline():
    run = trial(ModelUnavailableError("down"), ModelUnavailableError("still down"), REPLY, draw=1.0, takes_s=1.0)

    with pytest.raises(ModelUnavailableError, match="still down"):
        run.run(deadline_s=3.0)

    assert run.slept == [0.5]


def test_a_failure_after_the_deadline_is_raised_as_it_is():
    run = trial(ModelUnavailableError("down"), REPLY, takes_s=5.0)

    with pytest.raises(ModelUnavailableError):
        run.run(deadline_s=3.0)


def test_nothing_is_asked_once_the_deadline_has_passed():
    run = trial(REPLY)

    with pytest.raises(DeadlineExceededError):
        run.run(deadline_s=0.0)

    assert len(run.scripted.calls) == 0


def test_one_attempt_means_no_retry():
    run = trial(ModelUnavailableError("down"), REPLY, attempts=1)

    with pytest.raises(ModelUnavailableError):
        run.run()


def test_traits_and_readiness_are_those_of_the_model_inside():
    run = trial()

    assert run.model.traits is TRAITS
    assert run.model.ready() == "warming up"
