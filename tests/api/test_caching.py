import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import pytest
from redis import Redis

from service.errors import ModelUnavailableError
from service.export.formats import FORMATS
from service.llm.base import Reply, ResponseFormat
from service.pipeline.analyze import EXTRACT_TASK, Fallback, Services
from service.pipeline.answers import Answers
from service.settings import Settings
from service.store.base import Shelf, StoreError
from service.store.guarded import GuardedStore
from service.store.memory import MemoryStore
from service.store.redis import RedisStore
from service.store.sqlite import SqliteStore
from service.wiring import build_services, build_store
from tests.api.conftest import PROMPTS, TEXT, NeverTired, Service
from tests.described import create_app
from tests.fakes import TRAITS, FixedClock, ScriptedModel, claim
from tests.model_double import ModelDouble, Modes
from tests.redis_server import URL, fresh_prefix, need_redis

PATIENCE_S = 30
OTHER_PROMPT = "extract_claims@2"
REPLY = json.dumps({"claims": [claim(1, "Prices rose by 5 percent in May")]})
ASKED = {"article": {"text": TEXT, "title": "Prices"}}


def start(model, store=None, ttl_s=600.0, fallbacks=()):
    """A service over `model` that keeps answers."""
    clock = FixedClock()
    kept = store or MemoryStore(10_000_000, clock)
    services = Services(model, PROMPTS, clock, store=kept, answers=Answers(kept, ttl_s, clock=clock), fallbacks=fallbacks)
    return Service(create_app(Settings(), services).test_client(), model, clock)


def answer(response):
    assert response.status_code == 200, response.get_data()
    return json.loads(response.get_data())


def without_usage(response):
    document = answer(response)
    usage = document.pop("usage")
    return document, usage


def test_an_article_sent_again_is_answered_without_the_model():
    service = start(ScriptedModel(REPLY))
    first, first_usage = without_usage(service.post(ASKED))
    again, usage = without_usage(service.post(ASKED))
    assert json.dumps(again) == json.dumps(first)
    assert first_usage["cache"] == "miss"
    assert usage == first_usage | {"cache": "hit"}
    assert len(service.model.calls) == 1


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_kept_answer_is_given_in_every_form(form):
    service = start(ScriptedModel(REPLY, REPLY))
    headers = {"Accept": form.media_type}
    made = service.post(ASKED, headers=headers | {"Cache-Control": "no-store"})
    service.post(ASKED)
    kept = service.post(ASKED, headers=headers)
    assert (kept.status_code, kept.content_type) == (200, form.media_type)
    assert re.sub(rb"\bhit\b", b"miss", kept.get_data()) == made.get_data()
    assert len(service.model.calls) == 2


@pytest.mark.parametrize(("stand_in", "status"), [(False, "complete"), (True, "stand_in")], ids=["fallback", "stand-in"])
def test_what_another_model_answered_in_its_place_is_not_kept(stand_in, status):
    first = ScriptedModel(ModelUnavailableError("down"), REPLY)
    other = ScriptedModel(REPLY, traits=replace(TRAITS, name="other"))
    service = start(first, fallbacks=(Fallback(other, stand_in=stand_in),))
    told = [answer(service.post(ASKED)) for _ in range(3)]
    assert [(one["status"], one["usage"]["cache"]) for one in told] == [
        (status, "miss"),
        ("complete", "miss"),
        ("complete", "hit"),
    ]
    assert [[warning["code"] for warning in one["warnings"]] for one in told] == [["fallback_model"], [], []]
    assert (len(first.calls), len(other.calls)) == (2, 1)


def test_a_prompt_named_is_another_question_where_a_fallback_would_be_asked_by_its_own():
    of_first, other = PROMPTS.select(TRAITS.prompt, EXTRACT_TASK), ScriptedModel(traits=replace(TRAITS, prompt=OTHER_PROMPT))
    assert of_first.name != OTHER_PROMPT
    alone, with_fallback = start(ScriptedModel(REPLY)), start(ScriptedModel(REPLY, REPLY), fallbacks=(Fallback(other),))
    for service, cache in ((alone, "hit"), (with_fallback, "miss")):
        service.post(ASKED)
        assert answer(service.post(ASKED | {"prompt": of_first.name}))["usage"]["cache"] == cache


