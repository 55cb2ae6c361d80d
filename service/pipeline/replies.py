"""What a model's reply must be, and what it says once it is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate

from service.domain import Kind, StanceLabel
from service.strictjson import StrictJsonError, loads

_FENCE = re.compile(r"\A\s*```(?:json)?[ \t]*\n(?P<body>.*?)\n?[ \t]*```\s*\Z", re.DOTALL | re.IGNORECASE)
_THINK = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_MAX_FAULTS = 20


@dataclass(frozen=True)
class ProposedStance:
    """A stance as the model names it: nothing of it is proved yet."""

    holder: str
    label: StanceLabel
    sentence: int
    words: str


@dataclass(frozen=True)
class ProposedClaim:
    """A claim as the model names it: nothing of it is proved yet. Empty `quote` and `text` mean the whole sentence."""

    sentence: int
    quote: str
    text: str
    claimant: str | None
    stances: tuple[ProposedStance, ...]
    article: StanceLabel
    kind: Kind
    worth: float
    why: str


class UnreadableReplyError(ValueError):
    """A reply that is not what its schema asks for. `faults` can be told to the model."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__(f"{len(faults)} faults in the reply")
        self.faults = faults


class _Text(fields.String):
    """A JSON string and nothing that merely looks like one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **kwargs)


class _Number(fields.Float):
    """A JSON number: neither text nor true."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **kwargs)


class _WholeNumber(fields.Integer):
    """A JSON whole number: neither text nor true, nor 2.5."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strict=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **kwargs)


def _one_of(labels: type[StanceLabel] | type[Kind]) -> _Text:
    return _Text(required=True, validate=validate.OneOf([label.value for label in labels]))


class _StanceSchema(Schema):
    holder = _Text(required=True, validate=validate.Length(min=1, max=300))
    stance = _one_of(StanceLabel)
    sentence = _WholeNumber(required=True)
    words = _Text(required=True, validate=validate.Length(max=2_000))

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> ProposedStance:
        return ProposedStance(
            holder=data["holder"], label=StanceLabel(data["stance"]), sentence=data["sentence"], words=data["words"]
        )


class _ClaimSchema(Schema):
    sentence = _WholeNumber(required=True)
    quote = _Text(required=True, validate=validate.Length(max=2_000))
    text = _Text(required=True, validate=validate.Length(max=2_000))
    claimant = _Text(required=True, allow_none=True, validate=validate.Length(min=1, max=300))
    stances = fields.List(fields.Nested(_StanceSchema), required=True, validate=validate.Length(max=50))
    article = _one_of(StanceLabel)
    kind = _one_of(Kind)
    worth = _Number(required=True, validate=validate.Range(min=0, max=1))
    why = _Text(required=True, validate=validate.Length(max=500))

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> ProposedClaim:
        enums = {"stances": tuple(data["stances"]), "article": StanceLabel(data["article"]), "kind": Kind(data["kind"])}
        return ProposedClaim(**{**data, **enums})


class _ReplySchema(Schema):
    claims = fields.List(fields.Nested(_ClaimSchema), required=True, validate=validate.Length(max=500))


_REPLY = _ReplySchema()


def read_reply(text: str) -> tuple[tuple[ProposedClaim, ...], tuple[str, ...]]:
    """The claims a reply proposes, and what had to be taken off around its JSON ("fence", "think").

    Raises: UnreadableReplyError with every fault, none of which quotes the reply.
    """
    body, repairs = _unwrap(text)
    try:
        loaded = _REPLY.load(loads(body))
    except StrictJsonError as error:
        raise UnreadableReplyError((f"not valid JSON: {error.reason}",)) from error
    except ValidationError as error:
        raise UnreadableReplyError(tuple(_told(error.messages))[:_MAX_FAULTS]) from error
    return tuple(loaded["claims"]), repairs


def _unwrap(text: str) -> tuple[str, tuple[str, ...]]:
    """The text without one leading think block and one surrounding code fence, and which of them there was."""
    repairs = []
    without_think = _THINK.sub("", text, count=1)
    if without_think != text:
        repairs.append("think")
    fenced = _FENCE.match(without_think)
    if fenced:
        repairs.append("fence")
        return fenced["body"], tuple(repairs)
    return without_think, tuple(repairs)


def _told(messages: Any, path: str = "") -> list[str]:
    """Marshmallow's nested messages as one line each: `claims/0/kind: Must be one of: …`."""
    if isinstance(messages, Mapping):
        return [line for key, inner in messages.items() for line in _told(inner, f"{path}/{key}" if path else str(key))]
    return [f"{path.removesuffix('/_schema')}: {message}" for message in messages]
