import json
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain import (
    Analysis,
    AnalysisStatus,
    Article,
    ArticleInput,
    Caveat,
    Claim,
    Claimant,
    Coverage,
    Kind,
    Mode,
    Options,
    PassageCoverage,
    Quote,
    SetAside,
    SetAsideReason,
    Span,
    Stance,
    StanceLabel,
    Usage,
)
from service.errors import ArticleTooLongError, InvalidRequestError
from service.export.json_answer import dump_analysis
from service.provenance import DecidedBy, Decider, ModelProvenance, Provenance
from service.web.answers import json_response
from service.web.schemas import MAX_FAULTS, AnalyzeRequest, load_request
from tests.examples import examples

TEXT = "Prices rose by 5 percent, said Ms Hale."


def load(document, max_article_chars=1_000):
    return load_request(document, max_article_chars)


def pointers(document):
    with pytest.raises(InvalidRequestError) as caught:
        load(document)
    return [fault.pointer for fault in caught.value.faults]


def only_fault(document):
    with pytest.raises(InvalidRequestError) as caught:
        load(document)
    (fault,) = caught.value.faults
    return fault


def article(**changes):
    return {"article": {"text": TEXT, **changes}}


def options(**given):
    return {"article": {"text": TEXT}, "options": given}


def test_the_smallest_request_asks_for_everything_by_default():
    assert load(article()) == AnalyzeRequest(ArticleInput(TEXT), Options())


def test_every_field_arrives_where_the_pipeline_expects_it():
    asked = load(
        {
            "article": {
                "text": TEXT,
                "title": "Prices",
                "author": "Jane Roe and Tom Poe",
                "url": "https://example.org/prices?id=1",
                "published_at": "2026-01-31T09:30:00Z",
                "language": "pt-BR",
            },
            "prompt": "extract_claims@2",
            "options": {
                "max_claims": 200,
                "min_check_worthiness": 0.5,
                "allow_partial": True,
                "deadline_s": 1.5,
                "return_text": True,
            },
        }
    )
    assert asked == AnalyzeRequest(
        ArticleInput(
            TEXT, "Prices", "https://example.org/prices?id=1", "2026-01-31T09:30:00Z", "pt-BR", "Jane Roe and Tom Poe"
        ),
        Options(200, 0.5, allow_partial=True),
        "extract_claims@2",
        1.5,
        return_text=True,
    )


def test_null_counts_as_left_out_where_a_field_may_be_left_out():
    document = {
        "article": {"text": TEXT, "title": None, "author": None, "url": None, "published_at": None, "language": None},
        "prompt": None,
        "options": None,
    }
    assert load(document) == AnalyzeRequest(ArticleInput(TEXT))


