"""What one analysis leaves behind for the next one of the same article. Standard library only, all frozen."""

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Circumstances:
    """What decides, besides an article's own words, what is asked of a model and what its reply is taken for."""

    service: str
    prompt: str
    repair_prompt: str
    reply_schema: str
    model: str
    endpoint: str
    passage_chars: int
    title: str | None
    language: str
    max_claims: int | None
    min_check_worthiness: float


@dataclass(frozen=True)
class PassageMemory:
    """How a passage was read: the reply that was believed, in which its sentences are numbered from `first`.

    `fingerprint` and `opening` are those `plan` gives to all its sentences and to its first; `surroundings` is the hash of
    whatever else the model was shown with it.
    """

    fingerprint: str
    opening: str
    sentences: int
    chars: int
    surroundings: str
    first: int
    left_out: int
    repairs: tuple[str, ...]
    reply: str
    served: str
    response_format: str


@dataclass(frozen=True)
class ClaimMemory:
    """A claim that was answered: its id, its text and the words of its quote."""

    id: str
    text: str
    quote: str


@dataclass(frozen=True)
class Memory:
    """An analysis as far as a later one needs it; `passages` are those that were read."""

    analysis: str
    circumstances: Circumstances
    claims: tuple[ClaimMemory, ...]
    passages: tuple[PassageMemory, ...]


@dataclass(frozen=True)
class Previous:
    """An earlier answer that came with a request. `memory` None means: nothing shows that it was ours."""

    memory: Memory | None


@dataclass(frozen=True)
class Changes:
    """What became of the claims of the analysis `since`. `new` and `kept` are ids of claims answered now.

    `gone` were answered then and are not found now. `unlisted` were answered then and are not now, but cannot be called
    gone: a limit the caller set leaves them out, or their words stand where the article could not be read.
    """

    since: str
    new: tuple[str, ...]
    gone: tuple[ClaimMemory, ...]
    kept: tuple[str, ...]
    unlisted: tuple[ClaimMemory, ...]

    def is_new(self, claim_id: str) -> bool:
        """Whether a claim answered now was not answered then."""
        return claim_id in self._new

    @cached_property
    def _new(self) -> frozenset[str]:
        return frozenset(self.new)
