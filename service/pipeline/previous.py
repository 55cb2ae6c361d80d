"""What of an earlier analysis still stands: passages whose text is unchanged need no new reading.

An earlier analysis comes back from a caller, so nothing of it is believed: its claims are proved again like a model's.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from service.domain import Passage
from service.pipeline.plan import digest
from service.pipeline.prove import Prover
from service.pipeline.read import Reading
from service.pipeline.replies import ProposedClaim


@dataclass(frozen=True)
class KnownPassage:
    """A passage of an earlier analysis: its range then, in code points, and the SHA-256 of its text."""

    start: int
    end: int
    sha256: str


@dataclass(frozen=True)
class EarlierClaim:
    """A claim of an earlier analysis as a proposal, and where its quote began; `evidence_at` likewise for each stance."""

    id: str
    start: int
    proposed: ProposedClaim
    evidence_at: tuple[int, ...]


@dataclass(frozen=True)
class Previous:
    """An earlier analysis as far as it is used again: only where the same prompt asked the same model."""

    prompt: str
    model: str
    passages: tuple[KnownPassage, ...]
    claims: tuple[EarlierClaim, ...]

    def known(self) -> tuple[tuple[str, int], ...]:
        """Hash and length of its passages, as `plan` takes them."""
        return tuple((passage.sha256, passage.end - passage.start) for passage in self.passages)


def reread(passage: Passage, previous: Previous, prover: Prover) -> Reading | None:
    """The reading of a passage that the earlier analysis has with the same text; None when there is none."""
    text = passage.article.text[passage.start : passage.end]
    known = next((one for one in previous.passages if one.end - one.start == len(text) and one.sha256 == digest(text)), None)
    if known is None:
        return None
    shift = passage.start - known.start
    proposals = [_moved(claim, shift, passage, known) for claim in previous.claims if known.start <= claim.start < known.end]
    return Reading(passage, proof=prover.prove(proposals), kept=True)


def _moved(claim: EarlierClaim, shift: int, passage: Passage, known: KnownPassage) -> ProposedClaim:
    """The claim with the numbers its sentences have now; 0, which is no sentence, where evidence lay in another passage."""
    stances = tuple(
        replace(stance, sentence=_sentence_at(passage, at + shift) if known.start <= at < known.end else 0)
        for stance, at in zip(claim.proposed.stances, claim.evidence_at, strict=True)
    )
    return replace(claim.proposed, sentence=_sentence_at(passage, claim.start + shift), stances=stances)


def _sentence_at(passage: Passage, offset: int) -> int:
    starts: Sequence[int] = [sentence.start for sentence in passage.sentences]
    return passage.sentences[max(0, bisect_right(starts, offset) - 1)].number
