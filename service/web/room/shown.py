"""An analysis as the page shows it: everything its template needs, worked out."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup

from service.domain import Analysis, Claim, Mode, PassageCoverage, SetAside, StanceLabel
from service.export.html_article import evidence_id, render, stance_class, unread
from service.export.report import (
    OWN_VOICE,
    SET_ASIDE_WORDS,
    STANCE_MEANINGS,
    UNTITLED,
    article_stance,
    caution,
    change,
    claims_words,
    coverage_words,
    holder_words,
    provenance,
    ranked,
    score,
    set_aside_counts,
    since_words,
    warnings,
)
from service.web.problems import PROBLEMS
from service.web.room.standings import Standings, standings
from service.web.room.strip import Strip, strip

NOT_NAMED = "Not named"
UNKNOWN = "unknown"
_STANCE_NOT_KNOWN = "stance not known"


@dataclass(frozen=True)
class StanceShown:
    """Who takes a stance, which, the words that show it and the id of their place; None for the article's own voice."""

    holder: str
    label: StanceLabel
    evidence: str | None
    part: str | None


@dataclass(frozen=True)
class Card:
    """One claim in the list. `stance` is the article's."""

    rank: int
    claim: Claim
    change: str | None

    @property
    def stance(self) -> str:
        """The article's stance, or "unknown"."""
        return stance_class(self.claim).removeprefix("s-")

    @property
    def stance_words(self) -> str:
        """The article's stance in words."""
        label = article_stance(self.claim)
        return _STANCE_NOT_KNOWN if label is None else f"article {label}"

    @property
    def score(self) -> str:
        """How worth checking it is, with two decimals."""
        return score(self.claim)

    @property
    def claimant(self) -> str:
        """Who says it, for a reader."""
        if self.claim.claimant:
            return self.claim.claimant.name
        return OWN_VOICE if self.claim.mode is Mode.OWN_VOICE else NOT_NAMED

    @property
    def role(self) -> str | None:
        """Their office."""
        return self.claim.claimant.role if self.claim.claimant else None

    @property
    def stances(self) -> list[StanceShown]:
        """Who stands where on it."""
        return [
            StanceShown(
                holder_words(stance),
                stance.label,
                stance.evidence.text if stance.evidence else None,
                evidence_id(self.rank, number) if stance.evidence else None,
            )
            for number, stance in enumerate(self.claim.stances)
        ]


@dataclass(frozen=True)
class FailedShown:
    """A passage that was not read, and why in words."""

    start: int
    end: int
    code: str
    why: str


@dataclass(frozen=True)
class Shown:
    """One analysis. `prefix` begins every id of the page that belongs to it, where there are more than one.

    `stored_at` is its path, where it was stored.
    """

    analysis: Analysis
    prefix: str = ""
    stored_at: str | None = None

    @property
    def title(self) -> str:
        """Its headline."""
        return self.analysis.article.title or UNTITLED

    @property
    def facts(self) -> list[str]:
        """What is known of the article, and how much was found in it."""
        article = self.analysis.article
        author = article.author and f"By {article.author}"
        told = [author, article.url, article.published_at, article.language, self.claims_words, since_words(self.analysis)]
        return [fact for fact in told if fact]

    @property
    def claims_words(self) -> str:
        """How many claims there are."""
        return claims_words(self.analysis)

    @property
    def coverage(self) -> str:
        """How much was read."""
        return coverage_words(self.analysis)

    @property
    def caution(self) -> str:
        """What every reader must know."""
        return caution(self.analysis)

    @property
    def warnings(self) -> list[tuple[str, str]]:
        """What to know before trusting it."""
        return warnings(self.analysis)

    @property
    def failed(self) -> list[FailedShown]:
        """The passages that were not read."""
        return [_failed(passage, passage.code) for passage in self.analysis.coverage.passages if passage.code]

    @property
    def reused(self) -> bool:
        """Whether a passage was known from an earlier answer."""
        return any(passage.reused for passage in self.analysis.coverage.passages)

    @property
    def meanings(self) -> list[tuple[str, str]]:
        """What each stance of the article means, where there are claims."""
        return [(label.value, meaning) for label, meaning in STANCE_MEANINGS.items()] if self.cards else []

    @property
    def set_aside(self) -> list[tuple[SetAside, str]]:
        """What was refused, and why."""
        return [(refused, SET_ASIDE_WORDS[refused.reason]) for refused in self.analysis.set_aside]

    @property
    def set_aside_counts(self) -> list[tuple[str, int]]:
        """How often each reason was met."""
        return [(SET_ASIDE_WORDS[reason], count) for reason, count in set_aside_counts(self.analysis)]

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """The claims, most worth checking first."""
        return ranked(self.analysis)

    @cached_property
    def cards(self) -> list[Card]:
        """The list of claims."""
        return [Card(rank, claim, change(self.analysis, claim)) for rank, claim in enumerate(self.claims, 1)]

    @property
    def claimants(self) -> list[tuple[str, int]]:
        """Who says something, and how often, the most frequent first."""
        return Counter(card.claimant for card in self.cards).most_common()

    @property
    def stances(self) -> list[str]:
        """The article's stances that are met."""
        return sorted({card.stance for card in self.cards})

    @property
    def kinds(self) -> list[str]:
        """The kinds that are met."""
        return sorted({claim.kind.value for claim in self.claims})

    @property
    def words(self) -> Markup:
        """The article with its claims marked."""
        analysis = self.analysis
        return Markup(render(analysis.article.text, self.claims, unread(analysis.coverage), self.prefix))  # noqa: S704 - escaped there

    @property
    def standings(self) -> Standings:
        """Who stands where."""
        return standings(self.claims)

    @property
    def strip(self) -> Strip:
        """The article as a line."""
        return strip(self.analysis, self.claims)

    @property
    def provenance(self) -> list[tuple[str, str]]:
        """Where it comes from."""
        return provenance(self.analysis)


def _failed(passage: PassageCoverage, code: str) -> FailedShown:
    problem = PROBLEMS.get(code)
    why = problem.title[:1].lower() + problem.title[1:] if problem else "it is not known why"
    return FailedShown(passage.start, passage.end, code, why)
