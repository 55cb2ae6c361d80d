"""Everything the steps found out, put together as the answer to one article."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version

from service.domain import (
    Analysis,
    AnalysisStatus,
    Article,
    Caveat,
    Claim,
    Coverage,
    PassageCoverage,
    SetAside,
    SetAsideReason,
    Usage,
)
from service.llm.base import ModelTraits, Reply
from service.pipeline.merge import Merged
from service.pipeline.parts import IN_PARTS
from service.pipeline.plan import digest
from service.pipeline.read import Reading
from service.prompting import Prompt
from service.provenance import DecidedBy, Decider, ModelProvenance, Provenance

SERVICE_VERSION = version("factcheck-service")

_REPAIRS = {
    "asked_again": "The model's first reply broke the reply schema; it was told what was wrong and asked once more.",
    IN_PARTS: "A passage did not fit the model's context and was read in two parts.",
    "fence": "A code fence around the model's reply was taken off.",
    "prose": "Words around the model's reply, outside its code fence, were left out.",
    "think": "A thinking block before the model's reply was taken off.",
}


@dataclass(frozen=True)
class Outcome:
    """What reading an article came to, in how many milliseconds, who decided what of it, and what the reader must know."""

    readings: tuple[Reading, ...]
    merged: Merged
    took_ms: int
    decided_by: DecidedBy
    caveats: tuple[Caveat, ...] = ()


def assemble(article: Article, prompt: Prompt, traits: ModelTraits, outcome: Outcome) -> Analysis:
    """The analysis. Its id is the hash of what was read and what was answered: the same answer has the same id."""
    readings = outcome.readings
    replies = [reply for reading in readings for reply in reading.extraction.replies]
    refused = (*_proved_not(readings), *outcome.merged.set_aside)
    failed = any(reading.failure for reading in readings)
    return Analysis(
        id=f"an_{_answer_digest(article, prompt, replies, outcome.merged.claims)}",
        status=AnalysisStatus.PARTIAL if failed else AnalysisStatus.COMPLETE,
        article=article,
        sentences=sum(len(reading.passage.sentences) for reading in readings),
        claims=outcome.merged.claims,
        coverage=_coverage(readings),
        set_aside=refused,
        provenance=_provenance(prompt, traits, replies, outcome.decided_by),
        usage=_usage(replies, outcome.took_ms),
        warnings=(
            *_model_warnings(traits, outcome.decided_by),
            *outcome.caveats,
            *_reading_warnings(readings),
            *_limit_warnings(refused),
        ),
    )


def _proved_not(readings: Iterable[Reading]) -> Iterator[SetAside]:
    """What was refused in any passage. A role is a source's, not a claim's, so it is told once, however much they claim."""
    told: set[str] = set()
    for refused in (one for reading in readings for one in reading.proof.set_aside):
        if refused.reason is not SetAsideReason.ROLE_NOT_FOUND:
            yield refused
        elif refused.text not in told:
            told.add(refused.text)
            yield refused


def _answer_digest(article: Article, prompt: Prompt, replies: Iterable[Reply], claims: Iterable[Claim]) -> str:
    answered = [
        article.sha256,
        prompt.ref,
        *(reply.served_model + reply.text for reply in replies),
        *(claim.id for claim in claims),
    ]
    return sha256("\n".join(answered).encode("utf-8")).hexdigest()[:24]


def _coverage(readings: Sequence[Reading]) -> Coverage:
    text = readings[0].passage.article.text
    return Coverage(
        sentences=sum(len(reading.passage.sentences) for reading in readings),
        read=sum(len(reading.passage.sentences) - reading.extraction.left_out for reading in readings if not reading.failure),
        passages=tuple(
            PassageCoverage(
                start=reading.passage.start,
                end=reading.passage.end,
                sha256=digest(text[reading.passage.start : reading.passage.end]),
                code=reading.failure.code if reading.failure else None,
                reused=reading.recalled is not None,
                for_all=reading.failure is None or reading.failure.for_all,
            )
            for reading in readings
        ),
    )


def _provenance(prompt: Prompt, traits: ModelTraits, replies: Sequence[Reply], decided_by: DecidedBy) -> Provenance:
    served = sorted({reply.served_model for reply in replies})
    formats = sorted({reply.response_format.value for reply in replies})
    return Provenance(
        prompt=prompt.ref,
        schema=f"{prompt.output.name}#{prompt.output.sha256[:12]}",
        model=ModelProvenance(traits.name, ", ".join(served) or None, traits.endpoint, ", ".join(formats) or None),
        decided_by=decided_by,
        service=SERVICE_VERSION,
    )


def _usage(replies: Sequence[Reply], took_ms: int) -> Usage:
    return Usage(
        calls=sum(reply.calls for reply in replies),
        retries=sum(reply.retries for reply in replies),
        input_tokens=sum(reply.input_tokens for reply in replies),
        cached_tokens=sum(reply.cached_tokens for reply in replies),
        output_tokens=sum(reply.output_tokens for reply in replies),
        duration_ms=took_ms,
        cache="miss",
    )


def _model_warnings(traits: ModelTraits, decided_by: DecidedBy) -> Iterable[Caveat]:
    if traits.trial and decided_by.claims is Decider.RULES:
        yield Caveat(
            "trial_model",
            "Rules of language, not a capable model, say which sentences are claims, who makes them and who stands where: the "
            "quotes are proved, the rest is for trying the service out and not to be relied on.",
        )
    elif traits.trial:
        yield Caveat(
            "trial_model",
            f"{traits.name} is a small model for trying the service out: its quotes are proved, but which sentences "
            "are claims, who makes them and how worth checking they are is not to be relied on.",
        )


def _reading_warnings(readings: Sequence[Reading]) -> Iterable[Caveat]:
    if failed := [reading for reading in readings if reading.failure]:
        yield Caveat(
            "passages_failed", f"{len(failed)} of {len(readings)} passages were not read; coverage says which and why."
        )
    if left_out := sum(reading.extraction.left_out for reading in readings):
        yield Caveat(
            "sentences_left_out",
            f"{left_out} sentences were not asked about: headlines and fragments, or more than this model is asked at a time.",
        )
    if unattributed := sum(reading.extraction.unattributed for reading in readings):
        yield Caveat("quotations_without_speaker", f"{unattributed} claims are quotations whose speaker could not be told.")
    for repair in sorted({repair for reading in readings for repair in reading.extraction.repairs}):
        yield Caveat(f"repaired_{repair}", _REPAIRS[repair])


def _limit_warnings(refused: Iterable[SetAside]) -> Iterable[Caveat]:
    if cut := sum(one.reason is SetAsideReason.OVER_MAX_CLAIMS for one in refused):
        yield Caveat("max_claims_reached", f"{cut} more claims were found than asked for; set_aside names them.")
