"""Where an answer comes from: the prompt, the model, and who decided what. Enum values are the wire values."""

from dataclasses import dataclass
from enum import StrEnum


class Decider(StrEnum):
    """Who decided a part of an answer. `NOBODY`: it was not judged, and holds a constant."""

    MODEL = "model"
    RULES = "rules"
    BOTH = "rules and model"
    WEIGHTS = "trained weights"
    NOBODY = "not judged"


@dataclass(frozen=True)
class ModelProvenance:
    """Which model answered: the name asked for, the name the endpoint gave, and the endpoint's host.

    `served` and `response_format` are None when rules left nothing to ask.
    """

    asked: str
    served: str | None
    endpoint: str
    response_format: str | None


@dataclass(frozen=True)
class DecidedBy:
    """Who decided what: which claims there are, who makes them, who stands where, and what is worth checking."""

    claims: Decider
    claimants: Decider
    stances: Decider
    check_worthiness: Decider


@dataclass(frozen=True)
class Provenance:
    """What produced an answer: prompt and schema by content hash, model, and our own version."""

    prompt: str
    schema: str
    model: ModelProvenance
    decided_by: DecidedBy
    service: str
