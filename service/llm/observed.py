"""A model whose every answer and failure is told to an observer."""

from collections.abc import Callable
from dataclasses import replace
from time import monotonic

from service.deadline import Deadline
from service.errors import FactCheckError
from service.llm.base import ChatModel, ModelCall, ModelTraits, Reply
from service.observing import OK, ModelAsked, Observer
from service.tracing import inner_span


class ObservedModel:
    """`model` as it is, each question a span, telling `observer` what came of it and in how many seconds."""

    def __init__(self, model: ChatModel, observer: Observer, clock: Callable[[], float] = monotonic) -> None:
        self._model = model
        self._observer = observer
        self._clock = clock

    @property
    def traits(self) -> ModelTraits:
        """What is known of the model before it is asked."""
        return self._model.traits

    def ready(self) -> str | None:
        """None when a call could be made now, else a short reason."""
        return self._model.ready()

    def complete(self, call: ModelCall, deadline: Deadline) -> Reply:
        """A whole answer to `call`.

        Raises: ModelError, DeadlineExceededError, ClientGoneError.
        """
        with inner_span(outgoing=True):
            began = self._clock()
            asked = ModelAsked(self.traits.name, OK, 0.0, endpoint=self.traits.endpoint)
            try:
                reply = self._model.complete(call, deadline)
            except FactCheckError as error:
                self._observer.tell(replace(asked, outcome=error.code, seconds=self._clock() - began))
                raise
            told = replace(
                asked,
                seconds=self._clock() - began,
                input_tokens=reply.input_tokens,
                cached_tokens=reply.cached_tokens,
                output_tokens=reply.output_tokens,
                served=reply.served_model,
            )
            self._observer.tell(told)
            return reply
