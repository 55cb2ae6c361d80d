"""Answers that are stored for their callers: an address nobody can guess, every form, and gone when they are deleted."""

import json
import re
from dataclasses import replace

import pytest
from flask import g, request
from redis import Redis

from service.access.caller import ALL_SCOPES, Caller
from service.export.formats import FORMATS
from service.history_errors import AnalysisNotFoundError, HistoryUnavailableError
from service.history_settings import HistorySettings
from service.pipeline.analyze import Services
from service.settings import Settings
from service.store.base import Shelf
from service.store.guarded import GuardedStore
from service.store.memory import MemoryStore
from service.store.redis import RedisStore
from service.store.sqlite import SqliteStore
from service.web.history import History, Stored
from service.wiring import build_services
from tests.api.conftest import PROMPTS, TEXT, NeverTired, Service, problem, start_service
from tests.api.test_caching import ASKED, REPLY, BrokenStore
from tests.described import create_app
from tests.events import ACCEPT, events_of
from tests.export_cases import CASES
from tests.fakes import FixedClock, ScriptedModel
from tests.redis_server import URL, fresh_prefix, need_redis

DAY_S = 86_400.0
LATIN, SCRIPTS = CASES["latin"], CASES["scripts"]
STORE = ASKED | {"options": {"store": True}}
SETTINGS = Settings(history=HistorySettings(history=True, history_ttl_s=DAY_S))


def start(store, *outcomes, clock=None):
    clock = clock or FixedClock()
    services = Services(ScriptedModel(*(outcomes or (REPLY,))), PROMPTS, clock, history=store)
    return Service(create_app(SETTINGS, services).test_client(), services.model, clock)


@pytest.fixture(params=["memory", "sqlite", pytest.param("redis", marks=pytest.mark.loopback)])
def store(request, tmp_path):
    prefix = fresh_prefix()
    if request.param == "memory":
        made = MemoryStore(1_000_000)
    elif request.param == "sqlite":
        made = SqliteStore(tmp_path / "answers.sqlite3", 1_000_000)
    else:
        made = RedisStore(need_redis(), prefix=prefix, wait_s=5)
    yield made
    made.close()
    if request.param == "redis":
        with Redis.from_url(URL) as client:
            for key in client.scan_iter(f"{prefix}:*"):
                client.delete(key)


def test_an_answer_that_is_to_be_stored_can_be_read_again_and_deleted(store):
    service = start(store)
    made = service.post(STORE)
    answer = made.get_json()
    assert made.status_code == 201
    assert made.headers["Location"] == answer["analysis_url"]
    assert re.fullmatch(r"/analyses/[A-Za-z0-9_-]{32}", answer["analysis_url"])
    read = service.client.get(answer["analysis_url"])
    assert read.status_code == 200
    assert read.headers["Cache-Control"] == "private, no-cache"
    assert read.get_json()["article"].pop("text") == TEXT
    assert {**read.get_json(), "article": 0} == {**answer, "article": 0}
    deleted = service.client.delete(answer["analysis_url"])
    assert (deleted.status_code, deleted.get_data()) == (204, b"")
    for method in ("GET", "HEAD", "DELETE"):
        assert service.client.open(answer["analysis_url"], method=method).status_code == 404
    problem(service.client.get(answer["analysis_url"]), 404, "analysis-not-found")


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_stored_answer_is_given_in_every_form(form):
    service = start(MemoryStore(1_000_000))
    headers = {"Accept": form.media_type}
    made = service.post(STORE, headers=headers)
    assert made.status_code == 201
    read = service.client.get(made.headers["Location"], headers=headers)
    assert (read.content_type, read.get_data()) == (made.content_type, made.get_data())
    assert read.headers.get("Content-Security-Policy") == made.headers.get("Content-Security-Policy")
    again = service.client.get(made.headers["Location"], headers=headers | {"If-None-Match": read.headers["ETag"]})
    assert (again.status_code, again.get_data()) == (304, b"")
    other = service.client.get(made.headers["Location"], headers={"If-None-Match": read.headers["ETag"]})
    assert other.status_code == 200


