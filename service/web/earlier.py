"""An earlier answer of ours, handed back with a request, as far as it is used again."""

from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, fields
from marshmallow.validate import Length, OneOf, Range, Regexp

from service.domain import ARTICLE_HOLDER, Kind, StanceLabel
from service.pipeline.previous import EarlierClaim, KnownPassage, Previous
from service.pipeline.replies import ProposedClaim, ProposedStance
from service.web.fields import integer, number, string

_MOST_PASSAGES = 500
_MOST_CLAIMS = 5_000
_MOST_STANCES = 200
_LABELS = OneOf([label.value for label in StanceLabel])


class _Answer(Schema):
    """Only what is used is read; whatever else our answers hold may change without breaking a request."""

    class Meta:
        unknown = EXCLUDE


class _Quote(_Answer):
    text = string(required=True)
    start = integer(required=True, validate=Range(min=0))


class _Claimant(_Answer):
    name = string(required=True)
    role = string(allow_none=True, load_default=None)
    span = fields.Nested(_Quote, required=True)
    cites = fields.Nested(_Quote, allow_none=True, load_default=None)


class _Stance(_Answer):
    holder = string(required=True)
    stance = string(required=True, validate=_LABELS)
    evidence = fields.Nested(_Quote, allow_none=True, load_default=None)


class _Claim(_Answer):
    id = string(required=True, validate=Length(max=100))
    text = string(required=True)
    quote = fields.Nested(_Quote, required=True)
    claimant = fields.Nested(_Claimant, allow_none=True, load_default=None)
    stances = fields.List(fields.Nested(_Stance), required=True, validate=Length(max=_MOST_STANCES))
    kind = string(required=True, validate=OneOf([kind.value for kind in Kind]))
    check_worthiness = number(required=True, validate=Range(0, 1))
    check_worthiness_reason = string(load_default="")


class _Passage(_Answer):
    start = integer(required=True, validate=Range(min=0))
    end = integer(required=True, validate=Range(min=0))
    sha256 = string(required=True, validate=Regexp(r"[0-9a-f]{64}\Z"))
    status = string(required=True, validate=OneOf(["ok", "kept", "failed"]))


class _Coverage(_Answer):
    passages = fields.List(fields.Nested(_Passage), required=True, validate=Length(max=_MOST_PASSAGES))


class _Model(_Answer):
    asked = string(required=True)


class _Provenance(_Answer):
    prompt = string(required=True)
    model = fields.Nested(_Model, required=True)


class EarlierSchema(_Answer):
    """An answer of `POST /analyze`."""

    claims = fields.List(fields.Nested(_Claim), required=True, validate=Length(max=_MOST_CLAIMS))
    coverage = fields.Nested(_Coverage, required=True)
    provenance = fields.Nested(_Provenance, required=True)


def earlier(loaded: Mapping[str, Any]) -> Previous:
    """What `EarlierSchema` loaded, as the flow takes it. A passage that failed then is read anew."""
    return Previous(
        prompt=loaded["provenance"]["prompt"],
        model=loaded["provenance"]["model"]["asked"],
        passages=tuple(
            KnownPassage(passage["start"], passage["end"], passage["sha256"])
            for passage in loaded["coverage"]["passages"]
            if passage["status"] != "failed" and passage["start"] < passage["end"]
        ),
        claims=tuple(_claim(claim) for claim in loaded["claims"]),
    )


def _claim(claim: Mapping[str, Any]) -> EarlierClaim:
    claimant = claim["claimant"]
    article = next((one["stance"] for one in claim["stances"] if one["holder"] == ARTICLE_HOLDER), StanceLabel.DISCUSSES)
    others = [one for one in claim["stances"] if one["holder"] != ARTICLE_HOLDER and one["evidence"]]
    proposed = ProposedClaim(
        sentence=0,
        quote=claim["quote"]["text"],
        text=claim["text"],
        claimant=claimant["name"] if claimant else None,
        stances=tuple(ProposedStance(one["holder"], StanceLabel(one["stance"]), 0, one["evidence"]["text"]) for one in others),
        article=StanceLabel(article),
        kind=Kind(claim["kind"]),
        worth=claim["check_worthiness"],
        why=claim["check_worthiness_reason"],
        mention=claimant["span"]["text"] if claimant else "",
        role=(claimant["role"] or "") if claimant else "",
        cites=claimant["cites"]["text"] if claimant and claimant["cites"] else None,
    )
    return EarlierClaim(claim["id"], claim["quote"]["start"], proposed, tuple(one["evidence"]["start"] for one in others))