@pytest.mark.parametrize("options_given", [{}, {"max_claims": None, "deadline_s": None}])
def test_options_may_be_empty(options_given):
    assert load(options(**options_given)).options == Options()


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        pytest.param([], "", id="a list"),
        pytest.param("x", "", id="a string"),
        pytest.param(None, "", id="null"),
        pytest.param(3, "", id="a number"),
        pytest.param({}, "/article", id="no article"),
        pytest.param({"article": None}, "/article", id="null article"),
        pytest.param({"article": TEXT}, "/article", id="article as a bare string"),
        pytest.param({"article": []}, "/article", id="article as a list"),
        pytest.param({"article": {}}, "/article/text", id="no text"),
        pytest.param({"article": {"text": None}}, "/article/text", id="null text"),
        pytest.param({"article": {"text": 7}}, "/article/text", id="text as a number"),
        pytest.param({"article": {"text": b"words"}}, "/article/text", id="text as bytes"),
        pytest.param({"article": {"text": ["a"]}}, "/article/text", id="text as a list"),
        pytest.param({"article": {"text": ""}}, "/article/text", id="empty text"),
        pytest.param({"article": {"text": " \r\n\t\u00a0"}}, "/article/text", id="blank text"),
        pytest.param(article(html="<p>x</p>"), "/article/html", id="page beside text"),
        pytest.param({"article": {"html": None}}, "/article/html", id="null html"),
        pytest.param({"article": {"url": "https://example.org/"}}, "/article/url", id="an address alone"),
        pytest.param({"article": {"url": None}}, "/article/text", id="null address alone"),
        pytest.param(article(title=""), "/article/title", id="empty title"),
        pytest.param(article(title="a\x00b"), "/article/title", id="NUL in title"),
        pytest.param(article(title="x" * 501), "/article/title", id="long title"),
        pytest.param(article(title=5), "/article/title", id="title as a number"),
        pytest.param(article(url="ftp://example.org/"), "/article/url", id="ftp address"),
        pytest.param(article(url="javascript:alert(1)"), "/article/url", id="script address"),
        pytest.param(article(url="//example.org/"), "/article/url", id="address without scheme"),
        pytest.param(article(url="https:///path"), "/article/url", id="address without host"),
        pytest.param(article(url="https://user:secret@example.org/"), "/article/url", id="address with credentials"),
        pytest.param(article(url="https://[::1/"), "/article/url", id="address with half a bracket"),
        pytest.param(article(url="https://example.org:99999/"), "/article/url", id="address with an impossible port"),
        pytest.param(article(url="https://example.org/a b"), "/article/url", id="address with a space"),
        pytest.param(article(url="https://example.org/\n"), "/article/url", id="address with a line feed"),
        pytest.param(article(url="https://example.org/\ud800"), "/article/url", id="address with half a character"),
        pytest.param(article(url="https://example.org/" + "x" * 2_000), "/article/url", id="long address"),
        pytest.param(article(language="EN"), "/article/language", id="language in capitals"),
        pytest.param(article(language="english"), "/article/language", id="language as a word"),
        pytest.param(article(language="en-"), "/article/language", id="half a language tag"),
        pytest.param(article(language="en\n"), "/article/language", id="language with a line feed"),
        pytest.param(article(language=""), "/article/language", id="empty language"),
        pytest.param(article(author=""), "/article/author", id="blank author"),
        pytest.param(article(author=["Jane Roe"]), "/article/author", id="authors in a list"),
        pytest.param(article(author="Jane\x1b[2JRoe"), "/article/author", id="control character in the author"),
        pytest.param(article(author="x" * 301), "/article/author", id="long author"),
        pytest.param(article(published_at="yesterday"), "/article/published_at", id="date in words"),
        pytest.param(article(published_at="2026-02-30"), "/article/published_at", id="a day that never was"),
        pytest.param(article(published_at="2026-01-31T25:00"), "/article/published_at", id="an hour that never was"),
        pytest.param(article(published_at="31.01.2026"), "/article/published_at", id="date with dots"),
        pytest.param(article(published_at="2026-01-31x09:30"), "/article/published_at", id="date with another separator"),
        pytest.param(article(published_at="٢٠٢٦-٠١-٣١"), "/article/published_at", id="date in other digits"),
        pytest.param(article(published_at=20260131), "/article/published_at", id="date as a number"),
        pytest.param(article() | {"prompt": 2}, "/prompt", id="prompt as a number"),
        pytest.param(article() | {"prompt": "x" * 201}, "/prompt", id="long prompt"),
        pytest.param(article() | {"options": []}, "/options", id="options as a list"),
        pytest.param(options(max_claims="5"), "/options/max_claims", id="number as a string"),
        pytest.param(options(max_claims=5.7), "/options/max_claims", id="fraction of a claim"),
        pytest.param(options(max_claims=5.0), "/options/max_claims", id="whole number as a float"),
        pytest.param(options(max_claims="1_0"), "/options/max_claims", id="number with an underscore"),
        pytest.param(options(max_claims=True), "/options/max_claims", id="boolean as a number"),
        pytest.param(options(max_claims=0), "/options/max_claims", id="no claims"),
        pytest.param(options(max_claims=201), "/options/max_claims", id="too many claims"),
        pytest.param(options(max_claims=-1), "/options/max_claims", id="fewer than no claims"),
        pytest.param(options(min_check_worthiness="0.9"), "/options/min_check_worthiness", id="score as a string"),
        pytest.param(options(min_check_worthiness=1.01), "/options/min_check_worthiness", id="score above one"),
        pytest.param(options(min_check_worthiness=-0.1), "/options/min_check_worthiness", id="score below zero"),
        pytest.param(options(min_check_worthiness=10**400), "/options/min_check_worthiness", id="score too big for a float"),
        pytest.param(options(min_check_worthiness=float("nan")), "/options/min_check_worthiness", id="score that is no number"),
        pytest.param(options(min_check_worthiness=False), "/options/min_check_worthiness", id="boolean as a score"),
        pytest.param(options(min_check_worthiness=None), "/options/min_check_worthiness", id="null score"),
        pytest.param(options(allow_partial="off"), "/options/allow_partial", id="boolean as a word"),
        pytest.param(options(allow_partial=0), "/options/allow_partial", id="boolean as a number"),
        pytest.param(options(allow_partial=None), "/options/allow_partial", id="null for a boolean"),
        pytest.param(options(return_text="yes"), "/options/return_text", id="another boolean as a word"),
        pytest.param(options(deadline_s=0), "/options/deadline_s", id="no time"),
        pytest.param(options(deadline_s=-1.0), "/options/deadline_s", id="time before now"),
        pytest.param(options(deadline_s="30"), "/options/deadline_s", id="time as a string"),
        pytest.param(article() | {"Prompt": "x"}, "/Prompt", id="misspelt field"),
        pytest.param(article(txet="x"), "/article/txet", id="misspelt article field"),
        pytest.param(options(maxclaims=3), "/options/maxclaims", id="misspelt option"),
        pytest.param(article() | {"base_url": "http://evil.example"}, "/base_url", id="another model endpoint"),
        pytest.param(article() | {"a/b~c": 1}, "/a~1b~0c", id="characters a pointer escapes"),
        pytest.param(article() | {"_schema": 1}, "/_schema", id="a name marshmallow uses itself"),
        pytest.param(article() | {"x" * 61: 1}, "", id="a name too long to repeat"),
        pytest.param(article() | {"": 1}, "", id="an empty name"),
        pytest.param(article() | {"a\nb": 1}, "", id="a name with a line feed"),
        pytest.param(article() | {"\ud800": 1}, "", id="a name with half a character"),
    ],
)
def test_a_fault_is_told_where_it_is(document, pointer):
    assert only_fault(document).pointer == pointer


