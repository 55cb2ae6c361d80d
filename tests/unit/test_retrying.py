from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from service.deadline import Deadline
from service.errors import (
    DeadlineExceededError,
    FactCheckError,
    ModelBusyError,
    ModelContextError,
    ModelEmptyError,
    ModelMisconfiguredError,
    ModelPausedError,
    ModelQuotaError,
    ModelRefusedError,
    ModelReplyError,
    ModelSchemaError,
    ModelTruncatedError,
    ModelUnavailableError,
)
from service.llm.base import CallBudget, Message, ModelCall, Reply, ReplySchema, ResponseFormat
from service.llm.retry_tokens import RetryTokens
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

    def run(self, call: ModelCall = CALL, *, deadline_s: float = 60.0, calls: int = 10) -> Reply:
        return self.model.complete(replace(call, budget=CallBudget(calls)), Deadline.after(deadline_s, self.clock))


def trial(
    *outcomes: Reply | FactCheckError, attempts: int = 3, draw: float = 0.0, takes_s: float = 0.0, earned: int = 0
) -> Trial:
    clock = FixedClock()
    slept: list[float] = []
    tokens = RetryTokens(clock)
    for _ in range(earned):
        tokens.earn()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.advance(seconds)

    scripted = SlowModel(*outcomes, takes=lambda: clock.advance(takes_s))
    model = RetryingModel(scripted, attempts, tokens=tokens, sleep=sleep, random=lambda: draw)
    return Trial(scripted, model, clock, slept)


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
        pytest.param(ModelBusyError("told not to", may_retry=False), id="busy and told not to retry"),
        pytest.param(ModelPausedError("paused", retry_after_s=1), id="paused"),
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
    run = trial(*[ModelUnavailableError("down")] * 7, REPLY, attempts=8, draw=1.0, earned=100)

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
    assert not caught.value.for_all
    assert run.slept == []


@pytest.mark.parametrize("calls", [1, 10], ids=["calls", "attempts"])
def test_a_failure_that_more_time_would_not_have_mended_is_everybodys(calls):
    run = trial(*[ModelBusyError("busy", retry_after_s=3600)] * 2, attempts=1)

    with pytest.raises(ModelBusyError) as caught:
        run.run(calls=calls)

    assert caught.value.for_all


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


@pytest.mark.parametrize("calls", [1, 2])
def test_a_question_whose_calls_are_spent_is_not_asked_again(calls):
    run = trial(*[ModelUnavailableError("down")] * 3)

    with pytest.raises(ModelUnavailableError):
        run.run(calls=calls)

    assert len(run.scripted.calls) == calls


def test_once_the_shared_tokens_are_gone_a_first_failure_is_told_at_once():
    run = trial(*[ModelUnavailableError("down")] * 9)

    asked = []
    for _ in range(4):
        with pytest.raises(ModelUnavailableError):
            run.run()
        asked.append(len(run.scripted.calls))

    assert asked == [3, 5, 6, 7]  # three tokens at first: two repeats, one, and then none


def test_a_failure_that_is_not_repeated_takes_no_token():
    run = trial(*[ModelRefusedError("no")] * 5, ModelUnavailableError("down"), ModelUnavailableError("down"), REPLY)
    for _ in range(5):
        with pytest.raises(ModelRefusedError):
            run.run()

    assert run.run().retries == 2


def test_traits_and_readiness_are_those_of_the_model_inside():
    run = trial()

    assert run.model.traits is TRAITS
    assert run.model.ready() == "warming up"


ROOMY = replace(CALL, most_output_tokens=100)


def test_a_reply_that_was_cut_off_is_asked_for_with_more_room():
    run = trial(ModelTruncatedError("cut off"), REPLY)

    reply = run.run(ROOMY)

    assert reply.retries == 1
    assert [call.max_output_tokens for call in run.scripted.calls] == [10, 20]


@pytest.mark.parametrize("refusal", [ModelMisconfiguredError("no such limit"), ModelContextError("too much")])
def test_an_endpoint_that_refuses_more_room_does_not_hide_what_it_was_asked_for(refusal):
    cut_off = ModelTruncatedError("cut off")
    run = trial(cut_off, refusal)

    with pytest.raises(ModelTruncatedError) as caught:
        run.run(ROOMY)

    assert caught.value is cut_off


class HardToAgreeWith(ScriptedModel):
    """A scripted model whose first outcome costs two requests."""

    def complete(self, call: ModelCall, deadline: Deadline) -> Reply:
        if not self.calls:
            call.budget.spend()
        return super().complete(call, deadline)


@pytest.mark.parametrize(("allowed", "asked"), [(2, 1), (3, 2)])
def test_requests_spent_on_agreeing_with_an_endpoint_that_fails_all_the_same_are_counted(allowed, asked):
    scripted = HardToAgreeWith(ModelUnavailableError("down"), REPLY)
    model, call = RetryingModel(scripted, 3, sleep=lambda _: None), replace(CALL, budget=CallBudget(allowed))

    if asked == 1:
        with pytest.raises(ModelUnavailableError):
            model.complete(call, Deadline.after(60))
    else:
        assert model.complete(call, Deadline.after(60)) == replace(REPLY, calls=3, retries=1)

    assert len(scripted.calls) == asked
