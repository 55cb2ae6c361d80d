"""An answer of `POST /analyze` as scorers read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evals.items import Range
from service.domain import ARTICLE_HOLDER, StanceLabel

AnswerJson = dict[str, Any]


@dataclass(frozen=True)
class Words:
    """Words said to be in the article, and where, in code points and in UTF-16 units."""

    text: str
    span: Range
    span_utf16: Range


@dataclass(frozen=True)
class HeldStance:
    """What a holder does to a claim; `evidence` is None for the article's own voice."""

    holder: str
    label: str
    evidence: Words | None


@dataclass(frozen=True)
class AnswerClaim:
    """A claim of an answer. `claimant` None is the article's own voice."""

    text: str
    quote: Words
    claimant: str | None
    mention: Words | None
    stances: tuple[HeldStance, ...]
    kind: str
    check_worthiness: float
    reason: str
    occurrences: tuple[Words, ...] = ()
    cites: Words | None = None
    role: str | None = None

    @property
    def article(self) -> str | None:
        """The article's own stance."""
        return next((stance.label for stance in self.stances if stance.holder == ARTICLE_HOLDER), None)

    @property
    def others(self) -> tuple[HeldStance, ...]:
        """The stances of everyone but the article."""
        return tuple(stance for stance in self.stances if stance.holder != ARTICLE_HOLDER)

    @property
    def takes_stance(self) -> str | None:
        """Who takes a stance on it before anybody else: the claimant, or the only one who refutes a claim without any."""
        refuting = {stance.holder for stance in self.others if stance.label == StanceLabel.REFUTES}
        return self.claimant or (refuting.pop() if len(refuting) == 1 else None)

    @property
    def named_as(self) -> str | None:
        """The words by which the article names the claimant here, which may be a pronoun."""
        return self.mention.text if self.mention else self.claimant

    @property
    def told_as(self) -> str | None:
        """The claimant as a reader is told: office and fullest name."""
        return f"{self.role} {self.claimant}" if self.claimant and self.role else self.claimant

    @property
    def words_shown(self) -> tuple[Words, ...]:
        """Everything of this claim that is said to be in the article."""
        shown = (self.quote, *self.occurrences, self.mention, self.cites, *(stance.evidence for stance in self.stances))
        return tuple(words for words in shown if words is not None)


@dataclass(frozen=True)
class Answer:
    """An answer. `set_aside` are reasons; `usage` and `coverage` are counts by the names of the answer's fields."""

    claims: tuple[AnswerClaim, ...]
    set_aside: tuple[str, ...]
    usage: Mapping[str, float]
    coverage: Mapping[str, float]
    warnings: tuple[str, ...]


_USAGE = ("calls", "retries", "input_tokens", "cached_tokens", "output_tokens", "duration_ms")


def read_answer(document: Mapping[str, Any]) -> Answer:
    """The answer in `document`, in the shape that the service gives it.

    Raises: KeyError, TypeError when it has another one.
    """
    return Answer(
        claims=tuple(_claim(claim) for claim in document["claims"]),
        set_aside=tuple(refused["reason"] for refused in document["set_aside"]),
        usage={name: float(document["usage"][name]) for name in _USAGE},
        coverage={name: float(document["coverage"][name]) for name in ("sentences", "read")},
        warnings=tuple(warning["code"] for warning in document["warnings"]),
    )


def _claim(claim: Mapping[str, Any]) -> AnswerClaim:
    claimant = claim["claimant"]
    return AnswerClaim(
        text=claim["text"],
        quote=_words(claim["quote"]),
        claimant=claimant["name"] if claimant else None,
        mention=_words(claimant["span"]) if claimant else None,
        stances=_stances(claim["stances"]),
        kind=claim["kind"],
        check_worthiness=float(claim["check_worthiness"]),
        reason=claim["check_worthiness_reason"],
        occurrences=tuple(_words(quote) for quote in claim["occurrences"] if quote != claim["quote"]),
        cites=_words(claimant["cites"]) if claimant and claimant["cites"] else None,
        role=claimant["role"] if claimant else None,
    )


def _stances(stances: Sequence[Mapping[str, Any]]) -> tuple[HeldStance, ...]:
    return tuple(
        HeldStance(stance["holder"], stance["stance"], _words(stance["evidence"]) if stance["evidence"] else None)
        for stance in stances
    )


def _words(quote: Mapping[str, Any]) -> Words:
    return Words(quote["text"], (quote["start"], quote["end"]), (quote["start_utf16"], quote["end_utf16"]))
