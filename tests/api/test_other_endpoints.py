import io
import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import SetupError
from service.settings import Settings
from service.web.problems import PROBLEMS
from tests.api.conftest import PROMPTS, TEXT, NeverTired, problem, start_service
from tests.described import create_app
from tests.examples import examples
from tests.fakes import ScriptedModel, claim

PATHS = ["/healthz", "/readyz", "/prompts", "/problems", "/problems/not-found", "/nowhere", "/analyze"]


def test_the_process_says_that_it_is_alive(service):
    response = service.client.get("/healthz")
    assert (response.status_code, response.get_json()) == (200, {"status": "ok"})


def test_a_model_that_could_answer_makes_the_service_ready(service):
    response = service.client.get("/readyz")
    assert (response.status_code, response.get_json()) == (200, {"status": "ready"})


def test_a_model_that_could_not_answer_is_the_reason_why_not():
    service = start_service(ScriptedModel(not_ready="the model is being loaded"))
    response = service.client.get("/readyz")
    assert (response.status_code, response.get_json()) == (
        503,
        {"status": "not-ready", "reasons": ["the model is being loaded"]},
    )
    assert service.client.get("/healthz").status_code == 200


def test_the_prompts_are_listed_without_their_words(service):
    listed = service.client.get("/prompts").get_json()
    assert [entry["ref"] for entry in listed] == [prompt.ref for prompt in PROMPTS]
    active = PROMPTS.select(None, "extract_claims")
    assert listed[1] == {
        "ref": active.ref,
        "name": "extract_claims@2",
        "task": "extract_claims",
        "version": 2,
        "active": True,
        "sealed": True,
        "summary": "A prompt for tests.",
        "sha256": active.sha256,
        "output": {"name": "claim_list.v1", "sha256": "0" * 64},
    }


@pytest.mark.parametrize("path", ["/prompts", "/problems", "/problems/not-found"])
def test_what_rarely_changes_can_be_asked_for_again_at_no_cost(service, path):
    first = service.client.get(path)
    tag = first.headers["ETag"]
    assert tag.startswith('"')
    again = service.client.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.get_data()) == (304, b"")
    assert again.headers["ETag"] == tag
    assert again.headers["X-Request-Id"]
    assert service.client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    assert first.headers["Cache-Control"] != "no-store"


@pytest.mark.parametrize("path", PATHS[:5])
def test_head_answers_as_get_does_without_the_body(service, path):
    get, head = service.client.get(path), service.client.head(path)
    assert head.status_code == get.status_code
    assert head.get_data() == b""
    assert head.headers["Content-Length"] == str(len(get.get_data()))


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = []
        self.links = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.links += [value for name, value in attrs if name in {"href", "src"}]


def parsed(response):
    assert response.status_code == 200
    assert response.content_type == "text/html; charset=utf-8"
    tags = Tags()
    tags.feed(response.get_data(as_text=True))
    assert not {"script", "style", "link", "img", "form"} & set(tags.seen)
    return tags


@pytest.mark.parametrize("code", sorted(PROBLEMS))
def test_every_code_has_a_page_that_explains_it(service, code):
    response = service.client.get(f"/problems/{code}")
    parsed(response)
    page = response.get_data(as_text=True)
    assert f"<code>{code}</code>, HTTP status {PROBLEMS[code].status}" in page
    assert ("may succeed when it is sent again later" in page) is PROBLEMS[code].retryable


def test_the_page_of_all_errors_links_to_each(service):
    links = parsed(service.client.get("/problems")).links
    assert sorted(links) == sorted(f"/problems/{code}" for code in PROBLEMS)
    assert all(service.client.get(link).status_code == 200 for link in links)


def test_the_page_of_no_code_is_a_problem_report(service):
    problem(service.client.get("/problems/<script>"), 404, "not-found")


@pytest.mark.parametrize("path", PATHS)
def test_every_response_has_the_security_headers(service, path):
    headers = service.client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert ("no-store" in headers["Cache-Control"]) is (path in {"/healthz", "/readyz", "/nowhere", "/analyze"})


