"""What the flow needs of a chat model, whoever serves it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol

from service.deadline import Deadline

Role = Literal["system", "user", "assistant"]


class ResponseFormat(StrEnum):
    """How an endpoint was held to the reply schema, strongest first."""

    JSON_SCHEMA = "json_schema"
    JSON_OBJECT = "json_object"
    TEXT = "text"


@dataclass(frozen=True)
class Message:
    """One message of a chat."""

    role: Role
    content: str


@dataclass(frozen=True)
class ReplySchema:
    """The JSON schema a reply must meet. `name` is its file's stem, `sha256` of the canonical document."""

    name: str
    sha256: str
    document: Mapping[str, Any]


@dataclass(frozen=True)
class ModelCall:
    """One question to a model. `max_output_tokens` bounds the reply; a reply that reaches it counts as cut off."""

    messages: tuple[Message, ...]
    schema: ReplySchema
    temperature: float
    max_output_tokens: int


@dataclass(frozen=True)
class Reply:
    """A whole, non-empty answer: its text and what it cost.

    Tokens are the endpoint's own counts, zero when it gives none. `calls` counts the HTTP calls spent on this answer,
    of which `retries` were repeats after a failure.
    """

    text: str
    served_model: str
    response_format: ResponseFormat
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    calls: int = 1
    retries: int = 0


@dataclass(frozen=True)
class ModelTraits:
    """What is known of a model before it is asked.

    `endpoint` is a host for people to read, never a key. `context_tokens` bounds prompt and reply together.
    `trial` marks a model whose answers are for trying the service out, not for editors. `narrow_schema` asks for the
    reply schema to be narrowed to what each article offers (free for a local engine, a new compilation for a remote one).
    A longer article is read in passages, at most one for each `passage_chars` characters. `prompt` names the prompt written
    for a model of its kind, where that is not the active one.
    """

    name: str
    endpoint: str
    context_tokens: int
    max_output_tokens: int
    trial: bool = False
    narrow_schema: bool = False
    passage_chars: int = 6_000
    prompt: str | None = None


class ChatModel(Protocol):
    """A model that answers a call within a deadline or raises a ModelError or DeadlineExceededError."""

    @property
    def traits(self) -> ModelTraits:
        """What is known of this model before it is asked."""

    def complete(self, call: ModelCall, deadline: Deadline) -> Reply:
        """A whole answer to `call`.

        Raises: ModelError, DeadlineExceededError.
        """

    def ready(self) -> str | None:
        """None when a call could be made now, else a short reason for `/readyz`."""
