"""An answer as events, through the API: the same work and the same answer, told while it is made."""

import json
from collections import Counter
from contextlib import closing
from dataclasses import replace
from threading import Event as Signal

import pytest

from service.app import create_app as unread_app
from service.errors import ModelRefusedError, ModelTruncatedError, ModelUnavailableError
from service.pipeline.analyze import Fallback, Services
from service.pipeline.gate import Gate
from service.pipeline.schedule import Limits, Schedule
from service.prompt_files import find_prompts, load_prompts
from service.settings import Settings
from service.web.openapi.check import AnswerCheck
from tests.api.conftest import PROMPTS, TEXT, NeverTired, problem, start_service
from tests.api.test_caching import ASKED, PATIENCE_S, REPLY, start
from tests.api.test_long_articles import ReadingModel
from tests.described import create_app
from tests.events import ACCEPT, TYPE, events_of
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
        client = unread_app(Settings(), Services(Slow(), PROMPTS, schedule=schedule)).test_client()
        first = client.post("/analyze", data=TEXT, content_type="text/plain", headers=ACCEPT)
        assert busy.wait(PATIENCE_S)
        refused = client.post("/analyze", data=TEXT + "!", content_type="text/plain", headers=ACCEPT)
        problem(refused, 503, "overloaded")
        assert refused.headers["Retry-After"] == "1"
        free.set()
        assert events_of(first.get_data())[-1].name == "done"


def test_a_stream_keeps_its_place_until_it_has_ended_also_when_it_is_not_read_to_its_end(log):
    model, gate = NeverTired(), Gate(5)
    client = unread_app(Settings(), Services(model, PROMPTS, gate=gate)).test_client()
    for number, read_on in enumerate((True, False)):
        response = client.post("/analyze", data=TEXT, content_type="text/plain", headers=ACCEPT)
        assert gate.inside == 1
        assert lines_of(log, "request") == number
        if read_on:
            assert events_of(b"".join(response.response))[-1].name == "done"
        response.close()
        assert gate.inside == 0
        assert lines_of(log, "request") == number + 1


def lines_of(log, event):
    return sum(line["event"] == event for line in log())


class Waiting(ScriptedModel):
    """Waits, the first time, until its client has left."""

    def __init__(self, *outcomes):
        super().__init__(*outcomes)
        self.begun = Signal()

    def complete(self, call, deadline):
        if not self.begun.is_set():
            self.begun.set()
            deadline.pause(PATIENCE_S)
        return super().complete(call, deadline)


def test_a_stream_that_is_closed_ends_the_work():
    model, gate = Waiting(), Gate(5)
    client = unread_app(Settings(), Services(model, PROMPTS, gate=gate)).test_client()
    response = client.post("/analyze", data=TEXT, content_type="text/plain", headers=ACCEPT)
    assert model.begun.wait(PATIENCE_S)
    response.close()
    assert gate.inside == 0


def test_an_answer_that_was_kept_is_progress_and_then_the_answer():
    service = start(ScriptedModel(REPLY))
    made = events_of(service.post(ASKED, headers=ACCEPT).get_data())
    kept = events_of(service.post(ASKED, headers=ACCEPT).get_data())
    assert [event.name for event in made] == ["progress", "claim", "progress", "progress", "done"]
    assert [event.name for event in kept] == ["progress", "done"]
    assert kept[0].data == {"passages": 1, "read": 1, "failed": 0, "claims": 1, "step": "merging"}
    assert (kept[1].data["usage"]["cache"], kept[1].data["claims"]) == ("hit", made[-1].data["claims"])
    assert service.post(ASKED).get_json()["usage"]["cache"] == "hit"


def test_where_another_model_takes_over_the_progress_begins_anew():
    model, other = reading_model(fail_on="bridge 60 cost"), reading_model()
    events = stream(client_of(model, fallbacks=(Fallback(other),)))
    beginnings = [event.id for event in events if event.name == "progress" and event.data["read"] == 0]
    assert len(beginnings) == 2
    counts = Counter(event.name for event in events if event.id > beginnings[1])
    assert counts["claim"] == len(told(events, "done")[0]["claims"]) == 5
    assert [caveat["code"] for caveat in told(events, "done")[0]["warnings"]] == ["fallback_model"]


def test_claims_that_are_not_worth_it_are_neither_told_nor_answered():
    events = stream(client_of(reading_model()), min_check_worthiness=0.9)
    assert not told(events, "claim")
    assert told(events, "done")[0]["claims"] == []
    assert told(events, "progress")[-1]["claims"] == 0


HARD = 'A 🚁 fell at 5 o’clock.\r\nقال الوزير إن الجسر كلف 40 مليونًا.\u2028The “end”: \\ and "quotes".'


def test_any_character_goes_through():
    sentence = '{"sentence": 2, "quote": "قال الوزير إن الجسر كلف 40 مليونًا", "text": "", "claimant": null, "stances": [], '
    reply = f'{{"claims": [{sentence}"article": "supports", "kind": "event", "worth": 0.5, "why": "🚁\\r\\nevent: done"}}]}}'
    events = stream(client_of(ScriptedModel(reply)), HARD, return_text=True)
    (claim,), (done,) = told(events, "claim"), told(events, "done")
    assert done["article"]["text"] == HARD
    assert done["claims"] == [claim]
    quote = claim["quote"]
    assert HARD[quote["start"] : quote["end"]] == quote["text"]
    utf16 = HARD.encode("utf-16-le")
    assert utf16[2 * quote["start_utf16"] : 2 * quote["end_utf16"]].decode("utf-16-le") == quote["text"]


KEY = ACCEPT | {"Idempotency-Key": "desk-7", "Cache-Control": "no-cache"}


def test_a_request_sent_again_with_its_key_gets_the_end_of_the_first_ones_stream():
    service = start(ScriptedModel(REPLY))
    first = events_of(service.post(ASKED, headers=KEY).get_data())
    again = service.post(ASKED, headers=KEY)
    assert (again.content_type, again.headers["Idempotent-Replayed"]) == (TYPE, "true")
    replayed = events_of(again.get_data())
    assert [(event.id, event.name) for event in replayed] == [(1, "progress"), (2, "done")]
    assert replayed[-1].data == first[-1].data
    problem(service.post(ASKED, headers=KEY | {"Accept": "*/*"}), 422, "idempotency-key-reused")


@pytest.mark.parametrize(
    ("error", "names"),
    [
        pytest.param(ModelRefusedError("no"), ["problem"], id="a failure that stays"),
        pytest.param(
            ModelUnavailableError("down"), ["progress", "claim", "progress", "progress", "done"], id="one that may not"
        ),
    ],
)
def test_a_problem_is_saved_for_its_key_where_it_would_be_the_same_again(error, names):
    service = start(ScriptedModel(error, REPLY))
    assert events_of(service.post(ASKED, headers=KEY).get_data())[-1].name == "problem"
    assert [event.name for event in events_of(service.post(ASKED, headers=KEY).get_data())] == names


def test_a_key_is_free_again_when_its_client_left():
    service = start(Waiting(REPLY))
    client = unread_app(Settings(), service.client.application.extensions["factcheck"]).test_client()
    client.post("/analyze", json=ASKED, headers=KEY).close()
    assert [event.name for event in events_of(service.post(ASKED, headers=KEY).get_data())][-1] == "done"
