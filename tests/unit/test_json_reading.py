import json
from dataclasses import replace

import pytest
from hypothesis import given

from service.earlier import Changes, ClaimMemory
from service.export.json_answer import Origin, dump_analysis
from service.export.json_reading import AnswerUnreadableError, read_answer
from tests.examples import examples
from tests.export_cases import analyses, latin, scripts


def written(case, **more):
    return json.loads(json.dumps(dump_analysis(case, return_text=True, **more)))


def as_told(case):
    """The analysis without what its JSON does not tell."""
    passages = tuple(replace(passage, code=passage.code or None) for passage in case.coverage.passages)
    changes = case.changes and replace(case.changes, gone=wordless(case.changes.gone), unlisted=wordless(case.changes.unlisted))
    return replace(
        case,
        article=replace(case.article, url=None, published_at=None),
        coverage=replace(case.coverage, passages=passages),
        changes=changes,
        memory=None,
    )


def wordless(claims):
    return tuple(replace(claim, quote="") for claim in claims)


@examples(25)
@given(analyses())
def test_what_was_written_is_read_back(case):
    assert read_answer(written(case)) == as_told(case)


@pytest.mark.parametrize("case", [latin(), scripts()])
def test_examples_are_read_back(case):
    assert read_answer(written(case)) == as_told(case)


def test_what_became_of_earlier_claims_is_read_back():
    gone = (ClaimMemory("c_9", "Gone.", ""),)
    case = replace(latin(), changes=Changes("an_1", ("c_0a1b2c",), gone, ("c_3d4e5f",), ()))
    assert read_answer(written(case)).changes == case.changes


def test_where_an_article_was_fetched_is_its_address():
    told = written(latin(), origin=Origin("https://a.example/x?y=1", "https://a.example/x"))
    assert read_answer(told).article.url == "https://a.example/x"
    told["article"]["fetched"]["canonical_url"] = None
    assert read_answer(told).article.url == "https://a.example/x?y=1"


@pytest.mark.parametrize(
    ("url", "kept"), [("https://a.example/x", True), ("javascript:alert(1)", False), ("https://a b/", False), (7, False)]
)
def test_an_address_told_beside_it_is_kept_when_it_is_one(url, kept):
    told = written(latin())
    told["article"]["url"] = url
    assert read_answer(told).article.url == (url if kept else None)


def spoil(told, change):
    change(told)
    return told


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(lambda told: told["article"].pop("text"), "does not hold its text", id="no text"),
        pytest.param(lambda told: told["article"].update(text="Else."), "SHA-256", id="another text"),
        pytest.param(lambda told: told["claims"][0]["quote"].update(text="Else."), "does not stand", id="a quote not there"),
        pytest.param(lambda told: told["claims"][0]["quote"].update(start=10**9), "does not stand", id="a quote far off"),
        pytest.param(lambda told: told["claims"][0]["quote"].update(end_utf16=0), "UTF-16", id="wrong in UTF-16"),
        pytest.param(lambda told: told["coverage"]["passages"][0].update(end=10**9), "passage", id="a passage far off"),
    ],
)
def test_an_answer_that_is_not_whole_is_refused(change, words):
    with pytest.raises(AnswerUnreadableError, match=words):
        read_answer(spoil(written(latin()), change))
