import json
import re
from dataclasses import replace
from itertools import chain
from uuid import UUID

from hypothesis import given

from service.export.web_annotation import CONTEXT, CONTEXT_CHARS, dump
from tests.examples import examples
from tests.export_cases import analyses, analysis, article, latin, scripts

# Web Annotation Data Model, section 3.3.5.
MOTIVATIONS = {
    *("assessing", "bookmarking", "classifying", "commenting", "describing", "editing", "highlighting"),
    *("identifying", "linking", "moderating", "questioning", "replying", "tagging"),
}


def is_iri(value):
    return isinstance(value, str) and re.match(r"[a-z][a-z0-9+.-]*:", value) is not None


def listed(value):
    return value if isinstance(value, list) else [value]


def check_collection(collection):
    """Every MUST of section 5.1 and, for the page in it, 5.2."""
    assert CONTEXT in listed(collection["@context"])
    assert is_iri(collection["id"])
    assert "AnnotationCollection" in listed(collection["type"])
    assert isinstance(collection["label"], str)
    assert isinstance(collection["total"], int)
    if not collection["total"]:
        assert "first" not in collection
        return []
    page = collection["first"]
    assert "@context" not in page
    assert is_iri(page["id"])
    assert "AnnotationPage" in listed(page["type"])
    assert page["partOf"] == collection["id"]
    assert page["startIndex"] == 0
    assert "next" not in page
    assert collection["last"] == page["id"]
    assert len(page["items"]) == collection["total"] > 0
    return page["items"]


def check_annotation(annotation):
    """Every MUST of sections 3.1, 3.2.4, 3.3.5, 4 and 4.2."""
    assert is_iri(annotation["id"])
    assert "Annotation" in listed(annotation["type"])
    assert annotation["motivation"] in MOTIVATIONS
    assert "bodyValue" not in annotation
    for body in listed(annotation["body"]):
        assert set(listed(body["purpose"])) <= MOTIVATIONS
        if "TextualBody" in listed(body["type"]):
            assert isinstance(body["value"], str)
        else:
            assert body["type"] == "SpecificResource"
            assert is_iri(body["source"])
    target = annotation["target"]
    assert target["type"] == "SpecificResource"
    assert target["source"]["id"]
    assert [selector["type"] for selector in target["selector"]] == ["TextQuoteSelector", "TextPositionSelector"]
    quote, position = target["selector"]
    assert all(isinstance(quote[name], str) for name in ("exact", "prefix", "suffix"))
    assert all(type(position[name]) is int and position[name] >= 0 for name in ("start", "end"))
    state = target.get("state")
    assert state is None or (state["type"] == "TimeState" and is_iri(state["cached"]))


@examples(80)
@given(analyses())
def test_any_analysis_is_a_valid_collection_with_selectors_that_find_their_words(case):
    items = check_collection(json.loads(dump(case)))
    text = case.article.text
    for annotation in items:
        check_annotation(annotation)
        quote, position = annotation["target"]["selector"]
        start, end = position["start"], position["end"]
        assert text[start:end] == quote["exact"]
        assert text[:start].endswith(quote["prefix"])
        assert text[end:].startswith(quote["suffix"])
        assert len(quote["prefix"]) == min(start, CONTEXT_CHARS)
        assert len(quote["suffix"]) == min(len(text) - end, CONTEXT_CHARS)
    ids = [annotation["id"] for annotation in items]
    assert len(set(ids)) == len(ids)
    made_of = ([claim.quote, *words(claim)] for claim in case.claims)
    assert [selected(annotation) for annotation in items] == [
        (quote.span.start, quote.span.end) for quote in chain.from_iterable(made_of)
    ]


def words(claim):
    yield from ([claim.claimant.mention] if claim.claimant else [])
    yield from (stance.evidence for stance in claim.stances if stance.evidence)


def selected(annotation):
    position = annotation["target"]["selector"][1]
    return position["start"], position["end"]


def annotations(case):
    return json.loads(dump(case))["first"]["items"]


def values(annotation, label):
    return [body["value"] for body in annotation["body"] if body.get("label") == label]


def test_a_claim_is_described_classified_and_assessed():
    claim = annotations(latin())[0]
    assert claim["motivation"] == "describing"
    assert values(claim, "claim") == ["Prices rose by 5 %."]
    assert values(claim, "kind") == ["quantity"]
    assert values(claim, "check-worthiness") == ["0.93"]
    assert values(claim, "stance of the article") == ["discusses"]
    assert [body["purpose"] for body in claim["body"]] == ["describing", "classifying", "assessing", "classifying"]
    rating = claim["body"][2]
    assert (rating["schema:worstRating"], rating["schema:ratingValue"], rating["schema:bestRating"]) == (0, 0.93, 1)
    assert rating["schema:ratingExplanation"] == "A number | that can be looked up"


def test_claimant_and_evidence_point_back_to_their_claim():
    claim, claimant, supports, refutes, *_ = annotations(latin())
    assert claimant["motivation"] == "identifying"
    assert values(claimant, "claimant") == ["Ms Hale"]
    assert values(claimant, "role of the claimant") == ["the minister"]
    assert (supports["motivation"], values(supports, "stance of Ms Hale")) == ("classifying", ["supports"])
    assert values(refutes, "stance of Her ministry") == ["refutes"]
    assert values(refutes, "holder") == ["Her ministry"]
    for annotation in (claimant, supports, refutes):
        assert annotation["body"][-1] == {"type": "SpecificResource", "purpose": "linking", "source": claim["id"]}


def test_an_address_is_the_source_bound_to_the_text_that_was_read():
    target = annotations(latin())[0]["target"]
    assert target["source"]["id"] == "https://news.example.org/a?b=1&c=2"
    assert target["state"]["cached"] == f"urn:sha256:{latin().article.sha256}"


def test_without_an_address_the_text_itself_is_the_source():
    target = annotations(scripts())[0]["target"]
    assert target["source"]["id"] == f"urn:sha256:{scripts().article.sha256}"
    assert "state" not in target


def test_the_collection_tells_what_was_not_read_and_where_it_comes_from():
    collection = json.loads(dump(scripts()))
    told = "\n".join(collection["rdfs:comment"])
    assert "Only 2 of 3 sentences were read." in told
    assert "upstream-truncated" in told
    assert "extract_claims@1#87ff312e9e44" in told
    assert collection["creator"]["name"] == "small-1-2026-05"


def test_ids_are_stable_uuids_of_their_analysis():
    assert dump(latin()) == dump(latin())
    mine = {annotation["id"] for annotation in annotations(latin())}
    other = {annotation["id"] for annotation in annotations(replace(latin(), id="an_other"))}
    assert not mine & other
    assert all(UUID(iri.removeprefix("urn:uuid:")).version == 5 for iri in mine | other)


def test_no_claims_are_a_collection_without_a_page():
    collection = json.loads(dump(analysis(article("Nothing."), [])))
    assert collection["total"] == 0
    assert "first" not in collection
    assert "last" not in collection