def test_every_fault_is_told_at_once():
    document = {
        "article": {"text": "", "language": "EN", "html": "<p>"},
        "prompt": 3,
        "options": {"max_claims": "5", "return_text": 1},
        "x": 1,
    }
    assert sorted(pointers(document)) == [
        "/article/html",
        "/article/language",
        "/article/text",
        "/options/max_claims",
        "/options/return_text",
        "/prompt",
        "/x",
    ]


def test_two_faults_of_one_field_are_both_told():
    assert pointers(article(title="\x00" * 501)) == ["/article/title", "/article/title"]


def test_faults_past_the_fiftieth_are_counted():
    with pytest.raises(InvalidRequestError) as caught:
        load(article() | {f"field{number}": 1 for number in range(60)})
    faults = caught.value.faults
    assert len(faults) == MAX_FAULTS + 1
    assert faults[-1].detail == "There are 10 more faults, not listed here."
    assert caught.value.message == "The request has 60 things to change, listed under errors."


def test_one_fault_is_told_in_the_singular():
    with pytest.raises(InvalidRequestError, match="has one thing to change"):
        load({})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("ab\x00c", "(U+0000) at offset 2", id="NUL"),
        pytest.param("a\x1b[31m", "(U+001B) at offset 1", id="escape"),
        pytest.param("👍\x08", "(U+0008) at offset 1", id="offset in code points"),
        pytest.param("a\x0cb", "(U+000C) at offset 1", id="form feed"),
        pytest.param("ab\udc00", "(U+DC00) at offset 2", id="half a surrogate pair"),
    ],
)
def test_a_bad_character_is_told_with_its_offset(text, told):
    assert told in only_fault({"article": {"text": text}}).detail


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a\tb\r\nc", id="tab and line ends"),
        pytest.param("\ufeffwords", id="byte order mark"),
        pytest.param("a\x7f\x85b", id="characters beyond C0"),
        pytest.param("e\u0301 \u201cx\u201d \u00a0", id="typography"),
    ],
)
def test_text_is_taken_as_it_is(text):
    assert load({"article": {"text": text}}).article.text == text


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("2026-01-31", id="date"),
        pytest.param("20260131", id="basic date"),
        pytest.param("2026-W05-6", id="week date"),
        pytest.param("2026-01-31T09:30", id="minutes"),
        pytest.param("2026-01-31 09:30:00.123456+02:00", id="fraction and offset"),
        pytest.param("2026-01-31T09:30:00Z", id="Zulu"),
    ],
)
def test_iso_dates_are_taken_and_kept_as_written(moment):
    assert load(article(published_at=moment)).article.published_at == moment


