"""Answers against our own annotations: which claims were found, and what was said of those that were."""

from collections.abc import Sequence

from evals.answers import Answer, AnswerClaim
from evals.figures import Better, Figure, accuracy, cell, f1, macro_f1, ratio
from evals.items import GoldClaim, GoldStance, Item, ReferenceGold
from evals.matching import Pair, greedy_pairs, iou, token_f1, words
from evals.scores.scorer import OWN_VOICE, ConfusionTable, GoldLine, Note, Scorer, Slot, Tally, Wordings, rank
from service.domain import Kind, StanceLabel

SAME_PLACE_IOU = 0.3
SAME_WORDING_F1 = 0.5
SAME_HOLDER_F1 = 0.5

LABELS = tuple(StanceLabel)
KINDS = tuple(Kind)


def count(item: Item[ReferenceGold], answer: Answer) -> Tally:
    """The counts of one article. A claim is found when an answer's quote overlaps its span with an IoU of 0.3 or more."""
    ours, theirs = answer.claims, item.gold.claims
    pairs = _same_place(ours, theirs)
    matched = [(ours[pair.ours], theirs[pair.theirs]) for pair in pairs]
    tally = Tally(ours=len(ours), theirs=len(theirs), hits=len(pairs), iou=sum(pair.score for pair in pairs))
    tally.add("worthy", sum(gold.worthy for gold in theirs))
    tally.add("worthy_hits", sum(gold.worthy for _, gold in matched))
    tally.add("wording_hits", len(_same_wording(ours, theirs)))
    rank(
        tally, "worth", [(claim.check_worthiness, gold.worthy) for claim, gold in matched if gold.check_worthiness is not None]
    )
    for claim, gold in matched:
        _count_labels(tally, claim, gold)
    return tally


def wordings(item: Item[ReferenceGold], answer: Answer) -> list[Wordings]:
    """The texts of each claim found and of the annotated one it was found for, in the article's order."""
    pairs = sorted(_same_place(answer.claims, item.gold.claims), key=lambda pair: pair.theirs)
    return [(answer.claims[pair.ours].text, item.gold.claims[pair.theirs].text) for pair in pairs]


def _same_place(ours: Sequence[AnswerClaim], theirs: Sequence[GoldClaim]) -> list[Pair]:
    scored = [(iou(claim.quote.span, gold.span), i, j) for i, claim in enumerate(ours) for j, gold in enumerate(theirs)]
    return greedy_pairs(scored, SAME_PLACE_IOU)


def _same_wording(ours: Sequence[AnswerClaim], theirs: Sequence[GoldClaim]) -> list[Pair]:
    our_words, their_words = [words(claim.text) for claim in ours], [words(gold.text) for gold in theirs]
    scored = [(token_f1(one, other), i, j) for i, one in enumerate(our_words) for j, other in enumerate(their_words)]
    return greedy_pairs(scored, SAME_WORDING_F1)


def _count_labels(tally: Tally, claim: AnswerClaim, gold: GoldClaim) -> None:
    tally.add("own_voice", (claim.claimant is None) == (gold.claimant is None))
    if gold.claimant:
        ours, theirs = words(claim.claimant), words(gold.claimant)
        tally.add("attributed")
        tally.add("claimant_f1", token_f1(ours, theirs))
        tally.add("claimant_exact", ours == theirs)
    tally.add("wording_f1", token_f1(words(claim.text), words(gold.text)))
    tally.add("kind", claim.kind == gold.kind)
    tally.add(cell("kind", gold.kind, claim.kind))
    tally.add("article_stance", claim.article == gold.article)
    tally.add(cell("article", gold.article, claim.article or ""))
    for stance in gold.others:
        _count_holder(tally, claim, stance)


def _count_holder(tally: Tally, claim: AnswerClaim, gold: GoldStance) -> None:
    name = words(gold.holder)
    best = max(claim.others, key=lambda held: token_f1(words(held.holder), name), default=None)
    tally.add("holders")
    if best and token_f1(words(best.holder), name) >= SAME_HOLDER_F1:
        tally.add("holders_found")
        tally.add(cell("others", gold.label, best.label))


def golds(item: Item[ReferenceGold]) -> list[GoldLine]:
    """The annotated claims, for reading."""
    return [GoldLine(claim.span, claim.text, _notes(claim)) for claim in item.gold.claims]


