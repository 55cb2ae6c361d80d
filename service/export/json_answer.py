"""An analysis as the JSON of our own answer. Every field is named here, so nothing reaches the wire by accident."""

from dataclasses import asdict, dataclass
from typing import Any

from service.domain import Analysis, Article, Caveat, Claim, Claimant, Coverage, Quote, SetAside, Stance
from service.earlier import Changes, ClaimMemory


@dataclass(frozen=True)
class Origin:
    """Where an article was fetched: the address its page was found at, and the one that the page gives as its own."""

    url: str
    canonical_url: str | None


def dump_analysis(
    analysis: Analysis,
    *,
    return_text: bool,
    seal: str | None = None,
    origin: Origin | None = None,
    stored_at: str | None = None,
) -> dict[str, Any]:
    """The answer to one article; `return_text` adds the text that all offsets refer to.

    `seal` is what the answer is known by, `origin` where the article was fetched, `stored_at` where the answer can be read.
    """
    provenance, usage = analysis.provenance, analysis.usage
    dumped = {
        "id": analysis.id,
        "status": analysis.status,
        "article": _article(analysis.article, analysis.sentences, return_text=return_text, origin=origin),
        "claims": [dump_claim(claim) for claim in analysis.claims],
        "coverage": _coverage(analysis.coverage),
        "set_aside": [_set_aside(refused) for refused in analysis.set_aside],
        "provenance": {
            "prompt": provenance.prompt,
            "schema": provenance.schema,
            "model": {
                "asked": provenance.model.asked,
                "served": provenance.model.served,
                "endpoint": provenance.model.endpoint,
                "response_format": provenance.model.response_format,
            },
            "decided_by": {
                "claims": provenance.decided_by.claims,
                "claimants": provenance.decided_by.claimants,
                "stances": provenance.decided_by.stances,
                "check_worthiness": provenance.decided_by.check_worthiness,
            },
            "service": provenance.service,
        },
        "usage": {
            "calls": usage.calls,
            "retries": usage.retries,
            "input_tokens": usage.input_tokens,
            "cached_tokens": usage.cached_tokens,
            "output_tokens": usage.output_tokens,
            "duration_ms": usage.duration_ms,
            "cache": usage.cache,
        },
        "warnings": [_warning(caveat) for caveat in analysis.warnings],
    }
    if analysis.changes:
        dumped["changes"] = _changes(analysis.changes)
    if seal:
        dumped["seal"] = seal
    if stored_at:
        dumped["analysis_url"] = stored_at
    return dumped


def _article(article: Article, sentences: int, *, return_text: bool, origin: Origin | None) -> dict[str, Any]:
    dumped: dict[str, Any] = {
        "sha256": article.sha256,
        "language": article.language,
        "title": article.title,
        "author": article.author,
        "code_points": len(article.text),
        "utf16_units": len(article.text.encode("utf-16-le")) // 2,
        "sentences": sentences,
    }
    if origin:
        dumped["fetched"] = {"url": origin.url, "canonical_url": origin.canonical_url}
    if return_text:
        dumped["text"] = article.text
    return dumped


def _quote(quote: Quote) -> dict[str, Any]:
    return {
        "text": quote.text,
        "start": quote.span.start,
        "end": quote.span.end,
        "start_utf16": quote.span.start_utf16,
        "end_utf16": quote.span.end_utf16,
        "sentences": list(quote.sentences),
    }


def dump_claim(claim: Claim) -> dict[str, Any]:
    """One claim; offsets are half-open, in code points and in UTF-16 units."""
    claimant = claim.claimant
    return {
        "id": claim.id,
        "text": claim.text,
        "quote": _quote(claim.quote),
        "occurrences": [_quote(occurrence) for occurrence in claim.occurrences],
        "claimant": claimant and _claimant(claimant),
        "mode": claim.mode,
        "stances": [_stance(stance) for stance in claim.stances],
        "kind": claim.kind,
        "check_worthiness": claim.check_worthiness,
        "check_worthiness_reason": claim.check_worthiness_reason,
    }


def _claimant(claimant: Claimant) -> dict[str, Any]:
    return {
        "name": claimant.name,
        "role": claimant.role,
        "span": _quote(claimant.mention),
        "cites": claimant.cites and _quote(claimant.cites),
    }


def _stance(stance: Stance) -> dict[str, Any]:
    return {"holder": stance.holder, "stance": stance.label, "evidence": stance.evidence and _quote(stance.evidence)}


def _coverage(coverage: Coverage) -> dict[str, Any]:
    passages: list[dict[str, Any]] = []
    for passage in coverage.passages:
        status = "failed" if passage.code else "ok"
        dumped: dict[str, Any] = {"start": passage.start, "end": passage.end, "sha256": passage.sha256, "status": status}
        if passage.code:
            dumped["code"] = passage.code
        if passage.reused:
            dumped["reused"] = True
        passages.append(dumped)
    return {"sentences": coverage.sentences, "read": coverage.read, "passages": passages}


def _changes(changes: Changes) -> dict[str, Any]:
    return {
        "since": changes.since,
        "new": list(changes.new),
        "gone": [_former(claim) for claim in changes.gone],
        "kept": list(changes.kept),
        "unlisted": [_former(claim) for claim in changes.unlisted],
    }


def _former(claim: ClaimMemory) -> dict[str, Any]:
    return {"id": claim.id, "text": claim.text}


def _warning(caveat: Caveat) -> dict[str, Any]:
    dumped: dict[str, Any] = {"code": caveat.code, "detail": caveat.detail}
    if caveat.spans:
        dumped["spans"] = [asdict(span) for span in caveat.spans]
    return dumped


def _set_aside(refused: SetAside) -> dict[str, Any]:
    return {"reason": refused.reason, "text": refused.text}
