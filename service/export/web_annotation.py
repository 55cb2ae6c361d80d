"""W3C Web Annotations: the claims, who makes them and the words that show a stance, anchored in the article.

An AnnotationCollection with one embedded AnnotationPage. Each target names the article and selects words in it twice:
by quote with 32 characters around it, and by position. Both count Unicode code points, as the model demands. The two
stand side by side, not refining one another: they are alternatives for the same words.
Source: Web Annotation Data Model, W3C Recommendation 23 February 2017, sections 3.3.5, 4.2.4, 4.2.5 and 5.
"""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid5

from service.domain import ARTICLE_HOLDER, Analysis, Article, Claim, Claimant, Quote, Stance
from service.export.report import UNTITLED, changes, coverage_words, provenance, since_words, warnings

CONTEXT = "http://www.w3.org/ns/anno.jsonld"
CONTEXT_CHARS = 32
_NAMESPACE = UUID("6c9d2c0e-5f0b-4d55-9a5e-3f4f0c0b8f21")
"""Drawn once at random. Another one would give every annotation another id."""


def dump(analysis: Analysis) -> str:
    """The collection as JSON-LD, a line for each property.

    Ids are UUIDs made from the id of the analysis, so the same analysis gives the same document. There is no time in
    it: an analysis does not carry one. A collection without annotations has no page, because a page may not be empty.
    """
    return json.dumps(_Annotator(analysis).collection(), ensure_ascii=False, allow_nan=False, indent=2) + "\n"


class _Annotator:
    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._target = _source(analysis.article)

    def collection(self) -> dict[str, Any]:
        analysis, model = self._analysis, self._analysis.provenance.model
        items = [annotation for claim in analysis.claims for annotation in self._annotations(claim)]
        paged = {"first": self._page(items), "last": self._iri("page")} if items else {}
        return {
            "@context": CONTEXT,
            "id": self._iri("collection"),
            "type": "AnnotationCollection",
            "label": f"Claims in: {analysis.article.title or UNTITLED}",
            "rdfs:comment": [
                f"{coverage_words(analysis)}.",
                *(f"{code}: {detail}" for code, detail in warnings(analysis)),
                *(f"{name}: {value}" for name, value in provenance(analysis)),
                *_change_comments(analysis),
            ],
            "creator": {"id": self._iri("model"), "type": "Software", "name": model.served or "rules of language"},
            "generator": {
                "id": self._iri("service"),
                "type": "Software",
                "name": "factcheck-service",
                "schema:softwareVersion": analysis.provenance.service,
            },
            "total": len(items),
            **paged,
        }

    def _page(self, items: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self._iri("page"),
            "type": "AnnotationPage",
            "partOf": self._iri("collection"),
            "startIndex": 0,
            "items": items,
        }

    def _annotations(self, claim: Claim) -> Iterator[dict[str, Any]]:
        about = self._iri("claim", claim.id)
        yield self._annotation(about, "describing", self._claim_bodies(claim), claim.quote)
        link = {"type": "SpecificResource", "purpose": "linking", "source": about}
        if claim.claimant:
            bodies = [*self._claimant_bodies(claim.claimant), link]
            yield self._annotation(self._iri("claimant", claim.id), "identifying", bodies, claim.claimant.mention)
        for number, stance in enumerate(claim.stances):
            if stance.evidence:
                bodies = [self._label_body(stance), self._text("holder", "identifying", stance.holder), link]
                yield self._annotation(self._iri("stance", claim.id, str(number)), "classifying", bodies, stance.evidence)

    def _claim_bodies(self, claim: Claim) -> list[dict[str, Any]]:
        unshown = [stance for stance in claim.stances if stance.evidence is None]
        return [
            self._text("claim", "describing", claim.text) | {"language": self._analysis.article.language},
            self._text("kind", "classifying", claim.kind),
            self._text("check-worthiness", "assessing", str(claim.check_worthiness))
            | {
                "type": ["TextualBody", "schema:Rating"],
                "schema:ratingValue": claim.check_worthiness,
                "schema:worstRating": 0,
                "schema:bestRating": 1,
                "schema:reviewAspect": "check-worthiness",
                "schema:ratingExplanation": claim.check_worthiness_reason,
            },
            *(self._label_body(stance) for stance in unshown),
        ]

    def _claimant_bodies(self, claimant: Claimant) -> Iterator[dict[str, Any]]:
        yield self._text("claimant", "identifying", claimant.name)
        if claimant.role:
            yield self._text("role of the claimant", "describing", claimant.role)

    def _label_body(self, stance: Stance) -> dict[str, Any]:
        whose = "the article" if stance.holder == ARTICLE_HOLDER else stance.holder
        return self._text(f"stance of {whose}", "classifying", stance.label)

    def _text(self, label: str, purpose: str, value: str) -> dict[str, Any]:
        return {"type": "TextualBody", "label": label, "purpose": purpose, "value": value, "format": "text/plain"}

    def _annotation(self, iri: str, motivation: str, bodies: list[dict[str, Any]], words: Quote) -> dict[str, Any]:
        return {
            "id": iri,
            "type": "Annotation",
            "motivation": motivation,
            "creator": self._iri("model"),
            "body": bodies,
            "target": self._target | {"selector": _selectors(self._analysis.article.text, words)},
        }

    def _iri(self, *names: str) -> str:
        return uuid5(_NAMESPACE, "\n".join([self._analysis.id, *names])).urn


def _change_comments(analysis: Analysis) -> Iterator[str]:
    if since := since_words(analysis):
        yield f"{since}."
        yield from (f"{words}: {text}" for words, claims in changes(analysis) for text in claims)


def _source(article: Article) -> dict[str, Any]:
    """The target without its words. An address is bound to the text that was read: the page may have changed since."""
    exact_text = f"urn:sha256:{article.sha256}"
    source = {"id": article.url or exact_text, "type": "Text", "language": article.language}
    if article.url:
        state = {"type": "TimeState", "cached": exact_text}
        return {"type": "SpecificResource", "source": source, "state": state}
    return {"type": "SpecificResource", "source": source | {"format": "text/plain"}}


def _selectors(text: str, words: Quote) -> list[dict[str, Any]]:
    start, end = words.span.start, words.span.end
    return [
        {
            "type": "TextQuoteSelector",
            "exact": text[start:end],
            "prefix": text[max(0, start - CONTEXT_CHARS) : start],
            "suffix": text[end : end + CONTEXT_CHARS],
        },
        {"type": "TextPositionSelector", "start": start, "end": end},
    ]
