import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from service.errors import (
    DeadlineExceededError,
    ModelBusyError,
    ModelMisconfiguredError,
    ModelRefusedError,
    ModelUnavailableError,
)
from service.store.base import Shelf
from service.store.guarded import GuardedStore
from service.store.memory import MemoryStore
from service.store.redis import RedisStore
from service.store.sqlite import SqliteStore
from service.web.asking import MAX_KEY_CHARS, key_fault, key_of
from service.web.idempotency import KEPT_S
from tests.api.conftest import TEXT, problem
from tests.api.test_caching import ASKED, PATIENCE_S, REPLY, BrokenStore, SlowModel, answer, start
from tests.examples import examples
from tests.fakes import FixedClock, ScriptedModel
from tests.redis_server import URL, fresh_prefix, need_redis

KEY = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}
NOTHING = '{"claims": []}'
FRESH = KEY | {"Cache-Control": "no-cache"}


@pytest.fixture(params=["memory", "sqlite", pytest.param("redis", marks=pytest.mark.loopback)])
def store(request, tmp_path):
    prefix = fresh_prefix()
    if request.param == "memory":
        made = MemoryStore(1_000_000)
    elif request.param == "sqlite":
        made = SqliteStore(tmp_path / "answers.sqlite3", 1_000_000)
    else:
        made = RedisStore(need_redis(), prefix=prefix, wait_s=5)
    yield GuardedStore(made)
    made.close()
    if request.param == "redis":
        with Redis.from_url(URL) as client:
            for key in client.scan_iter(f"{prefix}:*"):
                client.delete(key)


def test_a_request_sent_again_gets_the_saved_answer_byte_for_byte(store):
    service = start(ScriptedModel(REPLY), store)
    first = service.post(ASKED, headers=FRESH)
    again = service.post(ASKED, headers=FRESH)
    assert first.status_code == again.status_code == 200
    assert again.get_data() == first.get_data()
    assert again.content_type == first.content_type
    assert again.headers["Vary"] == first.headers["Vary"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["X-Request-Id"] != first.headers["X-Request-Id"]
    assert again.headers["Cache-Control"] == "no-store"
    assert len(service.model.calls) == 1


def test_an_answer_in_another_form_is_saved_as_it_was(store):
    service = start(ScriptedModel(REPLY), store)
    headers = KEY | {"Accept": "text/html"}
    first = service.post(ASKED, headers=headers)
    again = service.post(ASKED, headers=headers)
    assert again.get_data() == first.get_data()
    assert again.content_type == first.content_type == "text/html; charset=utf-8"
    assert again.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("document", "headers"),
    [
        pytest.param({"article": {"text": TEXT}}, {}, id="another article"),
        pytest.param(ASKED | {"options": {"max_claims": 3}}, {}, id="other options"),
        pytest.param(ASKED, {"Accept": "text/csv"}, id="another form"),
    ],
)
def test_a_key_of_another_request_is_refused(store, document, headers):
    service = start(ScriptedModel(REPLY), store)
    service.post(ASKED, headers=KEY)
    problem(service.post(document, headers=KEY | headers), 422, "idempotency-key-reused")
    assert service.post(ASKED, headers=KEY).headers["Idempotent-Replayed"] == "true"


def test_the_same_request_with_more_time_or_other_spaces_is_the_same(store):
    service = start(ScriptedModel(REPLY), store)
    service.post(ASKED, headers=KEY)
    again = service.post(json.dumps(ASKED | {"options": {"deadline_s": 9}}, indent=3), headers=KEY)
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_request_still_being_answered_is_told_so(store):
    service = start(SlowModel(), store)
    with ThreadPoolExecutor(1) as pool:
        post = service.client.application.test_client().post
        first = pool.submit(post, "/analyze", json=ASKED, headers=KEY)
        assert service.model.begun.wait(PATIENCE_S)
        second = service.post(ASKED, headers=KEY)
        assert problem(second, 409, "idempotency-key-in-use")["retryable"]
        assert second.headers["Retry-After"] == "1"
        problem(service.post({"article": {"text": TEXT}}, headers=KEY), 422, "idempotency-key-reused")
        service.model.go.set()
        assert first.result().status_code == 200
    assert service.post(ASKED, headers=KEY).headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        pytest.param(ModelBusyError("busy"), 503, "upstream-busy", id="503"),
        pytest.param(ModelMisconfiguredError("key"), 503, "upstream-misconfigured", id="503 for good"),
        pytest.param(DeadlineExceededError("late"), 504, "deadline-exceeded", id="504"),
        pytest.param(ModelUnavailableError("gone"), 502, "upstream-unavailable", id="502 that may pass"),
    ],
)
def test_a_failure_that_may_pass_is_not_saved(store, error, status, code):
    service = start(ScriptedModel(error, REPLY), store)
    problem(service.post(ASKED, headers=KEY), status, code)
    assert "Idempotent-Replayed" not in service.post(ASKED, headers=KEY).headers
    assert service.post(ASKED, headers=KEY).headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        pytest.param(ModelRefusedError("no"), 422, "model-refused", id="refused"),
        pytest.param(KeyError("a bug"), 500, "internal-error", id="our own"),
    ],
)
def test_a_failure_that_would_come_again_is_saved(store, error, status, code):
    service = start(ScriptedModel(error), store)
    first = problem(service.post(ASKED, headers=KEY), status, code)
    again = service.post(ASKED, headers=KEY)
    assert (again.status_code, again.content_type) == (status, "application/problem+json")
    assert json.loads(again.get_data()) == first
    assert again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    ("document", "code"),
    [
        pytest.param({"article": {}}, "invalid-request", id="no text"),
        pytest.param(ASKED | {"prompt": "nonsense@9"}, "unknown-prompt", id="no such prompt"),
    ],
)
def test_a_request_that_cannot_be_taken_does_not_use_up_its_key(store, document, code):
    service = start(ScriptedModel(REPLY), store)
    problem(service.post(document, headers=KEY), 422, code)
    assert answer(service.post(ASKED, headers=KEY))["usage"]["cache"] == "miss"


