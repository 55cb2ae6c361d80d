"""Answers against sets in which attributions are labelled: whether each claim is given to the right party.

The counts are those of the sets' own scorer: a claim counts as attributed when half of its quote lies in one labelled
content, and labelled contents are matched with attributed claims one to one at an IoU of 0.5.
"""

from evals.answers import Answer
from evals.figures import Better, Figure, f1, ratio
from evals.items import Attribution, AttributionGold, Item, Range
from evals.matching import english_words, greedy_pairs, iou, overlap, token_f1
from evals.scores.scorer import GoldLine, Note, Scorer, Slot, Tally

SAME_CONTENT_IOU = 0.5
_HALF = 0.5
_PRONOUNS = frozenset("he she they it we i you who him her them er sie es wir ich man".split())


def count(item: Item[AttributionGold], answer: Answer) -> Tally:
    """The counts of one article."""
    tally = Tally()
    _count_claims(tally, item.gold, answer)
    _count_contents(tally, item.gold, answer)
    return tally


def _count_claims(tally: Tally, gold: AttributionGold, answer: Answer) -> None:
    for claim in answer.claims:
        start, end = claim.quote.span
        best: tuple[float, str] = (0.0, "")
        for attribution in gold.attributions:
            covered = sum(overlap((start, end), piece) for piece in attribution.pieces) / max(1, end - start)
            if covered > best[0]:
                best = covered, attribution.source or ""
        theirs, ours = best[0] >= _HALF, bool(claim.claimant)
        tally.add("claims_judged")
        tally.add("voices_right", theirs == ours)
        tally.add("attributed_theirs", theirs)
        tally.add("missed", theirs and not ours)
        tally.add("own_theirs", not theirs)
        tally.add("invented", ours and not theirs)
        if theirs and ours and best[1]:
            tally.add("both_attributed")
            tally.add("claimant_f1", token_f1(english_words(claim.named_as), english_words(best[1])))
            name_f1 = token_f1(english_words(claim.claimant), english_words(best[1]))
            tally.add("claimant_name_f1", name_f1)
            tally.add("claimant_told_f1", token_f1(english_words(claim.told_as), english_words(best[1])))
            if best[1].strip().lower() not in _PRONOUNS:
                tally.add("named", 1)
                tally.add("named_name_f1", name_f1)


def _count_contents(tally: Tally, gold: AttributionGold, answer: Answer) -> None:
    ours = [claim for claim in answer.claims if claim.claimant]
    theirs = [(_hull(attribution), attribution.source) for attribution in gold.attributions]
    scored = [(iou(claim.quote.span, hull), i, j) for i, claim in enumerate(ours) for j, (hull, _) in enumerate(theirs)]
    pairs = greedy_pairs(scored, SAME_CONTENT_IOU)
    tally.add("contents_ours", len(ours))
    tally.add("contents_theirs", len(theirs))
    tally.add("contents_hits", len(pairs))
    tally.add("contents_touched", sum(any(overlap(claim.quote.span, hull) for claim in ours) for hull, _ in theirs))
    for pair in pairs:
        if source := theirs[pair.theirs][1]:
            tally.add("sources")
            tally.add("source_f1", token_f1(english_words(ours[pair.ours].named_as), english_words(source)))


def _hull(attribution: Attribution) -> Range:
    return min(start for start, _ in attribution.pieces), max(end for _, end in attribution.pieces)


def golds(item: Item[AttributionGold]) -> list[GoldLine]:
    """The labelled attributions, for reading."""
    return [GoldLine(_hull(one), "", _notes(one)) for one in item.gold.attributions]


def _notes(attribution: Attribution) -> tuple[Note, ...]:
    return (Note(Slot.VOICE, attribution.source),) if attribution.source else (Note(Slot.LABEL, "source not named"),)


_GROUP = "Attribution"

FIGURES = (
    Figure(
        "voice",
        "Own voice or not",
        _GROUP,
        ratio("voices_right", "claims_judged"),
        "Of our claims: attributed or not, as labelled.",
    ),
    Figure(
        "claimant_f1",
        "Claimant F1",
        _GROUP,
        ratio("claimant_f1", "both_attributed"),
        "Token F1 of the words that name the claimant there, where both attribute a claim.",
    ),
    Figure(
        "claimant_name_f1",
        "Name F1",
        _GROUP,
        ratio("claimant_name_f1", "both_attributed"),
        "The same of the fullest name, which labels seldom are.",
    ),
    Figure(
        "claimant_told_f1",
        "Office and name F1",
        _GROUP,
        ratio("claimant_told_f1", "both_attributed"),
        "The same of office and fullest name, as a reader is told.",
    ),
    Figure(
        "named_name_f1",
        "Name F1, no pronouns",
        _GROUP,
        ratio("named_name_f1", "named"),
        "The same of the fullest name, where the label is no pronoun: no name is like one.",
    ),
    Figure(
        "missed",
        "Missed",
        _GROUP,
        ratio("missed", "attributed_theirs"),
        "Reported claims given to the article.",
        better=Better.LOWER,
    ),
    Figure(
        "invented",
        "Invented",
        _GROUP,
        ratio("invented", "own_theirs"),
        "The article's claims given to others.",
        better=Better.LOWER,
    ),
    Figure(
        "content_touched",
        "Contents touched",
        "Labelled contents",
        ratio("contents_touched", "contents_theirs"),
        "Labelled contents that some attributed claim overlaps.",
    ),
    Figure(
        "content_f1",
        "Content F1",
        "Labelled contents",
        f1("contents_hits", "contents_ours", "contents_theirs"),
        "One to one at an IoU of 0.5; labels go beyond what can be checked, and contents may hold several claims.",
    ),
    Figure(
        "content_precision", "Precision", "Labelled contents", ratio("contents_hits", "contents_ours"), "The same, precision."
    ),
    Figure("content_recall", "Recall", "Labelled contents", ratio("contents_hits", "contents_theirs"), "The same, recall."),
    Figure(
        "source_f1",
        "Source F1",
        "Labelled contents",
        ratio("source_f1", "sources"),
        "Token F1 of the source, on those matched.",
    ),
)

ATTRIBUTIONS = Scorer(count, FIGURES, "voice", golds, ("content_precision", "content_recall"))