def test_a_stored_answer_is_refused_in_a_form_there_is_not():
    service = start(MemoryStore(1_000_000))
    path = service.post(STORE).headers["Location"]
    for accept in ("image/png", "text/event-stream"):
        refused = problem(service.client.get(path, headers={"Accept": accept}), 406, "not-acceptable")
        assert "event-stream" not in refused["detail"]


def test_a_stream_says_in_its_last_event_where_the_answer_is_stored():
    service = start(MemoryStore(1_000_000))
    response = service.post(STORE, headers=ACCEPT)
    assert response.status_code == 200
    done = events_of(response.get_data())[-1].data
    assert service.client.get(done["analysis_url"]).get_json()["claims"] == done["claims"]


def test_an_answer_that_is_not_to_be_stored_has_no_address():
    store = MemoryStore(1_000_000)
    response = start(store).post(ASKED)
    assert response.status_code == 200
    assert "analysis_url" not in response.get_json()
    assert "Location" not in response.headers


def test_a_stored_answer_is_gone_when_its_time_is_over():
    clock = FixedClock()
    service = start(MemoryStore(1_000_000, clock), clock=clock)
    path = service.post(STORE).headers["Location"]
    clock.advance(DAY_S - 1)
    assert service.client.get(path).status_code == 200
    clock.advance(2)
    problem(service.client.get(path), 404, "analysis-not-found")


def test_a_service_that_stores_nothing_says_so_before_any_work():
    service = start_service(ScriptedModel())
    document = problem(service.post(STORE), 422, "invalid-request")
    assert [fault["pointer"] for fault in document["errors"]] == ["/options/store"]
    problem(service.post(STORE, headers=ACCEPT), 422, "invalid-request")
    problem(service.client.get("/analyses/" + "a" * 32), 404, "analysis-not-found")
    assert service.post(ASKED | {"options": {"store": 1}}).status_code == 422


def test_a_request_cannot_ask_to_store_and_not_to_store():
    refused = start(MemoryStore(1_000_000)).post(STORE, headers={"Cache-Control": "no-store"})
    assert [fault["pointer"] for fault in problem(refused, 422, "invalid-request")["errors"]] == ["/options/store"]


@pytest.mark.parametrize("path", ["x", "a" * 31, "a" * 33, "a" * 32, "%00" * 32, "é" * 32, "../" * 10, "a" * 2_000])
def test_what_is_no_address_of_ours_is_not_found(path):
    client = start(MemoryStore(1_000_000)).client
    for method in ("GET", "DELETE"):
        assert client.open(f"/analyses/{path}", method=method).status_code in {404, 405}


