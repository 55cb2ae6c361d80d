"""What a model's reply must be, and what it says once it is."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from service.domain import Kind, StanceLabel
from service.pipeline.unwrap import unwrap
from service.strictjson import StrictJsonError, loads

MAX_FAULTS = 20
_MAX_NAME_CHARS = 300
_FIELD = re.compile(r"[A-Za-z0-9_/]{1,40}")
_HEARSAY = -1

CITED = "cited"
"""What versions 2 and 3 say in place of a stance of a source that the claimant names as its own."""


@dataclass(frozen=True)
class ProposedStance:
    """A stance as the model names it: nothing of it is proved yet. `sentence` is None where the model names none."""

    holder: str
    label: StanceLabel
    sentence: int | None
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
    mention: str = ""
    role: str = ""
    cites: str | None = None


REASONS: Mapping[str, str] = {
    "contested": "Disputed, or likely to be.",
    "harm": "Lives, health or safety hang on it.",
    "blame": "It puts blame on somebody.",
    "policy": "It bears on law, politics or decisions.",
    "money": "Money hangs on it.",
    "figure": "It gives a telling figure.",
    "unsourced": "Where it comes from is unclear.",
    "public": "It is of public interest.",
    "minor": "Little hangs on it.",
}
"""What each reason that version 3 offers the model says to a reader."""


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


class WholeNumber(fields.Integer):
    """A JSON whole number: neither text nor true, nor 2.5."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strict=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **kwargs)


def _one_of(labels: type[StanceLabel] | type[Kind]) -> _Text:
    return _Text(required=True, validate=validate.OneOf([label.value for label in labels]))


class _StanceV1(Schema):
    holder = _Text(required=True, validate=validate.Length(min=1, max=_MAX_NAME_CHARS))
    stance = _one_of(StanceLabel)
    sentence = WholeNumber(required=True)
    words = _Text(required=True, validate=validate.Length(max=2_000))

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> ProposedStance:
        return ProposedStance(data["holder"], StanceLabel(data["stance"]), data["sentence"], data["words"])


class _Judged(Schema):
    """What every version says of a claim."""

    quote = _Text(required=True, validate=validate.Length(max=2_000))
    text = _Text(required=True, validate=validate.Length(max=2_000))
    kind = _one_of(Kind)


class _ClaimV1(_Judged):
    why = _Text(required=True, validate=validate.Length(max=500))
    article = _one_of(StanceLabel)
    worth = _Number(required=True, validate=validate.Range(min=0, max=1))
    sentence = WholeNumber(required=True)
    claimant = _Text(required=True, allow_none=True, validate=validate.Length(min=1, max=_MAX_NAME_CHARS))
    stances = fields.List(fields.Nested(_StanceV1), required=True, validate=validate.Length(max=50))

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> ProposedClaim:
        labels = {"article": StanceLabel(data["article"]), "kind": Kind(data["kind"])}
        return ProposedClaim(**{**data, **labels, "stances": tuple(data["stances"])})


class _ReplyV1(Schema):
    claims = fields.List(fields.Nested(_ClaimV1), required=True, validate=validate.Length(max=500))

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> tuple[ProposedClaim, ...]:
        return tuple(data["claims"])


class _SourceV2(Schema):
    name = _Text(required=True, validate=validate.Length(min=1, max=_MAX_NAME_CHARS))
    role = _Text(required=True, validate=validate.Length(max=_MAX_NAME_CHARS))


class _Told(Schema):
    """A stance of a source named by number."""

    of = WholeNumber(required=True, validate=validate.Range(min=0))
    label = _Text(required=True, data_key="is", validate=validate.OneOf([*(label.value for label in StanceLabel), CITED]))
    words = _Text(required=True, validate=validate.Length(max=2_000))


class _Numbered(_Judged):
    """A claim by a source named by number."""

    n = WholeNumber(required=True)
    by = WholeNumber(required=True, validate=validate.Range(min=_HEARSAY))
    worth = WholeNumber(required=True, validate=validate.Range(min=0, max=10))


class _StanceV2(_Told):
    n = WholeNumber(required=True)


class _ClaimV2(_Numbered):
    mention = _Text(required=True, data_key="as", validate=validate.Length(max=_MAX_NAME_CHARS))
    stances = fields.List(fields.Nested(_StanceV2), required=True, validate=validate.Length(max=50))
    why = _Text(required=True, validate=validate.Length(max=500))


