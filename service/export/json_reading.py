"""An answer of ours in JSON read back as the analysis it was written from: `json_answer`, the other way round."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from service.domain import (
    Analysis,
    AnalysisStatus,
    Article,
    Caveat,
    Claim,
    Claimant,
    Coverage,
    Kind,
    Mode,
    PassageCoverage,
    Quote,
    SetAside,
    SetAsideReason,
    Span,
    Stance,
    StanceLabel,
    Usage,
)
from service.earlier import Changes, ClaimMemory
from service.provenance import DecidedBy, Decider, ModelProvenance, Provenance
from service.text.offsets import OffsetMap

Json = Mapping[str, Any]

_WEB_ADDRESS = re.compile(r"https?://[^\s\x00-\x20\x7f]{1,2000}")


class AnswerUnreadableError(ValueError):
    """The answer is none of ours, or its text is missing; the message says why and holds nothing of the article."""


def read_answer(document: Json) -> Analysis:
    """The analysis that `document` tells, which must have the shape that is published as `Analysis`.

    Every quote is proved anew: its words stand in the article at the offsets given. What JSON does not tell (the address
    and date of an article handed over, the memory under the seal) is None, but for an
    address that somebody put beside the article as `url`.
    Raises: AnswerUnreadableError.
    """
    text = document["article"].get("text")
    if text is None:
        raise AnswerUnreadableError('The answer does not hold its text: ask for it with "return_text".')
    if sha256(text.encode("utf-8", "surrogatepass")).hexdigest() != document["article"]["sha256"]:
        raise AnswerUnreadableError("The text in the answer is not the one that was analysed: its SHA-256 differs.")
    reader = _Reader(text)
    coverage = document["coverage"]
    return Analysis(
        id=document["id"],
        status=AnalysisStatus(document["status"]),
        article=_article(document["article"]),
        sentences=document["article"]["sentences"],
        claims=tuple(map(reader.claim, document["claims"])),
        coverage=Coverage(coverage["sentences"], coverage["read"], tuple(map(reader.passage, coverage["passages"]))),
        set_aside=tuple(SetAside(SetAsideReason(refused["reason"]), refused["text"]) for refused in document["set_aside"]),
        provenance=_provenance(document["provenance"]),
        usage=Usage(**{name: document["usage"][name] for name in Usage.__dataclass_fields__}),
        warnings=tuple(Caveat(told["code"], told["detail"]) for told in document["warnings"]),
        changes=_changes(document["changes"]) if "changes" in document else None,
    )


def _article(told: Json) -> Article:
    fetched = told.get("fetched") or {"url": _address(told.get("url"))}
    address = fetched.get("canonical_url") or fetched["url"]
    return Article(told["text"], told["sha256"], told["language"], told["title"], address, author=told["author"])


def _address(told: Any) -> str | None:
    """What stands beside the article as its address, where it is one; answers do not tell it themselves."""
    return told if isinstance(told, str) and _WEB_ADDRESS.fullmatch(told) else None


class _Reader:
    """Reads what points into one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._offsets = OffsetMap(text)

    def claim(self, told: Json) -> Claim:
        return Claim(
            id=told["id"],
            text=told["text"],
            quote=self._quote(told["quote"]),
            occurrences=tuple(map(self._quote, told["occurrences"])),
            claimant=told["claimant"] and self._claimant(told["claimant"]),
            mode=Mode(told["mode"]),
            stances=tuple(
                Stance(held["holder"], StanceLabel(held["stance"]), held["evidence"] and self._quote(held["evidence"]))
                for held in told["stances"]
            ),
            kind=Kind(told["kind"]),
            check_worthiness=told["check_worthiness"],
            check_worthiness_reason=told["check_worthiness_reason"],
        )

    def passage(self, told: Json) -> PassageCoverage:
        code = (told.get("code") or "unknown") if told["status"] == "failed" else None
        if not 0 <= told["start"] <= told["end"] <= len(self._text):
            raise AnswerUnreadableError("A passage in the answer is not in its text.")
        return PassageCoverage(told["start"], told["end"], told["sha256"], code, told.get("reused", False))

    def _claimant(self, told: Json) -> Claimant:
        cites = told["cites"] and self._quote(told["cites"])
        return Claimant(told["name"], self._quote(told["span"]), told["role"], cites)

    def _quote(self, told: Json) -> Quote:
        start, end = told["start"], told["end"]
        if not 0 <= start < end <= len(self._text) or self._text[start:end] != told["text"]:
            raise AnswerUnreadableError("A quote in the answer does not stand in its text where it says.")
        span = self._offsets.span(start, end)
        if span != Span(start, end, told["start_utf16"], told["end_utf16"]):
            raise AnswerUnreadableError("A quote in the answer has UTF-16 offsets that are not those of its words.")
        return Quote(told["text"], span, tuple(told["sentences"]))


def _provenance(told: Json) -> Provenance:
    model, by = told["model"], told["decided_by"]
    return Provenance(
        prompt=told["prompt"],
        schema=told["schema"],
        model=ModelProvenance(model["asked"], model["served"], model["endpoint"], model["response_format"]),
        decided_by=DecidedBy(*(Decider(by[part]) for part in ("claims", "claimants", "stances", "check_worthiness"))),
        service=told["service"],
    )


def _changes(told: Json) -> Changes:
    return Changes(told["since"], tuple(told["new"]), _former(told["gone"]), tuple(told["kept"]), _former(told["unlisted"]))


def _former(told: list[Json]) -> tuple[ClaimMemory, ...]:
    return tuple(ClaimMemory(claim["id"], claim["text"], "") for claim in told)
