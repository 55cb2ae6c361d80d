"""A model whose every answer and failure is told to an observer."""

from collections.abc import Callable
from time import monotonic

from service.deadline import Deadline
from service.errors import FactCheckError
from service.llm.base import ChatModel, ModelCall, ModelTraits, Reply
from service.observing import OK, ModelAsked, Observer


class ObservedModel:
    """`model` as it is, telling `observer` of each question what came of it and in how many seconds."""

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
        began = self._clock()
        name = self.traits.name
        try:
            reply = self._model.complete(call, deadline)
        except FactCheckError as error:
            self._observer.tell(ModelAsked(name, error.code, self._clock() - began))
            raise
        took = self._clock() - began
        self._observer.tell(ModelAsked(name, OK, took, reply.input_tokens, reply.cached_tokens, reply.output_tokens))
        return reply
