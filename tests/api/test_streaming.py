"""An answer as events, through the API: the same work and the same answer, told while it is made."""

import json
from collections import Counter
from contextlib import closing
from dataclasses import replace
from threading import Event as Signal

import pytest

from service.errors import ModelRefusedError, ModelTruncatedError, ModelUnavailableError
from service.pipeline.analyze import Fallback, Services
from service.pipeline.gate import Gate
from service.pipeline.schedule import Limits, Schedule
from service.prompt_files import find_prompts, load_prompts
from service.settings import Settings
from service.store.memory import MemoryStore
from service.web.openapi.check import AnswerCheck
from tests.api.conftest import NO_CLAIMS, PROMPTS, TEXT, NeverTired, problem, start_service
from tests.api.test_caching import ASKED, PATIENCE_S, REPLY, start
from tests.api.test_long_articles import ReadingModel
from tests.described import create_app
from tests.events import ACCEPT, TYPE, comments_of, events_of
from tests.fakes import TRAITS, ScriptedModel

LIBRARY = load_prompts(find_prompts())
FIVE = " ".join(
    f"Minister number {number} told the house that bridge {number} cost {number * 3} million." for number in range(1, 61)
)
SHORT_PASSAGES = replace(TRAITS, passage_chars=len(FIVE) // 5)
CLAIM, PROGRESS = AnswerCheck("Claim"), AnswerCheck("Progress")


def reading_model(fail_on=None):
    model = ReadingModel(fail_on)
    model.traits = SHORT_PASSAGES
    return model


def client_of(model, *, fallbacks=(), **settings):
    services = Services(model, LIBRARY, fallbacks=fallbacks, schedule=Schedule(Limits(calls=2)))
    return create_app(Settings(**settings), services).test_client()


def ask(client, text=FIVE, *, options=None, **headers):
    body = {"article": {"text": text}, "prompt": "extract_claims@1", "options": options or {}}
    return client.post("/analyze", json=body, headers=headers or ACCEPT)


def stream(client, text=FIVE, **options):
    """The events of a stream that is sound in every way it can be looked at."""
    response = ask(client, text, options=options)
    assert response.status_code == 200
    assert response.content_type == TYPE
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Accel-Buffering"] == "no"
    assert response.headers["Vary"] == "Accept"
    events = events_of(response.get_data())
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert [event.name for event in events if event.name in {"done", "problem"}] == [events[-1].name]
    for event in events:
        if event.name in {"claim", "progress"}:
            assert (CLAIM if event.name == "claim" else PROGRESS).fault(event.data) is None
    return events


def told(events, name):
    return [event.data for event in events if event.name == name]


def test_each_passage_is_told_as_it_is_read_and_the_last_event_is_the_answer_in_json():
    events = stream(client_of(reading_model()))
    progress, claims, (done,) = told(events, "progress"), told(events, "claim"), told(events, "done")
    assert events[0].data == {"passages": 5, "read": 0, "failed": 0, "claims": 0, "step": "reading"}
    assert [(one["read"], one["claims"], one["step"]) for one in progress] == [
        *((read, read, "reading") for read in range(6)),
        (5, 5, "merging"),
    ]
    assert [event.name for event in events] == ["progress", *["claim", "progress"] * 5, "progress", "done"]
    plain = ask(client_of(reading_model()), Accept="application/json").get_json()
    assert {**done, "usage": {}, "seal": ""} == {**plain, "usage": {}, "seal": ""}
    assert sorted(json.dumps(claim) for claim in claims) == sorted(json.dumps(claim) for claim in done["claims"])
    assert done["seal"]


def test_a_passage_that_failed_is_told_and_the_answer_says_that_it_is_a_part():
    events = stream(client_of(reading_model(fail_on="bridge 30 cost")), allow_partial=True)
    assert told(events, "progress")[-1] == {"passages": 5, "read": 4, "failed": 1, "claims": 4, "step": "merging"}
    assert told(events, "done")[0]["status"] == "partial"


def test_a_passage_that_failed_where_no_part_is_allowed_ends_in_a_problem_and_no_answer():
    events = stream(client_of(reading_model(fail_on="bridge 30 cost")))
    document = events[-1].data
    assert (events[-1].name, document["code"], document["status"]) == ("problem", "upstream-unavailable", 502)
    assert document["passage"]["end"] <= len(FIVE)
    assert not told(events, "done")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        pytest.param(ModelTruncatedError("cut"), "upstream-truncated", id="cut off"),
        pytest.param(ModelRefusedError("no"), "model-refused", id="refused"),
        pytest.param(ModelUnavailableError("down"), "upstream-unavailable", id="down"),
    ],
)
def test_a_model_that_fails_is_a_problem_event_and_in_the_log(error, code, log):
    events = stream(client_of(ScriptedModel(error)), TEXT)
    assert [event.name for event in events] == ["progress", "problem"]
    assert events[-1].data["code"] == code
    (line,) = [line for line in log() if line["event"] == "request"]
    assert (line["status"], line["code"], line["request_id"]) == (200, code, events[-1].data["request_id"])
    assert line["trace_id"]