def test_an_article_as_long_as_allowed_is_taken():
    assert load({"article": {"text": "👍" * 9}}, max_article_chars=9).article.text == "👍" * 9


def test_a_longer_article_is_refused_with_its_length():
    with pytest.raises(ArticleTooLongError, match="has 10 characters; send at most 9"):
        load({"article": {"text": "👍" * 10}}, max_article_chars=9)


def test_other_faults_of_a_long_article_are_told_first():
    with pytest.raises(InvalidRequestError):
        load(article(language="EN"), max_article_chars=3)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=8), inner, max_size=4),
    max_leaves=10,
)
likely_documents = st.fixed_dictionaries(
    {},
    optional={
        "article": json_values
        | st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(
                ("text", "html", "title", "author", "url", "published_at", "language", "_schema"), json_values
            ),
        ),
        "prompt": json_values,
        "options": json_values
        | st.fixed_dictionaries({}, optional=dict.fromkeys(("max_claims", "deadline_s", "allow_partial"), json_values)),
        "_schema": json_values,
    },
)


@examples()
@given(json_values | likely_documents)
def test_any_document_is_taken_or_refused_with_faults_that_can_be_sent(document):
    try:
        asked = load(document)
    except InvalidRequestError as error:
        sent = json.loads(json_response([[fault.pointer, fault.detail] for fault in error.faults]).get_data())
        assert sent
    except ArticleTooLongError:
        pass
    else:
        assert asked.article.text.strip()
        asked.article.text.encode()


# The response.


def quote(text, start, *sentences):
    return Quote(text, Span(start, start + len(text), start + 1, start + 1 + len(text)), sentences)


def analysis(**changes):
    values = {
        "id": "an_1",
        "status": AnalysisStatus.COMPLETE,
        "article": Article("👍 Prices rose.", "ab" * 32, "en", title="Prices", author="Jane Roe"),
        "sentences": 1,
        "claims": (
            Claim(
                "c_1",
                "Prices rose.",
                quote("Prices rose", 2, 1),
                (quote("Prices rose", 2, 1),),
                Claimant("Ms Hale", quote("Ms Hale", 20, 1, 2), role="minister", cites=quote("a report", 50, 2)),
                Mode.INDIRECT,
                (
                    Stance("Mr Ito", StanceLabel.REFUTES, quote("denied", 40, 2)),
                    Stance("article", StanceLabel.DISCUSSES, None),
                ),
                Kind.QUANTITY,
                0.93,
                "a number",
            ),
        ),
        "coverage": Coverage(1, 1, (PassageCoverage(0, 14, "cd" * 32),)),
        "set_aside": (SetAside(SetAsideReason.QUOTE_NOT_FOUND, "Prices fell"),),
        "provenance": Provenance(
            "extract_claims@1#87ff312e9e44",
            "claim_list.v1#12",
            ModelProvenance("m", "m-1", "example.org", "json_schema"),
            DecidedBy(Decider.MODEL, Decider.MODEL, Decider.MODEL, Decider.MODEL),
            "0.1.0",
        ),
        "usage": Usage(1, 0, 1204, 890, 371, 2140, "miss"),
        "warnings": (Caveat("trial-model", "A model for trying out."),),
    }
    return Analysis(**(values | changes))