@pytest.mark.parametrize("path", PATHS)
def test_the_callers_request_id_is_used(service, path):
    response = service.client.get(path, headers={"X-Request-Id": "Desk-7_b.1"})
    assert response.headers["X-Request-Id"] == "Desk-7_b.1"


@pytest.mark.parametrize(
    "given_id",
    [
        pytest.param(None, id="none"),
        pytest.param("", id="empty"),
        pytest.param("x" * 129, id="long"),
        pytest.param("a b", id="space"),
        pytest.param("<script>", id="markup"),
        pytest.param("é", id="letter beyond ASCII"),
    ],
)
def test_an_id_not_fit_to_be_repeated_is_replaced_by_a_new_one(service, given_id):
    headers = {} if given_id is None else {"X-Request-Id": given_id}
    ids = {service.client.get("/healthz", headers=headers).headers["X-Request-Id"] for _ in range(2)}
    assert len(ids) == 2
    assert all(len(new) == 32 and new.isalnum() for new in ids)


def test_an_analysis_is_one_line_of_counts(log):
    model = ScriptedModel(json.dumps({"claims": [claim(1, "Prices rose by 5 percent"), claim(1, "Prices fell")]}))
    service = start_service(model)
    service.post({"article": {"text": TEXT, "language": "en", "title": TEXT}}, headers={"X-Request-Id": "r1"})
    (line,) = log()
    assert line.pop("timestamp")
    assert (len(line.pop("trace_id")), len(line.pop("span_id"))) == (32, 16)
    assert line == {
        "event": "request",
        "level": "info",
        "request_id": "r1",
        "method": "POST",
        "route": "/analyze",
        "status": 200,
        "duration_ms": 0,
        "prompt": PROMPTS.select("extract_claims@1", "extract_claims").ref,
        "model": "scripted-1",
        "calls": 1,
        "retries": 0,
        "input_tokens": 100,
        "cached_tokens": 40,
        "output_tokens": 20,
        "cache": "miss",
        "claims": 1,
        "warnings": [],
        "set_aside": {"quote_not_found": 1},
    }


def test_a_path_is_logged_as_its_rule_and_never_with_its_query(log, service):
    service.client.get("/problems/not-found?q=secret-words")
    service.client.get("/secret-words?q=secret-words")
    service.client.open("/healthz", method="SECRETWORDS")
    rule, unknown, method = log()
    assert rule["route"] == "/problems/<code>"
    assert (unknown["route"], unknown["code"], unknown["status"]) == (None, "not-found", 404)
    assert (method["method"], method["code"]) == ("other", "method-not-allowed")
    assert "secret" not in json.dumps([rule, unknown, method]).lower()


def test_a_refused_request_is_logged_by_its_code(log, service):
    service.post({"article": {"text": ""}, "secret": "words"})
    (line,) = log()
    assert (line["code"], line["status"], line["error"]) == ("invalid-request", 422, "InvalidRequestError")
    assert "secret" not in json.dumps(line)


def test_the_duration_is_that_of_the_whole_request(log):
    service = start_service(NeverTired())

    class Slow(io.BytesIO):
        def read(self, *size):
            service.clock.advance(0.75)
            return super().read(*size)

    service.client.post("/analyze", input_stream=Slow(b"words"), content_length=5, content_type="text/plain")
    assert log()[0]["duration_ms"] >= 750


def test_services_that_cannot_be_built_stop_the_application():
    with pytest.raises(SetupError):
        create_app(Settings(model="/nowhere/at/all.gguf"))


ANY_SERVICE = start_service(NeverTired())


@examples(150)
@given(
    st.sampled_from(["GET", "POST", "HEAD", "PUT", "OPTIONS"]),
    st.sampled_from([b"", b"/", b"//", b"/problems/", b"/prompts", b"/analyze", b"/healthz/"]),
    st.binary(max_size=20),
    st.binary(max_size=20),
)
def test_any_path_and_query_is_answered_without_failing(method, start, rest, query):
    environ = {"PATH_INFO": (start + rest).decode("latin-1"), "QUERY_STRING": query.decode("latin-1")}
    response = ANY_SERVICE.client.open(method=method, environ_overrides=environ)
    assert response.status_code < 500
    assert response.status_code < 300 or response.content_type == "application/problem+json"