def test_a_request_sent_again_with_its_key_gets_the_same_address():
    store = MemoryStore(1_000_000)
    services = Services(ScriptedModel(REPLY), PROMPTS, history=store, store=GuardedStore(store))
    client = create_app(SETTINGS, services).test_client()
    first, again = (client.post("/analyze", json=STORE, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert (again.status_code, again.headers["Location"]) == (201, first.headers["Location"])
    assert again.get_data() == first.get_data()


def test_an_answer_that_could_not_be_stored_is_given_all_the_same_and_says_so():
    for store in (BrokenStore(1_000_000), MemoryStore(100)):
        response = start(store).post(STORE)
        answer = response.get_json()
        assert response.status_code == 200
        assert "analysis_url" not in answer
        assert "Location" not in response.headers
        assert [warning["code"] for warning in answer["warnings"]] == ["not_stored"]
        assert answer["claims"]


def test_a_place_that_fails_is_not_an_analysis_that_is_gone():
    client = start(BrokenStore(1_000_000)).client
    for method in ("GET", "DELETE"):
        response = client.open("/analyses/" + "a" * 32, method=method)
        assert problem(response, 503, "history-unavailable")["retryable"]


def desk():
    return Caller("key:1", request.headers["X-Desk"], ALL_SCOPES)


def test_callers_that_are_told_apart_share_no_stored_analyses():
    service = start(MemoryStore(1_000_000), REPLY, REPLY)
    service.client.application.before_request(lambda: setattr(g, "caller", desk()))
    mine, theirs = {"X-Desk": "one"}, {"X-Desk": "two"}
    path = service.post(STORE, headers=mine).headers["Location"]
    for method in ("GET", "DELETE"):
        problem(service.client.open(path, method=method, headers=theirs), 404, "analysis-not-found")
    assert service.client.get(path, headers=mine).status_code == 200
    streamed = events_of(service.post(STORE, headers=theirs | ACCEPT).get_data())[-1].data["analysis_url"]
    assert service.client.get(streamed, headers=theirs).status_code == 200
    problem(service.client.get(streamed, headers=mine), 404, "analysis-not-found")


# The history itself.


@pytest.fixture
def history():
    return History(MemoryStore(1_000_000), DAY_S)


def test_what_one_tenant_stored_is_not_there_for_another(history):
    stored = Stored(LATIN)
    key = history.keep(stored, "desk")
    for tenant in ("", "other", "desk2"):
        with pytest.raises(AnalysisNotFoundError):
            history.find(key, tenant)
        with pytest.raises(AnalysisNotFoundError):
            history.remove(key, tenant)
    assert history.find(key, "desk") == stored


def test_the_same_answer_stored_twice_has_two_addresses_of_192_bits(history):
    keys = {history.keep(Stored(LATIN)) for _ in range(20)}
    assert len(keys) == 20
    assert {len(key) * 6 for key in keys} == {192}


class Places(MemoryStore):
    """Remembers the names of its places."""

    def __init__(self):
        super().__init__(1_000_000)
        self.names = []

    def put(self, shelf, key, text, ttl_s):
        self.names.append((shelf, key, text))
        super().put(shelf, key, text, ttl_s)


def test_the_names_in_the_store_do_not_tell_the_address():
    store = Places()
    key = History(store, DAY_S).keep(Stored(LATIN))
    ((shelf, place, text),) = store.names
    assert shelf == Shelf.HISTORY
    assert key not in place + text


def rewritten(change):
    store = Places()
    history = History(store, DAY_S)
    key = history.keep(Stored(SCRIPTS))
    (_, place, text) = store.names[0]
    document = json.loads(text)
    change(document)
    store.put(Shelf.HISTORY, place, json.dumps(document), DAY_S)
    return history, key


def test_what_an_earlier_version_stored_without_later_fields_is_read():
    def without_later_fields(document):
        del document["origin"], document["analysis"]["memory"], document["analysis"]["changes"]

    history, key = rewritten(without_later_fields)
    assert history.find(key).analysis == replace(SCRIPTS, memory=None, changes=None)


def test_what_cannot_be_read_is_told_to_be_of_another_version():
    history, key = rewritten(lambda document: document["analysis"].pop("claims"))
    with pytest.raises(AnalysisNotFoundError, match="another version"):
        history.find(key)


def test_a_place_that_forgets_at_once_stores_nothing():
    with pytest.raises(HistoryUnavailableError):
        History(MemoryStore(10), DAY_S).keep(Stored(LATIN))


def test_the_service_as_it_is_shipped_stores_where_it_keeps_answers(tmp_path):
    settings = Settings(
        base_url="http://127.0.0.1:9/v1", cache_file=tmp_path / "answers.sqlite3", history=HistorySettings(history=True)
    )
    services = build_services(settings)
    key = History(services.history, DAY_S).keep(Stored(LATIN))
    services.close()
    again = build_services(settings)
    assert History(again.history, DAY_S).find(key).analysis == LATIN
    again.close()
    without = build_services(Settings(base_url="http://127.0.0.1:9/v1"))
    with pytest.raises(HistoryUnavailableError):
        History(without.history, DAY_S).keep(Stored(LATIN))
    without.close()


def test_nothing_of_a_stored_analysis_is_logged(log):
    service = start(MemoryStore(1_000_000))
    path = service.post(STORE).headers["Location"]
    service.client.get(path)
    service.client.delete(path)
    told = json.dumps(log())
    assert path.removeprefix("/analyses/") not in told
    assert "Prices" not in told


def test_a_model_is_not_asked_for_what_is_stored(service):
    assert isinstance(service.model, NeverTired)
    service.client.get("/analyses/" + "a" * 32)
    assert not service.model.calls
