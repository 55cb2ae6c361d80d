"""What the labelled sets hold, whichever files they come from: articles, each with a typed gold.

Ranges are half-open, in code points, into `Item.text`.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

Range = tuple[int, int]
GoldT_co = TypeVar("GoldT_co", covariant=True)
WORTHY = 2
"""The check-worthiness, of 0 to 3, from which on a claim is worth checking."""


@dataclass(frozen=True)
class Item(Generic[GoldT_co]):
    """One article to answer, and what people say the answer is.

    `cluster` names what must be drawn together when articles are resampled: parts of one speech are not independent.
    """

    id: str
    text: str
    language: str | None
    title: str | None
    gold: GoldT_co
    cluster: str = ""

    @property
    def drawn_with(self) -> str:
        """The name of the cluster, which for most items is the item."""
        return self.cluster or self.id


@dataclass(frozen=True)
class GoldStance:
    """What a holder does to a claim; `label` is a wire value of `StanceLabel`."""

    holder: str
    label: str


@dataclass(frozen=True)
class GoldClaim:
    """A claim as an annotator wrote it. `claimant` None is the article's own voice.

    `check_worthiness` is 0 to 3; None where nobody said.
    """

    text: str
    span: Range
    claimant: str | None
    article: str
    others: tuple[GoldStance, ...]
    kind: str
    check_worthiness: int | None

    @property
    def worthy(self) -> bool:
        """Whether an annotator holds it worth checking."""
        return self.check_worthiness is not None and self.check_worthiness >= WORTHY


@dataclass(frozen=True)
class ReferenceGold:
    """Every checkable claim of an article."""

    claims: tuple[GoldClaim, ...]


@dataclass(frozen=True)
class TopicClaim:
    """A sentence that makes a claim on one of four topics. `stance` is `affirm`, `refute` or None (not labelled).

    `reported` is None where nobody labelled whether the claim is reported or the journalist's own.
    """

    sentence: Range
    topic: str
    stance: str | None
    reported: bool | None
    claimer: str | None
    claimer_in_sentence: bool
    span: Range | None


@dataclass(frozen=True)
class TopicGold:
    """The sentences of an article and those claims in it that are on the four topics; others are not labelled."""

    sentences: tuple[Range, ...]
    claims: tuple[TopicClaim, ...]


@dataclass(frozen=True)
class Attribution:
    """Words that the article attributes to `source`, in one or more pieces."""

    pieces: tuple[Range, ...]
    source: str | None


@dataclass(frozen=True)
class AttributionGold:
    """Every attribution of an article."""

    attributions: tuple[Attribution, ...]


@dataclass(frozen=True)
class LabelledSentence:
    """A sentence and its label; `positive` when a claim should be found in it."""

    span: Range
    label: str
    positive: bool


@dataclass(frozen=True)
class SentenceGold:
    """The labelled sentences of a text, in order."""

    sentences: tuple[LabelledSentence, ...]


@dataclass(frozen=True)
class FactGold:
    """Labelled sentences of a text and the self-contained claims that people made of them."""

    sentences: tuple[LabelledSentence, ...]
    claims: tuple[str, ...]


@dataclass(frozen=True)
class CentralGold:
    """The claim that a fact-checker took from a page, and who made it."""

    claim: str
    speaker: str | None


@dataclass(frozen=True)
class VerdictGold:
    """A claim, its verdict by the evidence that is the item's text, and the sets of passages each of which bears it out."""

    claim: str
    label: str
    supporting: tuple[tuple[Range, ...], ...]


@dataclass(frozen=True)
class NoGold:
    """Nothing is labelled: the article is there to see whether it can be answered at all."""
