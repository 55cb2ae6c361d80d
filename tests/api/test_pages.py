"""Articles sent as HTML pages and as Markdown."""

import json

import pytest

from tests.api.conftest import start_service
from tests.fakes import ScriptedModel, claim

WORDS = "The new bridge over the river cost the city 40 million euros, the mayor of the town said on Monday morning."
MORE = "Her rival told reporters at the town hall later on the same day that this was false and that it had cost much more."
PAGE = f"""<!DOCTYPE html><html lang="en"><head><title>Bridge bill</title>
<meta name="author" content="By Ada Quill"><script>alert(1)</script></head>
<body><nav><a href="/">Home</a> <a href="/news">News</a></nav>
<article><h1>Bridge bill</h1><p>{WORDS}</p><p>{MORE}</p></article><footer>All rights reserved</footer></body></html>"""
REPLY = json.dumps({"claims": [claim(1, WORDS)]})


def check(answer):
    text = answer["article"]["text"]
    assert text == f"{WORDS}\n\n{MORE}"
    quote = answer["claims"][0]["quote"]
    assert text[quote["start"] : quote["end"]] == quote["text"] == WORDS
    assert [answer["article"][name] for name in ("title", "author", "language")] == ["Bridge bill", "Ada Quill", "en"]


def test_the_main_text_of_a_page_is_analysed_and_returned_because_offsets_refer_to_it():
    service = start_service(ScriptedModel(REPLY))
    check(service.client.post("/analyze", data=PAGE, content_type="text/html; charset=utf-8").get_json())


def test_a_page_may_be_sent_as_json_too():
    service = start_service(ScriptedModel(REPLY))
    check(service.client.post("/analyze", json={"article": {"html": PAGE}}).get_json())


def test_what_the_caller_says_of_an_article_wins_over_its_page():
    service = start_service(ScriptedModel(REPLY))
    article = {"html": PAGE, "title": "Another title", "author": "Jane Roe", "language": "fr"}
    answer = service.client.post("/analyze", json={"article": article}).get_json()
    assert [answer["article"][name] for name in ("title", "author", "language")] == ["Another title", "Jane Roe", "fr"]


@pytest.mark.parametrize("page", ["<html><body></body></html>", "<nav><a href='/'>Home</a></nav>", "<p>"])
def test_a_page_without_an_article_is_told(page):
    response = start_service(ScriptedModel()).client.post("/analyze", data=page, content_type="text/html")
    assert (response.status_code, response.get_json()["code"]) == (422, "unreadable-page")


def test_markdown_is_taken_as_it_is():
    text = "# Bridge bill\n\n" + WORDS
    service = start_service(ScriptedModel(json.dumps({"claims": [claim(2, WORDS)]})))
    answer = service.client.post("/analyze", data=text, content_type="text/markdown").get_json()
    quote = answer["claims"][0]["quote"]
    assert text[quote["start"] : quote["end"]] == WORDS
