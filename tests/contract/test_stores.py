"""What every store promises, whatever it keeps texts in."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from redis import Redis

from service.store.base import NoStore, Shelf
from service.store.guarded import GuardedStore
from service.store.memory import MemoryStore
from service.store.redis import RedisStore
from service.store.sqlite import SqliteStore
from tests.examples import examples
from tests.redis_server import URL, fresh_prefix, need_redis

KIND = [
    "memory",
    "sqlite",
    pytest.param("redis", marks=pytest.mark.loopback),
    "guarded sqlite",
]
BYTES = 10_000
A = Shelf.ANSWERS


@pytest.fixture(params=KIND)
def store(request, tmp_path):
    if request.param == "redis":
        prefix = fresh_prefix()
        made = RedisStore(need_redis(), prefix=prefix, wait_s=5)
    elif request.param == "memory":
        made = MemoryStore(BYTES)
    else:
        made = SqliteStore(tmp_path / "cache" / "answers.sqlite3", BYTES)
    yield GuardedStore(made) if request.param.startswith("guarded") else made
    made.close()
    if request.param == "redis":
        with Redis.from_url(URL) as client:
            for key in client.scan_iter(f"{prefix}:*"):
                client.delete(key)


def test_it_keeps_a_text_under_its_key(store):
    assert store.get(A, "k") is None
    store.put(A, "k", "text", 60)
    assert store.get(A, "k") == "text"
    store.put(A, "k", "other", 60)
    assert store.get(A, "k") == "other"
    assert store.get(A, "other") is None
    assert store.ready() is None


def test_shelves_are_apart(store):
    store.put(A, "k", "text", 60)
    assert store.get(Shelf.REPLIES, "k") is None
    store.put(Shelf.REPLIES, "k", "reply", 60)
    assert store.get(A, "k") == "text"


def test_a_text_ends_with_its_time(store):
    store.put(A, "k", "text", 0.001)
    time.sleep(0.05)
    assert store.get(A, "k") is None
    assert store.claim(A, "k", "next", 60) is None


def test_the_first_claim_is_granted_and_the_others_see_it(store):
    assert store.claim(A, "k", "mine", 60) is None
    assert store.claim(A, "k", "theirs", 60) == "mine"
    assert store.claim(A, "k", "mine", 60) is None
    assert store.get(A, "k") == "mine"


def test_only_what_is_expected_is_swapped(store):
    store.swap(A, "k", "old", "new", 60)
    assert store.get(A, "k") is None
    store.put(A, "k", "old", 60)
    store.swap(A, "k", "other", "new", 60)
    assert store.get(A, "k") == "old"
    store.swap(A, "k", "old", "new", 60)
    assert store.get(A, "k") == "new"


def test_only_what_is_expected_is_removed(store):
    store.put(A, "k", "text", 60)
    store.remove(A, "k", "other")
    assert store.get(A, "k") == "text"
    store.remove(A, "k", "text")
    assert store.get(A, "k") is None
    store.remove(A, "k", "text")


@examples(30, suppress=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=200))
def test_any_text_comes_back_as_it_was(store, text):
    store.put(A, "k", text, 60)
    assert store.get(A, "k") == text


def test_of_many_claims_at_once_one_is_granted(store):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: store.claim(A, "k", f"claim {number}", 60), range(8)))
    kept = store.get(A, "k")
    assert found.count(None) == 1
    assert {one for one in found if one is not None} == {kept}


def test_closing_it_twice_does_no_harm(store):
    store.put(A, "k", "text", 60)
    store.close()
    store.close()


def test_no_store_keeps_nothing_and_grants_everything():
    store = NoStore()
    store.put(A, "k", "text", 60)
    store.swap(A, "k", "text", "new", 60)
    store.remove(A, "k", "new")
    assert store.get(A, "k") is None
    assert store.claim(A, "k", "mine", 60) is None
    assert store.claim(A, "k", "theirs", 60) is None
    assert store.ready() is None
    assert not store.shared
    store.close()