def test_saved_answers_survive_a_restart(tmp_path):
    for replayed in (None, "true"):
        file = SqliteStore(tmp_path / "answers.sqlite3", 1_000_000)
        service = start(ScriptedModel(*([] if replayed else [REPLY])), GuardedStore(file), ttl_s=0)
        assert service.post(ASKED, headers=KEY).headers.get("Idempotent-Replayed") == replayed
        file.close()


def test_a_saved_answer_is_kept_for_a_day():
    clock = FixedClock()
    service = start(ScriptedModel(REPLY, REPLY), MemoryStore(1_000_000, clock), ttl_s=0)
    service.post(ASKED, headers=KEY)
    clock.advance(KEPT_S - 1)
    assert "Idempotent-Replayed" in service.post(ASKED, headers=KEY).headers
    clock.advance(1)
    assert "Idempotent-Replayed" not in service.post(ASKED, headers=KEY).headers
    assert KEPT_S >= 24 * 3600


def test_the_key_of_a_process_that_died_is_free_once_its_time_is_over():
    clock = FixedClock()
    store = MemoryStore(1_000_000, clock)
    service = start(SlowModel(), store)
    with ThreadPoolExecutor(1) as pool:
        post = service.client.application.test_client().post
        dead = pool.submit(post, "/analyze", json=ASKED, headers=KEY | {"Request-Timeout": "20"})
        assert service.model.begun.wait(PATIENCE_S)
        restarted = start(ScriptedModel(REPLY), store)
        problem(restarted.post(ASKED, headers=KEY), 409, "idempotency-key-in-use")
        clock.advance(26)
        assert answer(restarted.post(ASKED, headers=KEY))["usage"]["cache"] == "miss"
        saved = restarted.post(ASKED, headers=KEY)
        service.model.go.set()
        dead.result()
    assert restarted.post(ASKED, headers=KEY).get_data() == saved.get_data()


def test_where_nothing_can_be_saved_the_work_is_done_again():
    service = start(ScriptedModel(REPLY, REPLY), GuardedStore(BrokenStore(1)))
    for _ in range(2):
        response = service.post(ASKED, headers=KEY)
        assert answer(response)["usage"]["cache"] == "miss"
        assert "Idempotent-Replayed" not in response.headers


def test_a_record_of_another_format_does_not_stand_in_the_way():
    store = MemoryStore(1_000_000)
    service = start(ScriptedModel(REPLY, NOTHING), store, ttl_s=0)
    service.post(ASKED, headers=KEY)
    (place,) = store._shelves[Shelf.REPLIES].by_key  # noqa: SLF001 - the key is a hash that only the store knows
    store.put(Shelf.REPLIES, place, '{"an": "older format"}', 60)
    assert answer(service.post(ASKED, headers=KEY))["claims"] == []
    assert "8e03978e" not in place


def test_without_a_key_nothing_is_saved():
    service = start(ScriptedModel(REPLY, NOTHING), ttl_s=0)
    service.post(ASKED)
    assert answer(service.post(ASKED))["claims"] == []


@pytest.mark.parametrize(
    "key", ["", '""', "x" * (MAX_KEY_CHARS + 1), "caf\xe9", "a\tb"], ids=["empty", "quotes", "long", "é", "tab"]
)
def test_a_key_that_cannot_be_taken_is_told(key):
    service = start(ScriptedModel())
    document = problem(service.post(ASKED, headers={"Idempotency-Key": key}), 422, "invalid-request")
    assert "Idempotency-Key" in document["errors"][0]["detail"]


def test_a_key_and_no_store_contradict_each_other():
    service = start(ScriptedModel())
    document = problem(service.post(ASKED, headers=KEY | {"Cache-Control": "no-store"}), 422, "invalid-request")
    assert "no-store" in document["errors"][0]["detail"]


@pytest.mark.parametrize(
    "key", ["x" * MAX_KEY_CHARS, "8c8d0e74-a5dc-4f5b-a224-319138eda609", '"with \\"quotes\\""', '"half', "a, b"]
)
def test_a_key_that_can_be_taken_is(key):
    assert key_fault(key) is None
    service = start(ScriptedModel(REPLY))
    service.post(ASKED, headers={"Idempotency-Key": key})
    assert "Idempotent-Replayed" in service.post(ASKED, headers={"Idempotency-Key": key}).headers


@examples()
@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=MAX_KEY_CHARS))
def test_a_key_in_quotation_marks_is_what_is_between_them(key):
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    assert key_of(f'"{escaped}"') == key
    assert key_fault(f'"{escaped}"') is None