def _notes(claim: GoldClaim) -> tuple[Note, ...]:
    return (
        Note(Slot.VOICE, claim.claimant or OWN_VOICE),
        Note(Slot.ARTICLE, claim.article),
        *(Note(Slot.HOLDER, f"{held.holder}: {held.label}") for held in claim.others if _tells(claim, held)),
        Note(Slot.KIND, claim.kind),
        *([] if claim.check_worthiness is None else [Note(Slot.WORTH, f"{claim.check_worthiness} of 3")]),
    )


def _tells(claim: GoldClaim, held: GoldStance) -> bool:
    """Whether the stance is more than that a claimant supports the claim."""
    return (held.holder, held.label) != (claim.claimant, StanceLabel.SUPPORTS)


FIGURES = (
    Figure("claim_f1", "Claim F1", "Claims", f1("hits", "ours", "theirs"), "Claims found by the place of their quote."),
    Figure(
        "claim_precision", "Precision", "Claims", ratio("hits", "ours"), "Of the claims listed, those annotators listed too."
    ),
    Figure("claim_recall", "Recall", "Claims", ratio("hits", "theirs"), "Of the annotated claims, those found."),
    Figure(
        "worthy_recall",
        "Recall, worthy",
        "Claims",
        ratio("worthy_hits", "worthy"),
        "Recall of claims of check-worthiness 2 or 3.",
    ),
    Figure("quote_iou", "Quote IoU", "Claims", ratio("iou", "hits"), "How exactly the quotes of found claims lie."),
    Figure(
        "wording_match_f1",
        "Claim F1 by wording",
        "Claims",
        f1("wording_hits", "ours", "theirs"),
        "Claims found by their text instead (token F1 of 0.5 or more), wherever the quote lies.",
    ),
    Figure(
        "claims_ratio",
        "Claims listed per annotated",
        "Claims",
        ratio("ours", "theirs"),
        "Over 100: more claims than annotators list.",
        better=Better.NEITHER,
    ),
    Figure("own_voice", "Own voice or not", "Attribution", ratio("own_voice", "hits"), "Attributed or not, as annotators say."),
    Figure("claimant_f1", "Claimant F1", "Attribution", ratio("claimant_f1", "attributed"), "Token F1 of the claimant's name."),
    Figure("claimant_exact", "Claimant exact", "Attribution", ratio("claimant_exact", "attributed"), "The name is the same."),
    Figure(
        "article_stance", "Article's stance", "Stance", ratio("article_stance", "hits"), "Accuracy of the article's own stance."
    ),
    Figure(
        "article_macro_f1", "Article's, macro-F1", "Stance", macro_f1("article", LABELS), "The same, each label weighing alike."
    ),
    Figure("holder_found", "Holders found", "Stance", ratio("holders_found", "holders"), "Others who take a position, found."),
    Figure(
        "holder_stance", "Holders' stance", "Stance", accuracy("others", LABELS), "Accuracy of the stance of holders found."
    ),
    Figure(
        "holder_macro_f1", "Holders', macro-F1", "Stance", macro_f1("others", LABELS), "The same, each label weighing alike."
    ),
    Figure(
        "worth_auc",
        "Worth AUC",
        "Check-worthiness",
        ratio("worth/auc", "worth/auc_n"),
        "Within an article: does a claim of worth 2 or 3 score above one of 0 or 1?",
    ),
    Figure(
        "worth_ap", "Worth AP", "Check-worthiness", ratio("worth/ap", "worth/ap_n"), "Average precision, mean over articles."
    ),
    Figure("kind", "Kind", "Wording and kind", ratio("kind", "hits"), "Accuracy of the kind of found claims."),
    Figure(
        "kind_macro_f1", "Kind, macro-F1", "Wording and kind", macro_f1("kind", KINDS), "The same, each kind weighing alike."
    ),
    Figure("wording_f1", "Wording F1", "Wording and kind", ratio("wording_f1", "hits"), "Token F1 of text and annotated text."),
)

REFERENCE = Scorer(
    count,
    FIGURES,
    "claim_f1",
    golds,
    ("claim_precision", "claim_recall"),
    (
        ConfusionTable("article", "Stance of the article", LABELS),
        ConfusionTable("others", "Stance of others, where found", LABELS),
        ConfusionTable("kind", "Kind", KINDS),
    ),
    wordings,
)
