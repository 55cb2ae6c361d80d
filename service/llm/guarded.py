"""A model behind a circuit breaker: what each outcome says of its endpoint."""

from service.deadline import Deadline
from service.errors import (
    DeadlineExceededError,
    ModelBusyError,
    ModelEmptyError,
    ModelError,
    ModelReplyError,
    ModelSchemaError,
    ModelTruncatedError,
    ModelUnavailableError,
)
from service.llm.base import ChatModel, ModelCall, ModelTraits, Reply
from service.llm.breaker import CircuitBreaker, Outcome, Verdict


class GuardedModel:
    """A model that is asked only while `breaker` admits it.

    What an article's words could bring about (a refusal, a cut-off or empty reply, a prompt too long) says that the endpoint
    works: one caller's articles must not stop the service for all. `patience_s` is how long a call must have waited for
    running out of time to be the endpoint's fault, and how long a wait the endpoint must ask for to be left alone, so that
    a caller with a short deadline does not either.
    """

    def __init__(self, model: ChatModel, breaker: CircuitBreaker, patience_s: float) -> None:
        self._model = model
        self._breaker = breaker
        self._patience_s = patience_s

    @property
    def traits(self) -> ModelTraits:
        """What is known of the model before it is asked."""
        return self._model.traits

    def ready(self) -> str | None:
        """None when a call could be made now, else a short reason; an open breaker is none, because it need not last."""
        return self._model.ready()

    def complete(self, call: ModelCall, deadline: Deadline) -> Reply:
        """A whole answer to `call`.

        Raises: ModelPausedError when it is not asked, ModelError, DeadlineExceededError.
        """
        began = deadline.check()
        ticket = self._breaker.admit()
        outcome = Outcome(Verdict.UNKNOWN)
        try:
            reply = self._model.complete(call, deadline)
            outcome = Outcome(Verdict.WORKS)
        except (ModelError, DeadlineExceededError) as error:
            left_s = max(deadline.remaining_s(), 0.0)
            outcome = self._outcome(error, waited_s=began - left_s, left_s=left_s)
            raise
        finally:
            self._breaker.settle(ticket, outcome)
        return reply

    def _outcome(self, error: ModelError | DeadlineExceededError, *, waited_s: float, left_s: float) -> Outcome:
        wait_s = error.retry_after_s if isinstance(error, ModelBusyError | ModelUnavailableError) else None
        leave_alone = wait_s is not None and wait_s > max(left_s, self._patience_s)
        return Outcome(self._verdict(error, waited_s), error.code, wait_s, leave_alone)

    def _verdict(self, error: ModelError | DeadlineExceededError, waited_s: float) -> Verdict:
        match error:
            case ModelEmptyError() | ModelTruncatedError() | ModelSchemaError():
                return Verdict.WORKS
            case ModelUnavailableError() | ModelReplyError():
                return Verdict.FAILS
            case DeadlineExceededError():
                return Verdict.FAILS if waited_s >= self._patience_s else Verdict.UNKNOWN
            case ModelBusyError():
                return Verdict.UNKNOWN
            case _:
                return Verdict.WORKS
