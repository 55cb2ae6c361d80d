"""Answers against sets that label one claim for a page, or nothing."""

from evals.answers import Answer
from evals.figures import Figure, ratio
from evals.items import CentralGold, Item, NoGold, VerdictGold
from evals.matching import overlap, token_f1, words
from evals.scores.scorer import GoldLine, Note, Scorer, Slot, Tally

SAME_CLAIM_F1 = 0.5
FIRST = 5


def count_central(item: Item[CentralGold], answer: Answer) -> Tally:
    """The counts of a page: whether the claim that a fact-checker took from it is ours too, and how far up."""
    ranked = sorted(answer.claims, key=lambda claim: -claim.check_worthiness)
    wanted = words(item.gold.claim)
    alike = [token_f1(words(claim.text), wanted) for claim in ranked]
    tally = Tally(pages=1, best_f1=max(alike, default=0.0))
    place = next((place for place, score in enumerate(alike, 1) if score >= SAME_CLAIM_F1), None)
    if place is not None:
        tally.add("found")
        tally.add("found_first", place <= FIRST)
        tally.add("reciprocal", 1 / place)
        if item.gold.speaker:
            tally.add("speakers")
            tally.add("speaker_f1", token_f1(words(ranked[place - 1].claimant), words(item.gold.speaker)))
    return tally


def golds_central(item: Item[CentralGold]) -> list[GoldLine]:
    """The fact-checker's claim, for reading."""
    notes = (Note(Slot.VOICE, item.gold.speaker),) if item.gold.speaker else ()
    return [GoldLine(None, item.gold.claim, notes)]


def count_evidence(item: Item[VerdictGold], answer: Answer) -> Tally:
    """The counts of an evidence page: whether our claims take up the sentences that bear out the labelled one."""
    passages = {passage for group in item.gold.supporting for passage in group}
    read = sum(any(overlap(claim.quote.span, passage) for claim in answer.claims) for passage in passages)
    return Tally(passages=len(passages), passages_read=read)


def golds_evidence(item: Item[VerdictGold]) -> list[GoldLine]:
    """The labelled claim and the passages that bear it out, for reading."""
    passages = sorted({passage for group in item.gold.supporting for passage in group})
    return [
        GoldLine(None, item.gold.claim, (Note(Slot.LABEL, item.gold.label),)),
        *(GoldLine(passage, "") for passage in passages),
    ]


def count_nothing(_item: Item[NoGold], answer: Answer) -> Tally:
    """The counts of an article that nobody labelled."""
    return Tally(articles=1, with_claims=bool(answer.claims))


def golds_nothing(_item: Item[NoGold]) -> list[GoldLine]:
    """Nothing."""
    return []


_GROUP = "Claims"

CENTRAL = Scorer(
    count_central,
    (
        Figure(
            "central_found", "Claim found", _GROUP, ratio("found", "pages"), "Some claim of ours has a token F1 of 0.5 or more."
        ),
        Figure("central_first", "… among the first 5", _GROUP, ratio("found_first", "pages"), "The same, by check-worthiness."),
        Figure("central_rank", "Reciprocal rank", _GROUP, ratio("reciprocal", "pages"), "One over its place, 0 if not found."),
        Figure("central_wording", "Best wording F1", _GROUP, ratio("best_f1", "pages"), "Token F1 of our most similar claim."),
        Figure(
            "speaker_f1", "Speaker F1", "Attribution", ratio("speaker_f1", "speakers"), "Token F1 of who made the claim found."
        ),
    ),
    "central_found",
    golds_central,
)
EVIDENCE = Scorer(
    count_evidence,
    (
        Figure(
            "evidence_touched",
            "Evidence taken up",
            _GROUP,
            ratio("passages_read", "passages"),
            "Supporting sentences from which a claim was taken. Verdicts are not scored: the service gives none.",
        ),
    ),
    "evidence_touched",
    golds_evidence,
)
SMOKE = Scorer(
    count_nothing,
    (Figure("with_claims", "Articles with claims", _GROUP, ratio("with_claims", "articles"), "Nothing else is labelled."),),
    "with_claims",
    golds_nothing,
)
