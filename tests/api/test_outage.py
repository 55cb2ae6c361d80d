"""The whole service over endpoints that fail: what is asked of them, and what a caller is told."""

import json
import os
from contextlib import contextmanager

import pytest

from service.llm.breaker import LEAST_CALLS
from service.llm.catalogue import load
from service.settings import Settings
from service.wiring import build_services
from tests.api.conftest import TEXT, problem
from tests.described import create_app
from tests.model_double import Answer, ModelDouble, Modes, completion, error_answer, json_answer

pytestmark = pytest.mark.loopback

NO_FORMAT = error_answer(400, "invalid_request_error", "response_format json_schema is not supported")
GARBAGE = json_answer(completion("I found no claims, sorry."))


@contextmanager
def serving(double, **settings):
    services = build_services(Settings(base_url=double.base_url, model="first", **settings))
    try:
        yield create_app(Settings(), services).test_client()
    finally:
        services.close()


def once_and_never_again():
    """Answers the first call, and none after it."""
    turns = iter([Modes()])

    def reply(call):
        return next(turns, Modes("500"))(call)

    return reply


def post(client, text=TEXT):
    return client.post("/analyze", json={"article": {"text": text}})


def test_a_dead_endpoint_is_left_alone_and_the_caller_told_for_how_long():
    with ModelDouble(Modes("500")) as double, serving(double, attempts=1) as client:
        for _ in range(LEAST_CALLS):
            problem(post(client), 502, "upstream-unavailable")
        for _ in range(20):
            response = post(client)
            assert problem(response, 503, "upstream-paused")["retryable"]
            assert 1 <= int(response.headers["Retry-After"]) <= 5
        assert len(double.calls) == LEAST_CALLS


def test_an_outage_is_shown_and_fails_neither_liveness_nor_readiness():
    with ModelDouble(Modes("500")) as double, serving(double, attempts=1) as client:
        (before,) = client.get("/readyz").get_json()["models"]
        for _ in range(LEAST_CALLS):
            post(client)
        ready = client.get("/readyz")
        alive = client.get("/healthz")
    assert before == {
        "model": "first",
        "endpoint": "127.0.0.1",
        "circuit": "closed",
        "calls": 0,
        "failures": 0,
        "openings": 0,
        "retry_tokens": 3.0,
    }
    (after,) = ready.get_json()["models"]
    assert (ready.status_code, alive.status_code) == (200, 200)
    assert (after["circuit"], after["reason"], after["openings"]) == ("open", "upstream-unavailable", 1)
    assert 0 < after["probe_in_s"] <= 5


def test_an_outage_is_logged_once(log):
    with ModelDouble(Modes("500")) as double, serving(double, attempts=1) as client:
        for _ in range(LEAST_CALLS + 5):
            post(client)
    (line,) = [line for line in log() if line["event"] == "circuit breaker"]
    assert (line["level"], line["status"], line["reason"]) == ("warning", "open", "upstream-unavailable")
    assert (line["model"], line["endpoint"]) == ("first", "127.0.0.1")


def test_an_endpoint_that_asks_for_an_hour_is_asked_once():
    answers = [error_answer(429, "rate_limit_exceeded", headers={"retry-after": "3600"})]
    with ModelDouble(answers) as double, serving(double) as client:
        first, second = post(client), post(client)
    problem(first, 503, "upstream-busy")
    assert first.headers["Retry-After"] == "3600"
    problem(second, 503, "upstream-paused")
    assert second.headers["Retry-After"] == "300"


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        pytest.param([error_answer(503, "down")] * 3, "upstream-unavailable", id="three failures"),
        pytest.param([NO_FORMAT, GARBAGE, GARBAGE], "upstream-schema", id="another format, then the repair round"),
        pytest.param(
            [error_answer(503, "down"), NO_FORMAT, GARBAGE], "upstream-schema", id="no call left for the repair round"
        ),
        pytest.param([GARBAGE, error_answer(503, "down"), GARBAGE], "upstream-schema", id="a failure within the repair round"),
        pytest.param([GARBAGE, error_answer(503, "down"), error_answer(503, "down")], "upstream-unavailable", id="never right"),
        pytest.param([Answer(b"{")] * 3, "upstream-invalid-response", id="half a completion"),
    ],
)
def test_a_passage_never_takes_more_than_three_calls(answers, code):
    """The double fails the test when it is asked once more."""
    with ModelDouble(answers) as double, serving(double) as client:
        problem(post(client), 502, code)
        assert len(double.calls) == 3


