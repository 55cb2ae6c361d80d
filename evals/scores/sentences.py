"""Answers against sets in which sentences are labelled: a claim found where one is, and none where none is.

A sentence counts as found when the quote of some claim shares a character with it, as PoliClaim's users score it.
"""

from collections.abc import Callable, Iterable, Sequence

from evals.answers import Answer
from evals.figures import Better, Figure, f1, macro_f1, ratio
from evals.items import FactGold, Item, LabelledSentence, SentenceGold
from evals.matching import greedy_pairs, token_f1, words
from evals.scores.scorer import GoldLine, Note, Scorer, Slot, Tally, rank

SAME_WORDING_F1 = 0.5
_YES, _NO = "yes", "no"


def count(item: Item[SentenceGold], answer: Answer) -> Tally:
    """The counts of one text."""
    tally = Tally()
    _count_sentences(tally, item.gold.sentences, answer)
    return tally


def _count_sentences(tally: Tally, sentences: Sequence[LabelledSentence], answer: Answer) -> None:
    scored = []
    claims = [(*claim.quote.span, claim.check_worthiness) for claim in answer.claims]
    for sentence in sentences:
        begin, stop = sentence.span
        scores = [worth for start, end, worth in claims if start < stop and begin < end]
        tally.add("sentences")
        tally.add("hits", bool(scores) and sentence.positive)
        tally.add("ours", bool(scores))
        tally.add("theirs", sentence.positive)
        tally.add("right", bool(scores) == sentence.positive)
        tally.add(f"found/{_YES if sentence.positive else _NO}>{_YES if scores else _NO}")
        tally.add(f"label/{sentence.label}")
        tally.add(f"label_found/{sentence.label}", bool(scores))
        scored.append((max(scores, default=0.0), sentence.positive))
    rank(tally, "worth", scored)


def count_facts(item: Item[FactGold], answer: Answer) -> Tally:
    """The counts of one text whose claims are labelled too, by their wording."""
    tally = Tally()
    _count_sentences(tally, item.gold.sentences, answer)
    ours = [words(claim.text) for claim in answer.claims]
    theirs = [words(claim) for claim in item.gold.claims]
    scored = [(token_f1(one, other), i, j) for i, one in enumerate(ours) for j, other in enumerate(theirs)]
    pairs = greedy_pairs(scored, SAME_WORDING_F1)
    tally.add("facts_ours", len(ours))
    tally.add("facts_theirs", len(theirs))
    tally.add("facts_hits", len(pairs))
    tally.add("facts_f1", sum(pair.score for pair in pairs))
    return tally


def golds(item: Item[SentenceGold] | Item[FactGold]) -> list[GoldLine]:
    """The positive sentences, then the worded claims, for reading."""
    lines = [GoldLine(one.span, "", (Note(Slot.LABEL, one.label),)) for one in item.gold.sentences if one.positive]
    if isinstance(item.gold, FactGold):
        lines += [GoldLine(None, claim) for claim in item.gold.claims]
    return lines


def _found_in(label: str, title: str, better: Better) -> Figure:
    formula = ratio(f"label_found/{label}", f"label/{label}")
    return Figure(f"found_{label.lower()}", f"Found in {label}", "Sentences", formula, title, better=better)


def _figures(meaning: str) -> tuple[Figure, ...]:
    group = "Sentences"
    return (
        Figure("sentence_f1", "Sentence F1", group, f1("hits", "ours", "theirs"), meaning),
        Figure(
            "sentence_precision", "Precision", group, ratio("hits", "ours"), "Of sentences with a claim of ours, positive ones."
        ),
        Figure(
            "sentence_recall", "Recall", group, ratio("hits", "theirs"), "Of positive sentences, those with a claim of ours."
        ),
        Figure("sentence_accuracy", "Accuracy", group, ratio("right", "sentences"), "Claim or none, as labelled."),
        Figure("sentence_macro_f1", "Macro-F1", group, macro_f1("found", (_YES, _NO)), "Both answers weighing alike."),
        Figure(
            "worth_auc",
            "Worth AUC",
            "Check-worthiness",
            ratio("worth/auc", "worth/auc_n"),
            "Within a text: does a positive sentence score above another? A sentence without a claim scores 0.",
        ),
        Figure(
            "worth_ap", "Worth AP", "Check-worthiness", ratio("worth/ap", "worth/ap_n"), "Average precision, mean over texts."
        ),
    )


def _scorer(figures: Iterable[Figure], counted: Callable[..., Tally] = count) -> Scorer:
    return Scorer(counted, tuple(figures), "sentence_f1", golds, ("sentence_precision", "sentence_recall"))


POLICLAIM = _scorer(_figures("F1 of sentences with a claim that can be verified (published: GPT-4 87.8, always yes 77.9)."))
CLAIMBUSTER = _scorer(
    (
        *_figures("F1 of check-worthy factual sentences; unimportant facts count as wrong."),
        _found_in("CFS", "Check-worthy factual sentences with a claim of ours.", Better.HIGHER),
        _found_in("UFS", "Unimportant factual sentences with a claim of ours.", Better.NEITHER),
        _found_in("NFS", "Sentences that state no fact, with a claim of ours.", Better.LOWER),
    )
)
SUBJECTIVITY = _scorer(
    (
        *_figures("F1 of objective sentences (published, for classifiers: macro-F1 .66 en, .77 de)."),
        _found_in("SUBJ", "Opinions from which a claim was taken.", Better.LOWER),
    )
)
FACTS = _scorer(
    (
        *_figures("F1 of check-worthy sentences."),
        Figure(
            "fact_f1",
            "Claim F1 by wording",
            "Claims",
            f1("facts_hits", "facts_ours", "facts_theirs"),
            "Token F1 of 0.5 or more.",
        ),
        Figure("fact_recall", "Recall", "Claims", ratio("facts_hits", "facts_theirs"), "Of people's claims, those found."),
        Figure("fact_wording", "Wording F1", "Claims", ratio("facts_f1", "facts_hits"), "Token F1 of the found claims' text."),
    ),
    count_facts,
)