def test_a_failure_nobody_expected_is_a_problem_event_without_its_words(log):
    events = stream(client_of(ScriptedModel(RuntimeError("secret words"))), TEXT)
    assert events[-1].data["code"] == "internal-error"
    assert "secret" not in json.dumps([log(), events[-1].data])


def test_what_is_wrong_with_the_request_is_a_plain_report():
    service = start_service(NeverTired(), max_request_bytes=400)
    problem(service.post("{", headers=ACCEPT), 400, "invalid-json")
    problem(service.post({"article": {}}, headers=ACCEPT), 422, "invalid-request")
    problem(service.post({"article": {"text": "x" * 500}}, headers=ACCEPT), 413, "body-too-large")
    problem(service.post({"article": {"text": TEXT}, "prompt": "none@1"}, headers=ACCEPT), 422, "unknown-prompt")
    problem(service.post(TEXT, content_type="image/png", headers=ACCEPT), 415, "unsupported-media-type")
    refused = problem(service.post({"article": {"text": TEXT}}, headers={"Accept": "image/png"}), 406, "not-acceptable")
    assert TYPE in refused["detail"]


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        pytest.param("text/event-stream", TYPE, id="asked for"),
        pytest.param("text/event-stream, application/json;q=0.5", TYPE, id="preferred"),
        pytest.param("application/json, text/event-stream", "application/json", id="named second"),
        pytest.param("*/*", "application/json", id="anything"),
        pytest.param("text/*", "text/html; charset=utf-8", id="any text"),
        pytest.param("text/event-stream;q=0, */*", "application/json", id="anything but"),
    ],
)
def test_events_come_only_where_they_are_what_is_wanted_most(service, accept, given):
    assert service.post({"article": {"text": TEXT}}, headers={"Accept": accept}).content_type == given


def test_a_request_that_gets_no_place_at_the_model_is_told_with_its_own_status():
    busy, free = Signal(), Signal()

    class Slow(NeverTired):
        def complete(self, call, deadline):
            busy.set()
            assert free.wait(PATIENCE_S)
            return super().complete(call, deadline)

    with closing(Schedule(Limits(calls=1, patience_s=0.01))) as schedule:
        client = create_app(Settings(), Services(Slow(), PROMPTS, schedule=schedule)).test_client()
        first = client.post("/analyze", data=TEXT, content_type="text/plain", headers=ACCEPT, buffered=False)
        busy.wait(PATIENCE_S)
        refused = client.post("/analyze", data=TEXT + "!", content_type="text/plain", headers=ACCEPT)
        problem(refused, 503, "overloaded")
        assert refused.headers["Retry-After"] == "1"
        free.set()
        assert events_of(first.get_data())[-1].name == "done"
