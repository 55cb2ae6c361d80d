"""The only retry loop: one policy around any chat model, inside one deadline."""

import random as randomness
import time
from collections.abc import Callable
from dataclasses import replace

from tenacity import RetryCallState, Retrying, retry_if_exception

from service.deadline import Deadline
from service.errors import (
    ModelBusyError,
    ModelError,
    ModelReplyError,
    ModelSchemaError,
    ModelTruncatedError,
    ModelUnavailableError,
)
from service.llm.base import ChatModel, ModelCall, ModelTraits, Reply

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 8.0
JITTER_S = 0.25
"""Added to a wait the endpoint asked for, so that all who were turned away together do not come back together."""


class RetryingModel:
    """A model asked up to `attempts` times, as long as its failures are worth a repeat and the deadline allows.

    Waits: what the endpoint asked for, else an even draw from [0, 0.5 s, doubled each time, at most 8 s]. A wait that
    would pass the deadline is not begun: the failure is raised at once. `random` draws from [0, 1).
    """

    def __init__(
        self,
        model: ChatModel,
        attempts: int,
        *,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = randomness.random,
    ) -> None:
        self._model = model
        self._attempts = attempts
        self._sleep = sleep
        self._random = random

    @property
    def traits(self) -> ModelTraits:
        """What is known of the model before it is asked."""
        return self._model.traits

    def ready(self) -> str | None:
        """None when a call could be made now, else a short reason."""
        return self._model.ready()

    def complete(self, call: ModelCall, deadline: Deadline) -> Reply:
        """A whole answer to `call`; its `calls` and `retries` count the failed attempts too.

        Raises: ModelError (the last one), DeadlineExceededError.
        """
        deadline.check()
        failed = 0

        def count_failure(_: RetryCallState) -> None:
            nonlocal failed
            failed += 1

        retrying = Retrying(
            sleep=self._sleep,
            retry=retry_if_exception(_worth_a_repeat),
            wait=self._wait_s,
            stop=lambda state: state.attempt_number >= self._attempts or state.upcoming_sleep >= deadline.remaining_s(),
            before_sleep=count_failure,
            reraise=True,
        )
        reply = retrying(self._model.complete, call, deadline)
        return replace(reply, calls=reply.calls + failed, retries=reply.retries + failed) if failed else reply

    def _wait_s(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, ModelError) and error.retry_after_s is not None:
            return error.retry_after_s + JITTER_S * self._random()
        return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (state.attempt_number - 1)) * self._random()


def _worth_a_repeat(error: BaseException) -> bool:
    match error:
        case ModelUnavailableError():
            return error.may_retry
        case ModelTruncatedError() | ModelSchemaError():
            return False  # the same prompt would be cut off again; a schema fault has had its repair round
        case ModelBusyError() | ModelReplyError():
            return True
        case _:
            return False