def test_a_kept_answer_has_its_text():
    service = start(ScriptedModel(REPLY))
    service.post(ASKED)
    found = answer(service.post(ASKED | {"options": {"return_text": True}}))
    assert (found["article"]["text"], found["usage"]["cache"]) == (TEXT, "hit")


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"article": {"text": TEXT + " ", "title": "Prices"}}, id="text"),
        pytest.param({"article": {"text": TEXT, "title": "Price"}}, id="title"),
        pytest.param({"article": {"text": TEXT, "title": "Prices", "language": "de"}}, id="language"),
        pytest.param({"article": {"text": TEXT, "title": "Prices", "url": "https://example.org/"}}, id="address"),
        pytest.param({"article": {"text": TEXT, "title": "Prices", "published_at": "2026-01-31"}}, id="date"),
        pytest.param(ASKED | {"prompt": "extract_claims@2"}, id="prompt"),
        pytest.param(ASKED | {"options": {"max_claims": 1}}, id="options"),
    ],
)
def test_anything_else_asked_is_asked_of_the_model(changed):
    service = start(ScriptedModel(REPLY, REPLY))
    service.post(ASKED)
    assert answer(service.post(changed))["usage"]["cache"] == "miss"
    assert len(service.model.calls) == 2


def test_a_shorter_time_is_no_other_question():
    service = start(ScriptedModel(REPLY))
    service.post(ASKED)
    assert answer(service.post(ASKED, headers={"Request-Timeout": "7"}))["usage"]["cache"] == "hit"


def test_no_cache_does_the_work_and_keeps_the_answer():
    service = start(ScriptedModel(REPLY, '{"claims": []}'))
    service.post(ASKED)
    assert answer(service.post(ASKED, headers={"Cache-Control": "no-cache"}))["claims"] == []
    kept = answer(service.post(ASKED))
    assert (kept["claims"], kept["usage"]["cache"]) == ([], "hit")


def test_no_store_neither_reads_nor_keeps():
    service = start(ScriptedModel(REPLY, REPLY, REPLY))
    alone = {"Cache-Control": "max-age=0, No-Store"}
    assert answer(service.post(ASKED, headers=alone))["usage"]["cache"] == "miss"
    assert answer(service.post(ASKED))["usage"]["cache"] == "miss"
    assert answer(service.post(ASKED, headers=alone))["usage"]["cache"] == "miss"


@pytest.mark.parametrize("header", ["", "no-caches", "max-age=9", ",;=", "x" * 4000])
def test_another_cache_control_changes_nothing(header):
    service = start(ScriptedModel(REPLY))
    service.post(ASKED)
    assert answer(service.post(ASKED, headers={"Cache-Control": header}))["usage"]["cache"] == "hit"


class SlowModel(NeverTired):
    """Finds nothing, after it was let go."""

    def __init__(self):
        super().__init__()
        self.begun, self.go = Event(), Event()

    def complete(self, call, _deadline):
        self.calls.append(call)
        self.begun.set()
        assert self.go.wait(PATIENCE_S)
        return Reply('{"claims": []}', "slow-1", ResponseFormat.JSON_SCHEMA)


def test_the_same_article_sent_64_times_at_once_costs_one_call():
    service = start(SlowModel())
    with ThreadPoolExecutor(64) as pool:
        sent = [pool.submit(service.client.application.test_client().post, "/analyze", json=ASKED) for _ in range(64)]
        assert service.model.begun.wait(PATIENCE_S)
        service.model.go.set()
        told = [without_usage(one.result()) for one in sent]
    assert len(service.model.calls) == 1
    assert len({json.dumps(document) for document, _ in told}) == 1
    caches = [usage["cache"] for _, usage in told]
    assert caches.count("miss") == 1
    assert set(caches) <= {"miss", "shared", "hit"}


def test_articles_nobody_may_share_are_not_shared():
    service = start(SlowModel())
    service.model.go.set()
    with ThreadPoolExecutor(8) as pool:
        headers = {"Cache-Control": "no-store"}
        post = service.client.application.test_client().post
        told = list(pool.map(lambda _: post("/analyze", json=ASKED, headers=headers), range(8)))
    assert {answer(one)["usage"]["cache"] for one in told} == {"miss"}
    assert len(service.model.calls) == 8


def test_the_log_tells_costs_where_they_were_paid(log):
    service = start(ScriptedModel(REPLY))
    service.post(ASKED)
    service.post(ASKED)
    made, kept = log()
    assert (made["cache"], made["calls"], made["input_tokens"]) == ("miss", 1, 100)
    assert kept["cache"] == "hit"
    assert "calls" not in kept
    assert "Prices" not in json.dumps(log())


class BrokenStore(MemoryStore):
    """A place that fails at everything."""

    def get(self, *_):
        raise StoreError("the place fails")

    put = claim = swap = remove = get

    def ready(self):
        return "the place fails"


