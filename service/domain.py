"""The values of an analysis: what an article, a claim and a stance are. Standard library only, all frozen.

Offsets are half-open, into `Article.text`, in Unicode code points and in UTF-16 code units (what browsers count).
Enum values are the wire values.
"""

from dataclasses import dataclass
from enum import StrEnum

from service.earlier import Changes, Memory
from service.provenance import Provenance


class StanceLabel(StrEnum):
    """What a holder does to a claim. `DISCUSSES` reports or questions it without taking a side."""

    SUPPORTS = "supports"
    REFUTES = "refutes"
    DISCUSSES = "discusses"


class Kind(StrEnum):
    """What sort of proposition a claim is."""

    EVENT = "event"
    QUANTITY = "quantity"
    CAUSAL = "causal"
    RULE = "rule"
    PREDICTION = "prediction"
    OTHER = "other"


class Mode(StrEnum):
    """How the article brings a claim: in the claimant's own words, in the article's, partly in each, or as its own.

    Without a claimant, all but `OWN_VOICE` are the words of somebody the answer cannot name: hearsay, or a quotation.
    """

    DIRECT = "direct"
    INDIRECT = "indirect"
    MIXED = "mixed"
    OWN_VOICE = "own_voice"


class SetAsideReason(StrEnum):
    """Why something the model proposed did not become part of the answer."""

    QUOTE_NOT_FOUND = "quote_not_found"
    UNKNOWN_SENTENCE = "unknown_sentence"
    CLAIMANT_NOT_FOUND = "claimant_not_found"
    HOLDER_NOT_FOUND = "holder_not_found"
    ROLE_NOT_FOUND = "role_not_found"
    CITED_NOT_FOUND = "cited_not_found"
    EVIDENCE_NOT_FOUND = "evidence_not_found"
    NUMBER_NOT_FOUND = "number_not_found"
    WORDING_NOT_FOUND = "wording_not_found"
    DUPLICATE = "duplicate"
    BELOW_CHECK_WORTHINESS = "below_check_worthiness"
    OVER_MAX_CLAIMS = "over_max_claims"


class AnalysisStatus(StrEnum):
    """`PARTIAL` only when a passage failed and the caller allowed it.

    `STAND_IN` when the model the service is trusted for could not answer and the embedded one did, the article whole or,
    as `Coverage` then says, in part.
    """

    COMPLETE = "complete"
    PARTIAL = "partial"
    STAND_IN = "stand_in"


ARTICLE_HOLDER = "article"
"""The stance holder that stands for the article's own voice."""


@dataclass(frozen=True)
class ArticleInput:
    """An article as a caller hands it over, not yet checked."""

    text: str
    title: str | None = None
    url: str | None = None
    published_at: str | None = None
    language: str | None = None
    author: str | None = None


@dataclass(frozen=True)
class Options:
    """What a caller asks of one analysis. `max_claims` None means as many as there are."""

    max_claims: int | None = None
    min_check_worthiness: float = 0.0
    allow_partial: bool = False


@dataclass(frozen=True)
class Article:
    """An article as it is analysed. `text` is what all offsets refer to; nothing may change it after this point.

    `author` is who wrote it, as handed over or as its page says: never a claimant for that alone.
    """

    text: str
    sha256: str
    language: str
    title: str | None = None
    url: str | None = None
    published_at: str | None = None
    author: str | None = None


@dataclass(frozen=True)
class Span:
    """A half-open range of `Article.text`, in code points and in UTF-16 code units."""

    start: int
    end: int
    start_utf16: int
    end_utf16: int


@dataclass(frozen=True)
class Sentence:
    """One sentence: its number as the model sees it (from 1) and its code-point range, trailing space included."""

    number: int
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Passage:
    """A run of an article's sentences that one model call reads; `lead` are its first ones, where they lie before."""

    article: Article
    sentences: tuple[Sentence, ...]
    lead: tuple[Sentence, ...] = ()

    @property
    def start(self) -> int:
        """Where its text begins, in code points."""
        return self.sentences[0].start

    @property
    def end(self) -> int:
        """Where its text ends, in code points."""
        return self.sentences[-1].end


@dataclass(frozen=True)
class Quote:
    """Words of the article, proved: `text` is the slice of the article at `span`; `sentences` are those it touches."""

    text: str
    span: Span
    sentences: tuple[int, ...]


@dataclass(frozen=True)
class Claimant:
    """Who puts a claim forward.

    `name` is the fullest the article has for them; `mention` the words nearest the claim that refer to them, which may be
    a pronoun; `role` their office or description in the article's words; `cites` the source they lean on, if they name one.
    """

    name: str
    mention: Quote
    role: str | None = None
    cites: Quote | None = None


@dataclass(frozen=True)
class Stance:
    """What `holder` does to a claim, with the words that show it (None only for the article's own voice)."""

    holder: str
    label: StanceLabel
    evidence: Quote | None


@dataclass(frozen=True)
class Claim:
    """One checkable proposition. `claimant` None means the article says it in its own voice.

    `occurrences` are all places where the words of `quote` stand, `quote` among them, in order.
    """

    id: str
    text: str
    quote: Quote
    occurrences: tuple[Quote, ...]
    claimant: Claimant | None
    mode: Mode
    stances: tuple[Stance, ...]
    kind: Kind
    check_worthiness: float
    check_worthiness_reason: str


@dataclass(frozen=True)
class SetAside:
    """Something the model proposed and we refused, with the reason and the words it proposed."""

    reason: SetAsideReason
    text: str


@dataclass(frozen=True)
class PassageCoverage:
    """A stretch of the article (code points) and whether it was read: `code` is the error code when it was not.

    `sha256` is that of its text. `reused` tells that the reply of an earlier analysis was used. `for_all` is false where
    reading it failed for want of this request's own time alone.
    """

    start: int
    end: int
    sha256: str
    code: str | None = None
    reused: bool = False
    for_all: bool = True


@dataclass(frozen=True)
class Coverage:
    """How much of the article was read. No claims with full coverage means: there are none to be found."""

    sentences: int
    read: int
    passages: tuple[PassageCoverage, ...]


@dataclass(frozen=True)
class Usage:
    """What an answer cost. `calls` counts every model call made, retries and repair rounds included."""

    calls: int
    retries: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    duration_ms: int
    cache: str


@dataclass(frozen=True)
class Caveat:
    """Something the reader must know before trusting the answer: a stable code, a sentence, and the places it is about."""

    code: str
    detail: str
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Analysis:
    """The whole answer to one article. `changes` is told where an earlier answer came with it, `memory` is for a later one."""

    id: str
    status: AnalysisStatus
    article: Article
    sentences: int
    claims: tuple[Claim, ...]
    coverage: Coverage
    set_aside: tuple[SetAside, ...]
    provenance: Provenance
    usage: Usage
    warnings: tuple[Caveat, ...]
    changes: Changes | None = None
    memory: Memory | None = None
