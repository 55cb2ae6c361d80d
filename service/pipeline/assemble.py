"""Everything the steps found out, put together as the answer to one article."""

from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version

from service.domain import (
    Analysis,
    AnalysisStatus,
    Caveat,
    Coverage,
    ModelProvenance,
    Passage,
    PassageCoverage,
    Provenance,
    Usage,
)
from service.llm.base import ModelTraits
from service.pipeline.extract import Extraction
from service.pipeline.prove import Proof
from service.prompting import Prompt

_SERVICE_VERSION = version("factcheck-service")

_REPAIRS = {
    "asked_again": "The model's first reply broke the reply schema; it was told what was wrong and asked once more.",
    "fence": "A code fence around the model's reply was taken off.",
    "think": "A thinking block before the model's reply was taken off.",
}


@dataclass(frozen=True)
class Outcome:
    """What reading a passage came to: what the model proposed and what of it was proved, in how many milliseconds."""

    extraction: Extraction
    proof: Proof
    took_ms: int


def assemble(passage: Passage, prompt: Prompt, traits: ModelTraits, outcome: Outcome) -> Analysis:
    """The analysis. Its id is the hash of what was read and what was answered: the same answer has the same id."""
    article, sentences, extraction = passage.article, passage.sentences, outcome.extraction
    last = extraction.replies[-1]
    provenance = Provenance(
        prompt=prompt.ref,
        schema=f"{prompt.output.name}#{prompt.output.sha256[:12]}",
        model=ModelProvenance(traits.name, last.served_model, traits.endpoint, last.response_format.value),
        service=_SERVICE_VERSION,
    )
    answered = "\n".join([article.sha256, prompt.ref, last.served_model, *(reply.text for reply in extraction.replies)])
    return Analysis(
        id=f"an_{sha256(answered.encode('utf-8')).hexdigest()[:24]}",
        status=AnalysisStatus.COMPLETE,
        article=article,
        sentences=len(sentences),
        claims=outcome.proof.claims,
        coverage=Coverage(len(sentences), len(sentences) - extraction.left_out, (PassageCoverage(0, len(article.text)),)),
        set_aside=outcome.proof.set_aside,
        provenance=provenance,
        usage=_usage(extraction, outcome.took_ms),
        warnings=_warnings(traits, extraction),
    )


def _usage(extraction: Extraction, took_ms: int) -> Usage:
    replies = extraction.replies
    return Usage(
        calls=sum(reply.calls for reply in replies),
        retries=sum(reply.retries for reply in replies),
        input_tokens=sum(reply.input_tokens for reply in replies),
        cached_tokens=sum(reply.cached_tokens for reply in replies),
        output_tokens=sum(reply.output_tokens for reply in replies),
        duration_ms=took_ms,
        cache="miss",
    )


def _warnings(traits: ModelTraits, extraction: Extraction) -> tuple[Caveat, ...]:
    told = []
    if traits.trial:
        told.append(
            Caveat(
                "trial_model",
                f"{traits.name} is a small model for trying the service out: its quotes are proved, but which sentences "
                "are claims, who makes them and how worth checking they are is not to be relied on.",
            )
        )
    if extraction.left_out:
        told.append(
            Caveat(
                "sentences_left_out",
                f"{extraction.left_out} sentences that could carry a claim were not asked about: "
                "this model takes only the first ones.",
            )
        )
    told += [Caveat(f"repaired_{repair}", _REPAIRS[repair]) for repair in extraction.repairs]
    return tuple(told)
