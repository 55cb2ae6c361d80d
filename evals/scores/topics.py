"""Answers against NewsClaims: claims on four COVID-19 topics, labelled by sentence.

The counts are those of the set's own scorer. The gold holds four topics only, so the precision of an answer that lists
every claim means little; the figures called "on topic" count only claims that speak of a topic.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from evals.answers import Answer, AnswerClaim
from evals.figures import Figure, accuracy, cell, f1, macro_f1, ratio
from evals.items import Item, Range, TopicClaim, TopicGold
from evals.matching import english_words, iou, overlap, token_f1
from evals.scores.scorer import OWN_VOICE, ConfusionTable, GoldLine, Note, Scorer, Slot, Tally
from service.domain import StanceLabel

LABELS = ("affirm", "refute")

_VIRUS = re.compile(r"virus|covid|corona|sars|pandemic|disease|infect|outbreak", re.IGNORECASE)
_TOPIC = re.compile(
    r"\blabs?\b|laborator|bio-?weapon|engineer|man-?made|origin|natural|\bbats?\b|pangolin|animal|meteor|comet|space|\b5g\b|"
    r"\bcur(e|es|ed|ing)\b|treat|drug|hydroxychloroquine|chloroquine|remed|vitamin|zinc|vaccin|bleach|disinfectant|antibiotic|"
    r"\bmasks?\b|protect|prevent|distanc|wash|sanitiz|sanitis|soap|alcohol|stay(ing)? (at )?home|hot bath|garlic|"
    r"transmi|spread|contag|surface|airborne|aerosol|droplet|\bpets?\b|\bcats?\b|\bdogs?\b|mosquito|temperature|weather|package",
    re.IGNORECASE,
)


def count(item: Item[TopicGold], answer: Answer) -> Tally:
    """The counts of one article: each claim is its sentence's, the one it shares most characters with."""
    gold = {claim.sentence: claim for claim in item.gold.claims}
    found = _by_sentence(item.gold.sentences, answer.claims)
    on_topic = _by_sentence(item.gold.sentences, [claim for claim in answer.claims if _is_on_topic(claim)])
    tally = Tally(
        ours=len(found),
        theirs=len(gold),
        hits=len(found.keys() & gold.keys()),
        topic_ours=len(on_topic),
        topic_hits=len(on_topic.keys() & gold.keys()),
    )
    for sentence, claim in gold.items():
        if sentence in found:
            _count_labels(tally, claim, found[sentence])
    return tally


def _by_sentence(sentences: Sequence[Range], claims: Sequence[AnswerClaim]) -> dict[Range, list[AnswerClaim]]:
    found = defaultdict(list)
    for claim in claims:
        best = max(sentences, key=lambda sentence: overlap(sentence, claim.quote.span), default=None)
        if best and overlap(best, claim.quote.span):
            found[best].append(claim)
    return dict(found)


def _is_on_topic(claim: AnswerClaim) -> bool:
    said = f"{claim.text} {claim.quote.text}"
    return bool(_VIRUS.search(said) and _TOPIC.search(said))


def _count_labels(tally: Tally, gold: TopicClaim, claims: Sequence[AnswerClaim]) -> None:
    claim = claims[0]
    if (span := gold.span) is not None:
        claim = max(claims, key=lambda ours: iou(ours.quote.span, span))
        tally.add("spans")
        tally.add("iou", iou(claim.quote.span, span))
    if gold.reported is True:
        same = token_f1(english_words(claim.takes_stance), english_words(gold.claimer))
        where = "inside" if gold.claimer_in_sentence else "outside"
        for column in ("claimers", f"claimers_{where}"):
            tally.add(column)
            tally.add(f"{column}_f1", same)
    if gold.reported is not None:
        own = claim.takes_stance is None
        tally.add("own_hits", not gold.reported and own)
        tally.add("own_ours", own)
        tally.add("own_theirs", not gold.reported)
        tally.add("voices")
        tally.add("voices_right", gold.reported != own)
    if gold.stance:
        tally.add(cell("stance", gold.stance, stance_of_claimer(claim)))


def stance_of_claimer(claim: AnswerClaim) -> str:
    """`refute` when who takes the stance (the article, in its own voice) refutes it, else `affirm`."""
    held = claim.article
    if holder := claim.takes_stance:
        held = next((stance.label for stance in claim.others if stance.holder == holder), None)
    return "refute" if held == StanceLabel.REFUTES else "affirm"


def golds(item: Item[TopicGold]) -> list[GoldLine]:
    """The labelled claims, for reading."""
    return [GoldLine(claim.span or claim.sentence, "", tuple(_notes(claim))) for claim in item.gold.claims]


def _notes(claim: TopicClaim) -> Iterator[Note]:
    yield Note(Slot.LABEL, claim.topic)
    if claim.reported is not None:
        yield Note(Slot.VOICE, (claim.claimer or "somebody") if claim.reported else OWN_VOICE)
    if claim.stance:
        yield Note(Slot.LABEL, claim.stance)


_CLAIMS, _ATTRIBUTION, _STANCE = "Claims", "Attribution", "Stance"

FIGURES = (
    Figure(
        "sentence_recall", "Recall", _CLAIMS, ratio("hits", "theirs"), "Labelled claim sentences in which a claim was found."
    ),
    Figure(
        "topic_f1",
        "F1, on topic",
        _CLAIMS,
        f1("topic_hits", "topic_ours", "theirs"),
        "Of claims on the four topics, by keywords.",
    ),
    Figure(
        "topic_precision",
        "Precision, on topic",
        _CLAIMS,
        ratio("topic_hits", "topic_ours"),
        "Of our claims on the topics, labelled.",
    ),
    Figure(
        "sentence_f1",
        "F1, all claims",
        _CLAIMS,
        f1("hits", "ours", "theirs"),
        "Counts off-topic claims as wrong: low for whoever lists every claim (published: people 60.1, every sentence 20.1).",
    ),
    Figure("span_iou", "Span IoU", _CLAIMS, ratio("iou", "spans"), "How exactly the best quote lies on the labelled span."),
    Figure(
        "voice", "Own voice or not", _ATTRIBUTION, ratio("voices_right", "voices"), "Reported or the journalist's, as labelled."
    ),
    Figure(
        "own_f1", "Own voice F1", _ATTRIBUTION, f1("own_hits", "own_ours", "own_theirs"), "F1 of the journalist's own claims."
    ),
    Figure(
        "claimer_f1",
        "Claimer F1",
        _ATTRIBUTION,
        ratio("claimers_f1", "claimers"),
        "Token F1 of the claimer's name (published: people 85.8, best system 42.3).",
    ),
    Figure("claimer_inside", "… in the sentence", _ATTRIBUTION, ratio("claimers_inside_f1", "claimers_inside"), "The same."),
    Figure("claimer_outside", "… elsewhere", _ATTRIBUTION, ratio("claimers_outside_f1", "claimers_outside"), "The same."),
    Figure("topic_stance", "Stance", _STANCE, accuracy("stance", LABELS), "Accuracy on found claims (published: people 94.9)."),
    Figure(
        "topic_stance_macro", "Stance, macro-F1", _STANCE, macro_f1("stance", LABELS), "The same, each label weighing alike."
    ),
)

TOPICS = Scorer(
    count,
    FIGURES,
    "sentence_recall",
    golds,
    ("topic_precision", "sentence_recall"),
    (ConfusionTable("stance", "Stance of who makes the claim", LABELS),),
)