def test_an_analysis_is_dumped_as_the_contract_has_it():
    span = {"text": "Ms Hale", "start": 20, "end": 27, "start_utf16": 21, "end_utf16": 28, "sentences": [1, 2]}
    quoted = {"text": "Prices rose", "start": 2, "end": 13, "start_utf16": 3, "end_utf16": 14, "sentences": [1]}
    cited = {"text": "a report", "start": 50, "end": 58, "start_utf16": 51, "end_utf16": 59, "sentences": [2]}
    dumped = dump_analysis(analysis(), return_text=False)
    assert json.loads(json.dumps(dumped)) == {
        "id": "an_1",
        "status": "complete",
        "article": {
            "sha256": "ab" * 32,
            "language": "en",
            "title": "Prices",
            "author": "Jane Roe",
            "code_points": 14,
            "utf16_units": 15,
            "sentences": 1,
        },
        "claims": [
            {
                "id": "c_1",
                "text": "Prices rose.",
                "quote": quoted,
                "occurrences": [quoted],
                "claimant": {"name": "Ms Hale", "role": "minister", "span": span, "cites": cited},
                "mode": "indirect",
                "stances": [
                    {
                        "holder": "Mr Ito",
                        "stance": "refutes",
                        "evidence": {
                            "text": "denied",
                            "start": 40,
                            "end": 46,
                            "start_utf16": 41,
                            "end_utf16": 47,
                            "sentences": [2],
                        },
                    },
                    {"holder": "article", "stance": "discusses", "evidence": None},
                ],
                "kind": "quantity",
                "check_worthiness": 0.93,
                "check_worthiness_reason": "a number",
            }
        ],
        "coverage": {"sentences": 1, "read": 1, "passages": [{"start": 0, "end": 14, "sha256": "cd" * 32, "status": "ok"}]},
        "set_aside": [{"reason": "quote_not_found", "text": "Prices fell"}],
        "provenance": {
            "prompt": "extract_claims@1#87ff312e9e44",
            "schema": "claim_list.v1#12",
            "model": {"asked": "m", "served": "m-1", "endpoint": "example.org", "response_format": "json_schema"},
            "decided_by": {"claims": "model", "claimants": "model", "stances": "model", "check_worthiness": "model"},
            "service": "0.1.0",
        },
        "usage": {
            "calls": 1,
            "retries": 0,
            "input_tokens": 1204,
            "cached_tokens": 890,
            "output_tokens": 371,
            "duration_ms": 2140,
            "cache": "miss",
        },
        "warnings": [{"code": "trial-model", "detail": "A model for trying out."}],
    }


def test_the_text_comes_back_only_when_it_is_asked_for():
    assert "text" not in dump_analysis(analysis(), return_text=False)["article"]
    assert dump_analysis(analysis(), return_text=True)["article"]["text"] == "👍 Prices rose."


def test_a_claim_in_the_articles_own_voice_has_no_claimant():
    claim = Claim("c_1", "x", quote("x", 0, 1), (), None, Mode.OWN_VOICE, (), Kind.OTHER, 0.1, "none")
    assert dump_analysis(analysis(claims=(claim,)), return_text=False)["claims"][0]["claimant"] is None


def test_a_passage_that_failed_carries_its_code():
    coverage = Coverage(2, 1, (PassageCoverage(0, 5, "a"), PassageCoverage(5, 9, "b", "upstream-schema")))
    dumped = dump_analysis(analysis(status=AnalysisStatus.PARTIAL, coverage=coverage), return_text=False)
    assert dumped["status"] == "partial"
    assert dumped["coverage"]["passages"] == [
        {"start": 0, "end": 5, "sha256": "a", "status": "ok"},
        {"start": 5, "end": 9, "sha256": "b", "status": "failed", "code": "upstream-schema"},
    ]


def test_a_response_is_utf_8_with_its_keys_in_order():
    response = json_response({"b": "é👍", "a": 1})
    assert response.get_data() == '{"b":"é👍","a":1}'.encode()
    assert response.content_type == "application/json"


def test_dumping_twenty_claims_takes_less_than_a_millisecond():
    twenty = analysis(claims=analysis().claims * 20)

    def seconds():
        begun = perf_counter()
        dump_analysis(twenty, return_text=False)
        return perf_counter() - begun

    assert min(seconds() for _ in range(20)) < 0.001
