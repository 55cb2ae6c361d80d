"""What the flow needs of a chat model, whoever serves it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol

from service.deadline import Deadline

Role = Literal["system", "user", "assistant"]

CALLS_PER_PASSAGE = 3
"""What reading one passage may cost, whatever the calls are for."""


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
class Tokens:
    """Tokens as an endpoint counts them; the cached ones are among the input ones."""

    input: int = 0
    cached: int = 0
    output: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(self.input + other.input, self.cached + other.cached, self.output + other.output)

    def __sub__(self, other: "Tokens") -> "Tokens":
        return Tokens(self.input - other.input, self.cached - other.cached, self.output - other.output)


NO_TOKENS = Tokens()


class CallBudget:
    """How many more requests a passage may cost: questions, repeats after a failure, other parameters, the repair round.

    Spent by whoever sends a request; `tokens` are those that endpoints told to have counted, also for replies that nobody
    could use. For one thread at a time.
    """

    def __init__(self, calls: int = CALLS_PER_PASSAGE) -> None:
        self.left = calls
        self.spent = 0
        self.tokens = NO_TOKENS

    def note(self, tokens: Tokens) -> None:
        """Nothing; an endpoint counted so many tokens more."""
        self.tokens += tokens

    def spend(self) -> bool:
        """Whether a request may be sent; it is counted as sent."""
        if self.left <= 0:
            return False
        self.left -= 1
        self.spent += 1
        return True

    def halves(self) -> "tuple[CallBudget, CallBudget] | None":
        """What is left, in two budgets for two parts of the passage; None where each would not get a request."""
        left, self.left = self.left, 0
        if left < 2:  # noqa: PLR2004 - two parts
            return None
        return CallBudget(left // 2), CallBudget(left - left // 2)


@dataclass(frozen=True)
class ModelCall:
    """One question to a model. `max_output_tokens` bounds the reply; a reply that reaches it counts as cut off.

    `most_output_tokens` is how far that bound may be raised for a reply that did not fit (None: not at all). Without
    `schema_mode` the endpoint is not held to the schema, whatever it can do. `budget` is no part of what is asked. A call
    made from another by `dataclasses.replace` shares it.
    """

    messages: tuple[Message, ...]
    schema: ReplySchema
    temperature: float
    max_output_tokens: int
    most_output_tokens: int | None = None
    schema_mode: bool = True
    budget: CallBudget = field(default_factory=CallBudget, compare=False, repr=False)


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
    for a model of its kind, where that is not the active one. `asks_speakers` is false for one that must not be asked who
    speaks, because it names somebody whoever it is.
    """

    name: str
    endpoint: str
    context_tokens: int
    max_output_tokens: int
    trial: bool = False
    narrow_schema: bool = False
    passage_chars: int = 6_000
    prompt: str | None = None
    asks_speakers: bool = True

    @property
    def left_alone(self) -> bool:
        """Whether nothing is asked of it but by a request that names a prompt for it."""
        return not self.asks_speakers


class Circuit(StrEnum):
    """Whether a model is asked: always, not now, or by one question to see whether it works again."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True)
class UpstreamState:
    """How a model's endpoint has done lately, at one moment: plain values for people and metrics.

    `failures` are those among the last `calls`; `openings` counts since the start. `reason` and `probe_in_s` are set while
    it is not asked. `retry_tokens` is how many repeats could be made now.
    """

    model: str
    endpoint: str
    circuit: Circuit
    reason: str | None
    probe_in_s: float | None
    calls: int
    failures: int
    openings: int
    retry_tokens: float


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
