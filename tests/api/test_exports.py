"""An analysis in other forms, chosen by the Accept header."""

import json

import pytest

from tests.api.conftest import start_service
from tests.fakes import ScriptedModel, claim

TEXT = "Mayor Jane Roe said the bridge cost 40 million euros. It opened in May."
REPLY = json.dumps(
    {"claims": [claim(1, "the bridge cost 40 million euros", claimant="Jane Roe", article="discusses"), claim(2)]}
)


def ask(accept):
    service = start_service(ScriptedModel(REPLY))
    headers = {"Accept": accept} if accept else {}
    return service.client.post("/analyze", data=TEXT, content_type="text/plain", headers=headers)


@pytest.mark.parametrize(
    ("accept", "media_type", "start"),
    [
        pytest.param(None, "application/json", '{"id"', id="nothing asked for"),
        pytest.param("*/*", "application/json", '{"id"', id="anything"),
        pytest.param("text/csv", "text/csv", "", id="CSV"),
        pytest.param("text/markdown", "text/markdown", "", id="Markdown"),
        pytest.param("application/jsonl", "application/jsonl", '{"analysis"', id="JSON Lines"),
        pytest.param("application/ld+json", "application/ld+json", "{", id="Web Annotation"),
        pytest.param("text/html,application/json;q=0.9", "text/html", "<!DOCTYPE html>", id="a browser"),
    ],
)
def test_the_accept_header_chooses_the_form(accept, media_type, start):
    response = ask(accept)
    assert response.status_code == 200
    assert response.mimetype == media_type
    assert response.get_data(as_text=True).lower().startswith(start.lower())
    assert "Accept" in response.headers["Vary"]


def test_a_form_there_is_not_is_refused_before_the_model_is_asked():
    service = start_service(ScriptedModel())
    response = service.client.post("/analyze", data=TEXT, content_type="text/plain", headers={"Accept": "image/png"})
    assert (response.status_code, response.get_json()["code"]) == (406, "not-acceptable")
    assert response.mimetype == "application/problem+json"


def test_the_page_may_show_its_own_style_and_nothing_else():
    policy = ask("text/html").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert policy.endswith("frame-ancestors 'none'")
