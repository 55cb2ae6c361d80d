"""Answers that cost nothing, in the shape of the service's own: what every prompt and model has to beat.

Two make answers of their own; two take the claims of another answer and say the most obvious thing of each, so that
attribution and stance are compared on the very same claims.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from hashlib import sha256
from typing import Any

from evals.answers import AnswerJson
from evals.items import Item, Range
from evals.reporting import Reported, reported
from service.domain import (
    ARTICLE_HOLDER,
    Analysis,
    AnalysisStatus,
    Article,
    Claim,
    Claimant,
    Coverage,
    Kind,
    Mode,
    PassageCoverage,
    Quote,
    Stance,
    StanceLabel,
    Usage,
)
from service.export.json_answer import dump_analysis
from service.provenance import DecidedBy, Decider, ModelProvenance, Provenance
from service.text.language import detect
from service.text.offsets import OffsetMap
from service.text.segment import segment

Answering = Callable[[Item[Any]], AnswerJson]
Relabelling = Callable[[AnswerJson], AnswerJson]

SHORTEST_CHARS = 24
"""Shorter sentences are headings, datelines and cries: "Friday, July 21, 2017"."""

_WORTH = 0.5
_BY_RULES = DecidedBy(Decider.RULES, Decider.RULES, Decider.RULES, Decider.NOBODY)


def every_sentence(item: Item[Any]) -> AnswerJson:
    """An answer in which every sentence is a claim that the article makes in its own voice."""
    article = _Article(item)
    return article.answer([article.claim(*sentence, None) for sentence in article.long_sentences()])


def reporting_verb(item: Item[Any]) -> AnswerJson:
    """As `every_sentence`, but "X said that …" is X's claim, and X refutes it where X denied it."""
    article = _Article(item)
    claims = []
    speaker: Reported | None = None
    for sentence in article.long_sentences():
        found = reported(item.text, sentence, speaker.claimant if speaker else None)
        speaker = found or speaker
        claims.append(article.claim(*(found.content if found else sentence), found))
    return article.answer(claims)


def always_author(answer: AnswerJson) -> AnswerJson:
    """The same claims, all of them the article's own, with nobody else taking a position."""
    changed = deepcopy(answer)
    for claim in changed["claims"]:
        claim["claimant"] = None
        claim["stances"] = [{"holder": ARTICLE_HOLDER, "stance": StanceLabel.SUPPORTS.value, "evidence": None}]
    return changed


def majority(answer: AnswerJson) -> AnswerJson:
    """The same claims and holders with the most frequent label of the annotations everywhere, and one check-worthiness."""
    changed = deepcopy(answer)
    for claim in changed["claims"]:
        claim["kind"] = Kind.EVENT.value
        claim["check_worthiness"] = _WORTH
        for stance in claim["stances"]:
            stance["stance"] = StanceLabel.SUPPORTS.value
    return changed


def _on_every_sentence(relabel: Relabelling) -> Answering:
    return lambda item: relabel(every_sentence(item))


RELABELLINGS: Mapping[str, Relabelling] = {"always_author": always_author, "majority": majority}
BASELINES: Mapping[str, Answering] = {
    "every_sentence": every_sentence,
    "reporting_verb": reporting_verb,
    **{name: _on_every_sentence(relabel) for name, relabel in RELABELLINGS.items()},
}


class _Article:
    """An item's article, its sentences, and answers about it."""

    def __init__(self, item: Item[Any]) -> None:
        digest = sha256(item.text.encode("utf-8")).hexdigest()
        self._article = Article(item.text, digest, item.language or detect(item.text), item.title)
        self._sentences = segment(item.text, self._article.language)
        self._starts = [sentence.start for sentence in self._sentences]
        self._offsets = OffsetMap(item.text)

    def long_sentences(self) -> Iterator[Range]:
        """The sentences that are not too short, without the white space around them."""
        for sentence in self._sentences:
            bare = sentence.text.strip()
            if len(bare) >= SHORTEST_CHARS:
                start = sentence.end - len(sentence.text.lstrip())
                yield start, start + len(bare)

    def claim(self, start: int, end: int, by: Reported | None) -> Claim:
        quote = self._quote(start, end)
        claimant, stances = None, []
        if by:
            mention = self._quote(*by.claimant)
            claimant = Claimant(mention.text, mention)
            stances.append(Stance(mention.text, StanceLabel.REFUTES if by.denied else StanceLabel.SUPPORTS, quote))
        own = StanceLabel.DISCUSSES if claimant else StanceLabel.SUPPORTS
        stances.append(Stance(ARTICLE_HOLDER, own, None))
        digest = sha256(f"{start}-{end}".encode()).hexdigest()[:16]
        return Claim(
            id=f"c_{digest}",
            text=quote.text,
            quote=quote,
            occurrences=(quote,),
            claimant=claimant,
            mode=Mode.INDIRECT if claimant else Mode.OWN_VOICE,
            stances=tuple(stances),
            kind=Kind.EVENT,
            check_worthiness=_WORTH,
            check_worthiness_reason="the same for every claim",
        )

    def _quote(self, start: int, end: int) -> Quote:
        number = bisect_right(self._starts, start)
        return Quote(self._article.text[start:end], self._offsets.span(start, end), (number,))

    def answer(self, claims: list[Claim]) -> AnswerJson:
        article, count = self._article, len(self._sentences)
        analysis = Analysis(
            id=f"an_{article.sha256[:24]}",
            status=AnalysisStatus.COMPLETE,
            article=article,
            sentences=count,
            claims=tuple(claims),
            coverage=Coverage(count, count, (PassageCoverage(0, len(article.text), article.sha256),)),
            set_aside=(),
            provenance=Provenance("baseline", "none", ModelProvenance("none", None, "none", None), _BY_RULES, "none"),
            usage=Usage(calls=0, retries=0, input_tokens=0, cached_tokens=0, output_tokens=0, duration_ms=0, cache="none"),
            warnings=(),
        )
        return dump_analysis(analysis, return_text=False)