def test_an_exhausted_account_is_asked_once_and_the_next_model_answers():
    quota = error_answer(429, "insufficient_quota")
    with ModelDouble([quota]) as first, ModelDouble(Modes()) as second:
        told = {"fallback": ("1",), "fallback_1_base_url": second.base_url, "fallback_1_model": "second"}
        with serving(first, **told, fallback_1_api_key="sk-other") as client:
            answer = post(client).get_json()
    assert (answer["status"], answer["warnings"][0]["code"]) == ("complete", "fallback_model")
    assert answer["provenance"]["model"]["asked"] == "second"
    assert answer["claims"]
    assert answer["usage"]["calls"] == 2
    assert second.calls[0].headers["authorization"] == "Bearer sk-other"
    assert "sk-other" not in json.dumps(answer)


@pytest.mark.parametrize(
    ("mode", "status", "code"),
    [
        pytest.param("refuse", 422, "model-refused", id="refusal"),
        pytest.param("length", 502, "upstream-truncated", id="cut off"),
    ],
)
def test_no_fallback_is_asked_about_what_the_model_made_of_the_article(mode, status, code):
    with ModelDouble(Modes(mode)) as first, ModelDouble([]) as second:
        told = {"fallback": ("1",), "fallback_1_base_url": second.base_url, "fallback_1_model": "second"}
        with serving(first, attempts=1, **told) as client:
            problem(post(client), status, code)


def test_a_paused_model_gives_way_without_being_asked():
    with ModelDouble(Modes("500")) as first, ModelDouble(Modes()) as second:
        told = {"fallback": ("1",), "fallback_1_base_url": second.base_url, "fallback_1_model": "second"}
        with serving(first, attempts=1, **told) as client:
            answers = [post(client).get_json() for _ in range(LEAST_CALLS + 5)]
        assert len(first.calls) == LEAST_CALLS
    assert {answer["provenance"]["model"]["asked"] for answer in answers} == {"second"}
    assert "(upstream-paused)" in answers[-1]["warnings"][0]["detail"]


@pytest.fixture
def false_weights(tmp_path):
    """A folder with a file of the default model's name and size that was once found right, and is no model any more."""
    catalogue = load()
    entry = catalogue.entries[catalogue.default]
    weights = tmp_path / entry.file
    weights.write_bytes(b"GGUF")
    os.truncate(weights, entry.size_bytes)
    noted = {"size": entry.size_bytes, "mtime_ns": weights.stat().st_mtime_ns, "sha256": entry.sha256}
    weights.with_name(f"{weights.name}.verified").write_text(json.dumps(noted), encoding="utf-8")
    return tmp_path


def test_a_stand_in_that_does_not_start_leaves_the_service_as_it_would_be_without(false_weights):
    with (
        ModelDouble([json_answer(completion('{"sources": [], "claims": []}')), error_answer(401, "invalid_api_key")]) as double,
        serving(double, fallback=("embedded",), model_dir=false_weights) as client,
    ):
        assert client.get("/readyz").status_code == 200
        assert post(client).get_json()["status"] == "complete"
        # The engine is needed only where a prompt asks it something; drafted claims would be answered without it.
        asked = {"article": {"text": f"{TEXT} It is not known why."}, "prompt": "extract_claims@2"}
        problem(client.post("/analyze", json=asked), 503, "upstream-misconfigured")
        assert client.get("/readyz").status_code == 200


def test_what_the_first_model_said_of_an_earlier_version_is_not_taken_for_the_fallback_s():
    with ModelDouble(once_and_never_again()) as first, ModelDouble(Modes()) as second:
        told = {"fallback": ("1",), "fallback_1_base_url": second.base_url, "fallback_1_model": "second"}
        with serving(first, attempts=1, **told) as client:
            earlier = post(client).get_json()
            edited = {"article": {"text": TEXT.replace("May", "June")}, "previous": {"seal": earlier["seal"]}}
            later = client.post("/analyze", json=edited).get_json()
    assert [warning["code"] for warning in later["warnings"]] == ["fallback_model", "previous_not_reused"]
    assert len(second.calls) == 1
