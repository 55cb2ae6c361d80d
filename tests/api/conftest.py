"""The whole service behind Flask's test client: everything real but the model."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import structlog
from flask.testing import FlaskClient

from service.llm.base import ModelCall, Reply, ReplySchema, ResponseFormat
from service.logs import configure_logs
from service.pipeline.analyze import Services
from service.prompting import PromptLibrary, parse_prompt
from service.settings import Settings
from tests.described import create_app
from tests.fakes import FixedClock, ScriptedModel

TEXT = "Prices rose by 5 percent in May. Ms Hale denied it."
NO_CLAIMS = '{"claims": []}'
_PROMPT = """+++
format = 1
summary = "A prompt for tests."
inputs = [{inputs}]
output = "claim_list.v1"

[params]
temperature = 0.0
max_output_tokens = 4000
+++
=== system ===
List the claims{version}.

=== user ===
{body}
"""
_SCHEMA = ReplySchema("claim_list.v1", "0" * 64, {"type": "object"})


def _prompt(task: str, version: int, *inputs: str, active: bool) -> Any:
    text = _PROMPT.format(
        inputs=", ".join(f'"{name}"' for name in inputs),
        version=version,
        body="\n".join(f"{{{{ {name} }}}}" for name in inputs),
    )
    parsed = parse_prompt(text, task=task, version=version, schemas={_SCHEMA.name: _SCHEMA})
    return replace(parsed, active=active, sealed=True)


PROMPTS = PromptLibrary(
    (
        _prompt("extract_claims", 1, "title", "limits", "sentences", active=False),
        _prompt("extract_claims", 2, "title", "limits", "sentences", active=True),
        _prompt("repair_claims", 1, "faults", active=True),
    )
)


class NeverTired(ScriptedModel):
    """Finds no claims however often it is asked, and keeps the seconds it was given each time."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def complete(self, call: ModelCall, deadline: Any) -> Reply:
        self.calls.append(call)
        self.seconds.append(deadline.remaining_s())
        return Reply(NO_CLAIMS, "tireless-1", ResponseFormat.JSON_SCHEMA)


@dataclass(frozen=True)
class Service:
    """A running service: the client that talks to it and what stands behind it."""

    client: FlaskClient
    model: ScriptedModel
    clock: FixedClock

    def post(self, document: Any, **kwargs: Any) -> Any:
        """The answer to a JSON document; a string is sent as it is."""
        body = document if isinstance(document, str | bytes) else json.dumps(document)
        return self.client.post("/analyze", data=body, content_type=kwargs.pop("content_type", "application/json"), **kwargs)


def start_service(model: ScriptedModel, **settings: Any) -> Service:
    """A service over `model`."""
    clock = FixedClock()
    app = create_app(Settings(**settings), Services(model=model, prompts=PROMPTS, clock=clock))
    return Service(app.test_client(), model, clock)


@pytest.fixture
def service() -> Service:
    """A service whose model never finds anything."""
    return start_service(NeverTired())


@pytest.fixture
def log() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The lines logged so far; both logging systems are put back as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    configure_logs("info", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """The problem report in `response`, which must be of that status and code and in order in every other way."""
    document: dict[str, Any] = json.loads(response.get_data())
    assert (response.status_code, document["code"]) == (status, code)
    assert response.content_type == "application/problem+json"
    assert document["type"] == f"/problems/{code}"
    assert document["status"] == status
    assert document["request_id"] == response.headers["X-Request-Id"]
    assert document["title"]
    assert document["detail"]
    assert isinstance(document["retryable"], bool)
    return document
