"""Sets of whole articles in which claims, attributions or nothing at all is labelled."""

from collections.abc import Iterator
from pathlib import Path

from evals.items import (
    Attribution,
    AttributionGold,
    CentralGold,
    FactGold,
    GoldClaim,
    GoldStance,
    Item,
    LabelledSentence,
    NoGold,
    Range,
    ReferenceGold,
    TopicClaim,
    TopicGold,
    VerdictGold,
)
from evals.readers.lines import Record, joined, pair, read_each
from service.domain import ARTICLE_HOLDER

_CHECKABLE = "factual"


def reference(path: Path) -> Iterator[Item[ReferenceGold]]:
    """Our own annotations: every claim of an article in the service's vocabulary."""
    return read_each(path, _reference)


def _reference(record: Record) -> Item[ReferenceGold]:
    claims = tuple(_gold_claim(claim) for claim in record["claims"])
    return Item(record["doc_id"], record["text"], record["lang"], record.get("title"), ReferenceGold(claims))


def _gold_claim(claim: Record) -> GoldClaim:
    (article,) = (stance["stance"] for stance in claim["stances"] if stance["holder"] == ARTICLE_HOLDER)
    return GoldClaim(
        text=claim["text"],
        span=pair(claim["span"]),
        claimant=claim["claimant"],
        article=article,
        others=tuple(
            GoldStance(stance["holder"], stance["stance"]) for stance in claim["stances"] if stance["holder"] != ARTICLE_HOLDER
        ),
        kind=claim["kind"],
        check_worthiness=int(claim["check_worthiness"]),
    )


def newsclaims(path: Path) -> Iterator[Item[TopicGold]]:
    """NewsClaims: sentences that make a claim on the origin, cure, transmission of or protection from COVID-19."""
    return read_each(path, _newsclaims)


def _newsclaims(record: Record) -> Item[TopicGold]:
    claims = tuple(
        TopicClaim(
            sentence=pair((claim["sent_start"], claim["sent_end"])),
            topic=claim["topic"],
            stance=claim["stance"] and claim["stance"].lower(),
            reported=claim["has_claimer"],
            claimer=claim["claimer"],
            claimer_in_sentence=bool(claim["claimer_in_sentence"]),
            span=pair((claim["span_start"], claim["span_end"])) if claim.get("span_start") is not None else None,
        )
        for claim in record["claims"]
    )
    sentences = tuple(pair((sentence["start"], sentence["end"])) for sentence in record["sentences"])
    return Item(record["doc_id"], record["text"], "en", None, TopicGold(sentences, claims))


def polnear(path: Path) -> Iterator[Item[AttributionGold]]:
    """PolNeAR: the attributions of political news, by the first annotator of each article."""
    return read_each(path, _polnear)


def _polnear(record: Record) -> Item[AttributionGold]:
    annotations = record["annotations"]
    found = annotations[0]["attributions"] if annotations else []
    gold = AttributionGold(tuple(_attribution(one["content"], one["source"]) for one in found if _spans(one["content"])))
    return Item(record["doc_id"], record["text"], "en", record["title"], gold)


def german_quotes(path: Path) -> Iterator[Item[AttributionGold]]:
    """German Wikinews: direct, indirect and reported speech with its speakers."""
    return read_each(path, _german_quotes)


def _german_quotes(record: Record) -> Item[AttributionGold]:
    found = record["attributions"]
    gold = AttributionGold(tuple(_attribution(one["quote"], one["speaker"]) for one in found if _spans(one["quote"])))
    return Item(record["doc_id"], record["text"], "de", record["title"], gold)


def _attribution(content: Record, source: Record | None) -> Attribution:
    return Attribution(_spans(content), source["text"] if source else None)


def _spans(content: Record | None) -> tuple[Range, ...]:
    return tuple(pair(span) for span in content["spans"]) if content else ()


def factcheck_bench(path: Path) -> Iterator[Item[FactGold]]:
    """Factcheck-Bench: answers of a chat model, their sentences' check-worthiness and people's claims made of them."""
    return read_each(path, _factcheck_bench)


def _factcheck_bench(record: Record) -> Item[FactGold]:
    text = record["response"]
    sentences = tuple(
        LabelledSentence(span, sentence["checkworthiness"], sentence["checkworthiness"] == "yes")
        for sentence, span in zip(record["sentences"], _located(text, record["sentences"]), strict=True)
        if span
    )
    claims = tuple(
        claim["revised"] or claim["claim"]
        for sentence in record["sentences"]
        for claim in sentence["claims"]
        if claim["checkworthiness"] == _CHECKABLE
    )
    return Item(record["id"], text, "en", None, FactGold(sentences, claims))


def _located(text: str, sentences: list[Record]) -> Iterator[Range | None]:
    """Where each sentence is; None for the few that the annotators rewrote."""
    at = 0
    for sentence in sentences:
        start = text.find(sentence["text"], at)
        if start < 0:
            yield None
        else:
            at = start + len(sentence["text"])
            yield start, at


def averitec_dce(path: Path) -> Iterator[Item[CentralGold]]:
    """AVeriTeC-DCE: web pages and the one claim that a fact-checker took from each."""
    return read_each(path, _averitec_dce)


def _averitec_dce(record: Record) -> Item[CentralGold]:
    return Item(record["id"], record["text"], None, None, CentralGold(record["gold_claim"], record["speaker"]))


def wice(path: Path) -> Iterator[Item[VerdictGold]]:
    """WiCE: evidence pages, a claim on each, its verdict and the sentences that bear it out."""
    return read_each(path, _wice)


def _wice(record: Record) -> Item[VerdictGold]:
    text, spans = joined(record["evidence"], "\n")
    supporting = tuple(tuple(spans[index] for index in group) for group in record["supporting_sentences"])
    return Item(record["id"], text, "en", record["title"], VerdictGold(record["claim"], record["label"], supporting))


def semeval2025_t10(path: Path) -> Iterator[Item[NoGold]]:
    """SemEval-2025 task 10: full articles on the war in Ukraine and on climate; no claims are labelled."""
    return read_each(path, _semeval)


def _semeval(record: Record) -> Item[NoGold]:
    return Item(record["doc_id"], record["text"], record["lang"].lower(), None, NoGold())
