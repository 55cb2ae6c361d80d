"""The embedded engine as a chat model."""

from collections.abc import Callable
from threading import Lock
from typing import Protocol

from service.deadline import Deadline
from service.llm.base import ChatModel, ModelCall, ModelTraits, Reply
from service.llm.catalogue import Entry
from service.llm.engine import Engine, EngineAddress


class Connection(ChatModel, Protocol):
    """A chat model that holds connections which `close` gives back."""

    def close(self) -> None:
        """Nothing; no call can be made afterwards."""


class EmbeddedModel:
    """A ChatModel over the engine. `connect` makes the model that speaks to an address; it is asked once for each start."""

    def __init__(self, engine: Engine, entry: Entry, connect: Callable[[EngineAddress], Connection]) -> None:
        self._engine = engine
        self._connect = connect
        self._lock = Lock()
        self._connected: tuple[int, Connection] | None = None
        self._traits = ModelTraits(
            name=entry.name,
            endpoint="embedded",
            context_tokens=entry.context_tokens,
            max_output_tokens=entry.max_output_tokens,
            trial=entry.trial,
            narrow_schema=entry.narrow_schema,
            passage_chars=entry.passage_chars,
            prompt=entry.prompt,
            asks_speakers=entry.asks_speakers,
        )

    @property
    def traits(self) -> ModelTraits:
        """What the catalogue says of the model."""
        return self._traits

    def complete(self, call: ModelCall, deadline: Deadline) -> Reply:
        """A whole answer to `call` from the engine, which is started first when it does not run.

        Raises: ModelError, DeadlineExceededError.
        """
        return self._at(self._engine.ensure(deadline)).complete(call, deadline)

    def ready(self) -> str | None:
        """None when the engine would answer now, or is started only by whoever asks it; else a short reason."""
        return None if self._traits.left_alone else self._engine.ready()

    def close(self) -> None:
        """Nothing; the engine has ended and its connections are closed."""
        self._engine.close()
        with self._lock:
            if self._connected is not None:
                self._connected[1].close()

    def _at(self, address: EngineAddress) -> ChatModel:
        with self._lock:
            # A thread that was late may still hold an older address; its failure is for its own retry.
            if self._connected is None or self._connected[0] < address.generation:
                if self._connected is not None:
                    self._connected[1].close()
                self._connected = (address.generation, self._connect(address))
            return self._connected[1]
