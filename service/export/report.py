"""What a report for people says about an analysis, whatever it is written in: the order of its claims and our words."""

from collections import Counter

from service.domain import ARTICLE_HOLDER, Analysis, Claim, SetAsideReason, Stance, StanceLabel
from service.provenance import DecidedBy, Decider, ModelProvenance

UNTITLED = "Untitled article"
OWN_VOICE = "The article, in its own voice"
ARTICLE = "The article"
STANCE_MEANINGS = {
    StanceLabel.SUPPORTS: "presents it as true",
    StanceLabel.REFUTES: "presents it as false",
    StanceLabel.DISCUSSES: "reports or questions it, without taking a side",
}
SET_ASIDE_WORDS = {
    SetAsideReason.QUOTE_NOT_FOUND: "its quote is not in the article",
    SetAsideReason.UNKNOWN_SENTENCE: "it names a sentence the article does not have",
    SetAsideReason.CLAIMANT_NOT_FOUND: "whoever is said to claim it is not in the article",
    SetAsideReason.HOLDER_NOT_FOUND: "whoever is said to take a stance is not in the article",
    SetAsideReason.ROLE_NOT_FOUND: "the office given to a claimant is not in the article",
    SetAsideReason.CITED_NOT_FOUND: "the source said to be cited is not in the article",
    SetAsideReason.EVIDENCE_NOT_FOUND: "the words said to show a stance are not in the article",
    SetAsideReason.NUMBER_NOT_FOUND: "it holds a number that is not in the article",
    SetAsideReason.WORDING_NOT_FOUND: "its wording is hardly made of the article's words, so the quote's were used",
    SetAsideReason.DUPLICATE: "it was proposed more than once",
    SetAsideReason.BELOW_CHECK_WORTHINESS: "it is less worth checking than was asked for",
    SetAsideReason.OVER_MAX_CLAIMS: "there were more claims than were asked for",
}


def caution(analysis: Analysis) -> str:
    """What a reader must know of any report: who found its claims, and that nobody checked them."""
    finder = "Rules of language" if analysis.provenance.decided_by.claims is Decider.RULES else "A language model"
    return (
        f"{finder} found these claims. Every quote was proved to be in the article, word for word. "
        "Whether a claim is true was not checked: the score only says how much it is worth checking."
    )


def ranked(analysis: Analysis) -> tuple[Claim, ...]:
    """The claims, most worth checking first; the article's order where two are worth the same."""
    return tuple(sorted(analysis.claims, key=lambda claim: -claim.check_worthiness))


def article_stance(claim: Claim) -> StanceLabel | None:
    """What the article itself does to `claim`; None when that was not found out."""
    return next((stance.label for stance in claim.stances if stance.holder == ARTICLE_HOLDER), None)


def holder_words(stance: Stance) -> str:
    """Who takes `stance`, for a reader."""
    return ARTICLE if stance.holder == ARTICLE_HOLDER else stance.holder


def score(claim: Claim) -> str:
    """The check-worthiness of `claim` with two decimals."""
    return f"{claim.check_worthiness:.2f}"


def claims_words(analysis: Analysis) -> str:
    """How many claims there are, and what none of them means."""
    count = len(analysis.claims)
    if count:
        return "1 claim" if count == 1 else f"{count} claims, most worth checking first"
    if analysis.coverage.read == analysis.coverage.sentences:
        return "No claims: the article was read and none were found"
    return "No claims in the part of the article that was read"


def coverage_words(analysis: Analysis) -> str:
    """How much of the article was read."""
    coverage = analysis.coverage
    if analysis.coverage.read == analysis.coverage.sentences:
        return "Its only sentence was read" if coverage.sentences == 1 else f"All {coverage.sentences} sentences were read"
    return f"Only {coverage.read} of {coverage.sentences} sentences were read"


def warnings(analysis: Analysis) -> list[tuple[str, str]]:
    """What must be known before the answer is trusted: a code and a sentence each, unread stretches first."""
    unread = [
        (passage.code, f"Characters {passage.start} to {passage.end} of the article were not read; nothing is said about them.")
        for passage in analysis.coverage.passages
        if passage.code
    ]
    return unread + [(caveat.code, caveat.detail) for caveat in analysis.warnings]


def change(analysis: Analysis, claim: Claim) -> str | None:
    """Whether `claim` is "new" or "kept" since the earlier analysis; None when there was none."""
    if analysis.changes is None:
        return None
    return "new" if analysis.changes.is_new(claim.id) else "kept"


def changes(analysis: Analysis) -> list[tuple[str, list[str]]]:
    """What became of the claims since the earlier analysis: words for it, and the claims they are true of; [] without one."""
    told = analysis.changes
    if told is None:
        return []
    fates = [
        ("New", [claim.text for claim in ranked(analysis) if change(analysis, claim) == "new"]),
        ("Gone, not found again", [claim.text for claim in told.gone]),
        (
            "Not listed now, though not known to be gone (a limit leaves them out, or their part of the article was not read)",
            [claim.text for claim in told.unlisted],
        ),
    ]
    return [(words, claims) for words, claims in fates if claims]


def since_words(analysis: Analysis) -> str | None:
    """Which analysis is built upon, and how many claims are as they were; None when there is none."""
    if analysis.changes is None:
        return None
    kept = len(analysis.changes.kept)
    return f"Since analysis {analysis.changes.since}: {'1 claim is' if kept == 1 else f'{kept} claims are'} still there"


def set_aside_counts(analysis: Analysis) -> list[tuple[SetAsideReason, int]]:
    """How many proposals were refused for each reason, the most frequent first."""
    return Counter(refused.reason for refused in analysis.set_aside).most_common()


def _decided(by: DecidedBy) -> str:
    parts = {"claims": by.claims, "claimants": by.claimants, "stances": by.stances, "check-worthiness": by.check_worthiness}
    return "; ".join(f"{part}: {who}" for part, who in parts.items())


def _model(model: ModelProvenance) -> str:
    if model.served is None:
        return f"{model.asked}, which was asked nothing"
    return model.asked if model.served == model.asked else f"{model.asked}, which answered as {model.served}"


def provenance(analysis: Analysis) -> list[tuple[str, str]]:
    """What the answer came from and cost, as names and values."""
    source, model, usage = analysis.provenance, analysis.provenance.model, analysis.usage
    return [
        ("Analysis", analysis.id),
        ("Article", f"sha256 {analysis.article.sha256}"),
        ("Prompt", source.prompt),
        ("Reply schema", source.schema),
        ("Model", _model(model)),
        ("Endpoint", f"{model.endpoint} ({model.response_format or 'asked nothing'})"),
        ("Decided by", _decided(source.decided_by)),
        ("Service", source.service),
        ("Calls", f"{usage.calls} (retries among them: {usage.retries}; cache: {usage.cache})"),
        ("Tokens", f"{usage.input_tokens} in ({usage.cached_tokens} cached), {usage.output_tokens} out"),
        ("Duration", f"{usage.duration_ms / 1000:.1f} s"),
    ]