def test_a_cache_that_fails_makes_the_service_slower_and_breaks_nothing(log):
    model = ScriptedModel(REPLY, REPLY)
    service = start(model, GuardedStore(BrokenStore(1)))
    assert answer(service.post(ASKED))["usage"]["cache"] == "miss"
    assert answer(service.post(ASKED))["usage"]["cache"] == "miss"
    ready = service.client.get("/readyz")
    assert (ready.status_code, ready.get_json()) == (200, {"status": "ready", "degraded": ["the place fails"]})
    assert [line["event"] for line in log()].count("the cache cannot be used") == 1


def test_what_degrades_is_told_beside_why_it_is_not_ready():
    service = start(ScriptedModel(not_ready="the engine is starting"), GuardedStore(BrokenStore(1)))
    ready = service.client.get("/readyz")
    assert ready.status_code == 503
    assert ready.get_json() == {"status": "not-ready", "reasons": ["the engine is starting"], "degraded": ["the place fails"]}


@pytest.mark.loopback
def test_redis_keeps_answers_for_all_processes():
    prefix = fresh_prefix()
    one, other = (RedisStore(need_redis(), prefix=prefix, wait_s=5) for _ in range(2))
    try:
        assert answer(start(ScriptedModel(REPLY), GuardedStore(one)).post(ASKED))["usage"]["cache"] == "miss"
        assert answer(start(ScriptedModel(), GuardedStore(other)).post(ASKED))["usage"]["cache"] == "hit"
        with Redis.from_url(URL) as client:
            (key,) = client.scan_iter(f"{prefix}:*")
            assert b"Prices" not in key
            assert 0 < client.ttl(key) <= 600
            client.delete(key)
    finally:
        one.close()
        other.close()


@pytest.mark.loopback
def test_a_redis_that_is_not_there_is_told_and_breaks_nothing():
    nowhere = RedisStore("redis://127.0.0.1:1/0")
    store = GuardedStore(nowhere)
    service = start(ScriptedModel(REPLY), store)
    assert answer(service.post(ASKED))["usage"]["cache"] == "miss"
    assert service.client.get("/readyz").get_json()["degraded"] == ["Redis cannot be reached or does not take what it is sent"]
    assert nowhere.ready() is not None
    store.close()


@pytest.mark.loopback
def test_something_else_than_redis_is_told_and_breaks_nothing():
    with ModelDouble() as double:
        store = GuardedStore(RedisStore(double.base_url.replace("http://", "redis://").replace("/v1", "/0")))
        service = start(ScriptedModel(REPLY), store)
        assert answer(service.post(ASKED))["usage"]["cache"] == "miss"
        store.close()


@pytest.mark.loopback
def test_a_redis_that_says_nothing_is_not_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = RedisStore(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        with pytest.raises(StoreError):
            store.get(Shelf.ANSWERS, "k")
        store.close()


@pytest.mark.loopback
def test_a_key_that_holds_something_else_in_redis_is_told():
    prefix = fresh_prefix()
    store = RedisStore(need_redis(), prefix=prefix, wait_s=5)
    with Redis.from_url(URL) as client:
        client.lpush(f"{prefix}:answers:k", "a list")
        with pytest.raises(StoreError):
            store.get(Shelf.ANSWERS, "k")
        client.set(f"{prefix}:answers:k", b"\xff\xfe")
        assert GuardedStore(store).get(Shelf.ANSWERS, "k") is None
        client.delete(f"{prefix}:answers:k")
    store.close()


def test_the_settings_choose_the_place(tmp_path):
    assert isinstance(build_store(Settings()), MemoryStore)
    assert isinstance(build_store(Settings(cache_file=tmp_path / "a")), SqliteStore)
    assert isinstance(build_store(Settings(redis_url="redis://127.0.0.1:1/0")), RedisStore)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.loopback
def test_a_whole_service_finds_its_answers_again_after_a_restart(tmp_path):
    with ModelDouble(Modes()) as double:
        settings = Settings(base_url=double.base_url, cache_file=tmp_path / "answers.sqlite3")
        told = []
        for changed in (
            settings,
            settings,
            replace(settings, base_url=double.base_url + "/"),
            replace(settings, model="other"),
        ):
            services = build_services(changed)
            told.append(answer(create_app(changed, services).test_client().post("/analyze", json=ASKED))["usage"]["cache"])
            services.close()
        assert told == ["miss", "hit", "miss", "miss"]
        assert len(double.calls) == 3
