import threading
from dataclasses import replace

import pytest

from service.deadline import Deadline
from service.errors import DeadlineExceededError, ModelUnavailableError
from service.llm.base import Message, ModelCall, ReplySchema
from service.llm.catalogue import load
from service.llm.embedded import EmbeddedModel
from service.llm.engine import EngineAddress
from tests.fakes import ScriptedModel

CALL = ModelCall(
    messages=(Message("user", "hello"),),
    schema=ReplySchema(name="x.v1", sha256="0" * 64, document={}),
    temperature=0.0,
    max_output_tokens=64,
)
ENTRY = load().entries["smollm2-135m"]


def address(generation):
    return EngineAddress(base_url=f"http://127.0.0.1:{generation}/v1", api_key="k", generation=generation)


class FakeEngine:
    """An engine that gives its addresses, or raises its errors, in order; the last one again and again."""

    def __init__(self, *outcomes, not_ready=None):
        self.outcomes = list(outcomes)
        self.not_ready = not_ready
        self.deadlines = []
        self.closed = False

    def close(self):
        self.closed = True

    def ensure(self, deadline):
        self.deadlines.append(deadline)
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def ready(self):
        return self.not_ready


class ScriptedConnection(ScriptedModel):
    """A scripted model that tells whether it was closed."""

    closed = False

    def close(self):
        self.closed = True


class Connections:
    """Connects a scripted model to each address and keeps the addresses."""

    def __init__(self, *models):
        self.models = list(models)
        self.addresses = []

    def __call__(self, where):
        self.addresses.append(where)
        return self.models.pop(0)


def test_traits_are_those_of_the_entry():
    model = EmbeddedModel(FakeEngine(address(1)), ENTRY, Connections())
    traits = model.traits
    assert (traits.name, traits.endpoint, traits.trial, traits.narrow_schema) == ("smollm2-135m", "embedded", True, True)
    assert (traits.context_tokens, traits.max_output_tokens) == (ENTRY.context_tokens, ENTRY.max_output_tokens)


def test_one_connection_serves_while_the_engine_is_the_same():
    engine, connections, deadline = FakeEngine(address(1)), Connections(ScriptedConnection("one", "two")), Deadline.after(60)
    model = EmbeddedModel(engine, ENTRY, connections)
    assert [model.complete(CALL, deadline).text for _ in range(2)] == ["one", "two"]
    assert connections.addresses == [address(1)]
    assert engine.deadlines == [deadline, deadline]


def test_an_engine_that_was_started_again_is_connected_to_again_and_the_old_connection_closed():
    first, second = ScriptedConnection(ModelUnavailableError("gone")), ScriptedConnection("two")
    connections = Connections(first, second)
    model = EmbeddedModel(FakeEngine(address(1), address(2)), ENTRY, connections)
    with pytest.raises(ModelUnavailableError):
        model.complete(CALL, Deadline.after(60))
    assert model.complete(CALL, Deadline.after(60)).text == "two"
    assert connections.addresses == [address(1), address(2)]
    assert (first.closed, second.closed) == (True, False)


def test_closing_ends_the_engine_and_its_connection():
    engine, connection = FakeEngine(address(1)), ScriptedConnection("one")
    model = EmbeddedModel(engine, ENTRY, Connections(connection))
    model.complete(CALL, Deadline.after(60))
    model.close()
    assert engine.closed
    assert connection.closed


def test_a_model_that_was_never_asked_is_closed_too():
    engine = FakeEngine(address(1))
    EmbeddedModel(engine, ENTRY, Connections()).close()
    assert engine.closed


def test_a_late_older_address_does_not_replace_a_newer_one():
    connections = Connections(ScriptedConnection("one", "two"))
    model = EmbeddedModel(FakeEngine(address(2), address(1)), ENTRY, connections)
    assert [model.complete(CALL, Deadline.after(60)).text for _ in range(2)] == ["one", "two"]
    assert connections.addresses == [address(2)]


@pytest.mark.parametrize(
    "error", [pytest.param(ModelUnavailableError("no"), id="no engine"), pytest.param(DeadlineExceededError("late"), id="late")]
)
def test_an_engine_that_does_not_come_up_is_told(error):
    model = EmbeddedModel(FakeEngine(error), ENTRY, Connections())
    with pytest.raises(type(error)):
        model.complete(CALL, Deadline.after(60))


def test_a_connection_that_cannot_be_made_is_tried_again():
    working = ScriptedConnection("one")
    outcomes = [ModelUnavailableError("no"), working]

    def connect(_):
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    model = EmbeddedModel(FakeEngine(address(1)), ENTRY, connect)
    with pytest.raises(ModelUnavailableError):
        model.complete(CALL, Deadline.after(60))
    assert model.complete(CALL, Deadline.after(60)).text == "one"


def test_threads_that_start_together_share_a_connection():
    connections = Connections(ScriptedConnection(*["same"] * 8))
    model = EmbeddedModel(FakeEngine(address(1)), ENTRY, connections)
    threads = [threading.Thread(target=model.complete, args=(CALL, Deadline.after(60))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(connections.addresses) == 1


@pytest.mark.parametrize("reason", [pytest.param(None, id="ready"), pytest.param("starting", id="not ready")])
def test_it_is_ready_when_the_engine_is(reason):
    entry = replace(ENTRY, asks_speakers=True)
    assert EmbeddedModel(FakeEngine(address(1), not_ready=reason), entry, Connections()).ready() == reason


def test_a_model_that_nobody_need_ask_is_ready_without_its_engine():
    assert ENTRY.asks_speakers is False
    assert EmbeddedModel(FakeEngine(address(1), not_ready="starting"), ENTRY, Connections()).ready() is None
