"""The only retry loop: one policy around any chat model, inside one deadline."""

import random as randomness
from collections.abc import Callable
from dataclasses import replace

from tenacity import RetryCallState, Retrying, retry_if_exception

from service.deadline import Deadline
from service.errors import FactCheckError, ModelContextError, ModelError, ModelMisconfiguredError
from service.llm.again import Question
from service.llm.base import ChatModel, ModelCall, ModelTraits, Reply
from service.llm.retry_tokens import RetryTokens

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 8.0
JITTER_S = 0.25
"""Added to a wait the endpoint asked for, so that all who were turned away together do not come back together."""


class RetryingModel:
    """A model asked up to `attempts` times, as long as its failures are worth a repeat and the deadline allows.

    What is asked after a failure, and whether, is for `Question` to say.
    A repeat also takes a call of the question's budget and one of the `tokens` that all questions to this model share;
    where either is gone the failure is raised at once.
    Waits: what the endpoint asked for, else an even draw from [0, 0.5 s, doubled each time, at most 8 s]. A wait that
    would pass the deadline is not begun: the failure is raised at once, as
    one that is not `for_all`; one for nobody is broken off. `random` draws from
    [0, 1); `sleep` stands in for the deadline's own waiting in tests. `on_repeat` is called before each repeat.
    """

    def __init__(  # noqa: PLR0913 - the policy, who is told, and what stands in for time and chance in tests
        self,
        model: ChatModel,
        attempts: int,
        *,
        tokens: RetryTokens | None = None,
        sleep: Callable[[float], None] | None = None,
        random: Callable[[], float] = randomness.random,
        on_repeat: Callable[[], None] | None = None,
    ) -> None:
        self._model = model
        self._attempts = attempts
        self._tokens = tokens or RetryTokens()
        self._sleep = sleep
        self._random = random
        self._on_repeat = on_repeat

    @property
    def traits(self) -> ModelTraits:
        """What is known of the model before it is asked."""
        return self._model.traits

    def ready(self) -> str | None:
        """None when a call could be made now, else a short reason."""
        return self._model.ready()

    def complete(self, call: ModelCall, deadline: Deadline) -> Reply:
        """A whole answer to `call`; its `calls` and `retries` count the failed attempts too.

        Raises: ModelError (the last one), DeadlineExceededError, ClientGoneError.
        """
        deadline.check()
        self._tokens.earn()
        question, budget = Question(call), call.budget
        before = spent = budget.spent

        def learn(state: RetryCallState) -> None:
            nonlocal spent
            spent = budget.spent
            question.learn(_error_of(state))
            if self._on_repeat is not None:
                self._on_repeat()

        retrying = Retrying(
            sleep=self._sleep or deadline.pause,
            retry=retry_if_exception(question.is_worth_repeating_after),
            wait=self._wait_s,
            stop=lambda state: budget.left <= 0 or self._is_enough(state, deadline),
            before_sleep=learn,
            reraise=True,
        )
        try:
            reply = retrying(lambda: self._model.complete(question.call, deadline))
        except (ModelMisconfiguredError, ModelContextError):
            question.raise_what_it_was_changed_for()
            raise
        if not question.failures:
            return reply
        return replace(reply, calls=reply.calls + spent - before, retries=reply.retries + len(question.failures))

    def _is_enough(self, state: RetryCallState, deadline: Deadline) -> bool:
        if state.attempt_number >= self._attempts:
            return True
        if state.upcoming_sleep >= deadline.remaining_s():
            if isinstance(error := _error_of(state), FactCheckError):
                error.for_all = False  # who has more time may well get an answer
            return True
        return not self._tokens.take()

    def _wait_s(self, state: RetryCallState) -> float:
        error = _error_of(state)
        if isinstance(error, ModelError) and error.retry_after_s is not None:
            return error.retry_after_s + JITTER_S * self._random()
        return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (state.attempt_number - 1)) * self._random()


def _error_of(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