class _Sourced(Schema):
    """A reply whose `claims` name its `sources` by number."""

    @validates_schema(skip_on_field_errors=True)
    def _sources_exist(self, data: Mapping[str, Any], **_: Any) -> None:
        most = len(data["sources"])
        for index, claim in enumerate(data["claims"]):
            named = {"by": claim["by"], **{f"stances/{at}/of": one["of"] for at, one in enumerate(claim["stances"])}}
            for field, number in named.items():
                if number > most:
                    raise ValidationError(f"there is no source {number}", f"claims/{index}/{field}")

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> tuple[ProposedClaim, ...]:
        return tuple(_named(claim, data["sources"]) for claim in data["claims"])


class _ReplyV2(_Sourced):
    sources = fields.List(fields.Nested(_SourceV2), required=True, validate=validate.Length(max=200))
    claims = fields.List(fields.Nested(_ClaimV2), required=True, validate=validate.Length(max=500))


class _SourceV3(_Text):
    """A line "name | role" or "name", as a source of version 2."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        name, _, role = (part.strip() for part in super()._deserialize(value, attr, data, **kwargs).partition("|"))
        if not 1 <= len(name) <= _MAX_NAME_CHARS or len(role) > _MAX_NAME_CHARS:
            raise ValidationError(f'Must be "name | role" or "name", each of at most {_MAX_NAME_CHARS} characters.')
        return {"name": name, "role": role}


class _ClaimV3(_Numbered):
    stances = fields.List(fields.Nested(_Told), required=True, validate=validate.Length(max=50))
    why = _Text(required=True, validate=validate.OneOf(list(REASONS)))

    @post_load
    def _explain(self, data: Mapping[str, Any], **_: Any) -> Mapping[str, Any]:
        return {**data, "why": REASONS[data["why"]]}


class _ReplyV3(_Sourced):
    sources = fields.List(_SourceV3(), required=True, validate=validate.Length(max=200))
    claims = fields.List(fields.Nested(_ClaimV3), required=True, validate=validate.Length(max=500))


def _named(claim: Mapping[str, Any], sources: Sequence[Mapping[str, str]]) -> ProposedClaim:
    """A claim of version 2 or 3 with its sources' numbers made into their names."""
    by = claim["by"]
    source = sources[by - 1] if by > 0 else None
    others = [one for one in claim["stances"] if one["of"] and one["label"] != CITED]
    cited = next((sources[one["of"] - 1]["name"] for one in claim["stances"] if one["of"] and one["label"] == CITED), None)
    own = next((one["label"] for one in claim["stances"] if not one["of"] and one["label"] != CITED), None)
    return ProposedClaim(
        sentence=claim["n"],
        quote=claim["quote"],
        text=claim["text"],
        claimant=source["name"] if source else None,
        stances=tuple(
            ProposedStance(sources[one["of"] - 1]["name"], StanceLabel(one["label"]), one.get("n"), one["words"])
            for one in others
        ),
        # What is by nobody but the article it states as fact; everything else it reports, unless it takes a side.
        article=StanceLabel(own or (StanceLabel.DISCUSSES if by else StanceLabel.SUPPORTS)),
        kind=Kind(claim["kind"]),
        worth=claim["worth"] / 10,
        why=claim["why"],
        mention=claim.get("mention", "") if source else "",
        role=source["role"] if source else "",
        cites=cited if source else None,
    )


_READERS: Mapping[str, Schema] = {"claim_list.v1": _ReplyV1(), "claim_list.v2": _ReplyV2(), "claim_list.v3": _ReplyV3()}
READABLE = frozenset(_READERS)
"""The reply schemas, by name, that `read_reply` knows."""


def read_reply(text: str, schema: str) -> tuple[tuple[ProposedClaim, ...], tuple[str, ...]]:
    """The claims a reply in `schema` (one of `READABLE`) proposes, and what stood around its JSON.

    That is any of "think", "fence" and "prose"; the JSON itself is never mended.

    Raises: UnreadableReplyError with every fault; of the reply they hold no more than the names of its fields.
    """
    body, repairs = unwrap(text)
    try:
        proposed: tuple[ProposedClaim, ...] = _READERS[schema].load(loads(body))
    except StrictJsonError as error:
        raise UnreadableReplyError((f"not valid JSON: {error.reason}",)) from error
    except ValidationError as error:
        raise UnreadableReplyError(tuple(told_faults(error.messages))[:MAX_FAULTS]) from error
    return proposed, repairs


def told_faults(messages: Any, path: str = "") -> list[str]:
    """Marshmallow's nested messages as one line each: `claims/0/kind: Must be one of: …`."""
    if isinstance(messages, Mapping):
        named = ((_FIELD.fullmatch(str(key)) and str(key)) or "(a field with an odd name)" for key in messages)
        return [
            line
            for name, inner in zip(named, messages.values(), strict=True)
            for line in told_faults(inner, f"{path}/{name}" if path else name)
        ]
    return [f"{path.removesuffix('/_schema')}: {message}" for message in messages]
