import pytest
from structlog.testing import capture_logs

from service.store.base import Shelf, StoreBusyError, StoreError
from service.store.guarded import REST_S, TELL_AFTER_S, GuardedStore
from service.store.memory import MemoryStore
from tests.fakes import FixedClock

A = Shelf.ANSWERS


class Fragile(MemoryStore):
    """A store that fails with `error` while there is one, and counts how often it was asked."""

    def __init__(self):
        super().__init__(10_000)
        self.error = None
        self.asked = 0

    def _ask(self):
        self.asked += 1
        if self.error:
            raise self.error

    def get(self, shelf, key):
        self._ask()
        return super().get(shelf, key)

    def put(self, shelf, key, text, ttl_s):
        self._ask()
        super().put(shelf, key, text, ttl_s)

    def claim(self, shelf, key, text, ttl_s):
        self._ask()
        return super().claim(shelf, key, text, ttl_s)

    def swap(self, shelf, key, old, new, ttl_s):
        self._ask()
        super().swap(shelf, key, old, new, ttl_s)

    def remove(self, shelf, key, old):
        self._ask()
        super().remove(shelf, key, old)

    def ready(self):
        return self.error and str(self.error)


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def log():
    with capture_logs() as lines:
        yield lines


@pytest.fixture
def fragile():
    return Fragile()


@pytest.fixture
def store(fragile, clock):
    return GuardedStore(fragile, clock)


def test_a_store_that_fails_looks_empty_and_grants_every_claim(store, fragile):
    store.put(A, "k", "text", 60)
    fragile.error = StoreError("broken")
    assert store.get(A, "k") is None
    assert store.claim(A, "k", "mine", 60) is None
    store.put(A, "k", "new", 60)
    store.swap(A, "k", "text", "new", 60)
    store.remove(A, "k", "text")


def test_it_is_left_alone_for_a_while_and_then_tried_again(store, fragile, clock):
    fragile.error = StoreError("broken")
    store.put(A, "k", "text", 60)
    asked = fragile.asked
    fragile.error = None
    store.put(A, "k", "text", 60)
    assert store.get(A, "k") is None
    assert fragile.asked == asked
    assert store.ready() == "broken"
    clock.advance(REST_S)
    store.put(A, "k", "text", 60)
    assert store.get(A, "k") == "text"
    assert store.ready() is None


def test_one_that_is_only_busy_is_not_left_alone(store, fragile):
    fragile.error = StoreBusyError("busy")
    store.put(A, "k", "text", 60)
    assert store.ready() == "busy"
    fragile.error = None
    store.put(A, "k", "text", 60)
    assert store.get(A, "k") == "text"
    assert store.ready() is None


def test_that_it_can_be_read_does_not_make_it_well(store, fragile):
    fragile.error = StoreBusyError("full")
    store.put(A, "k", "text", 60)
    fragile.error = None
    store.get(A, "k")
    fragile.error = StoreBusyError("full")
    assert store.ready() == "full"


def test_readiness_asks_the_place_itself(store, fragile):
    fragile.error = StoreError("gone")
    assert store.ready() == "gone"
    fragile.error = None
    assert store.ready() is None


def test_a_failure_is_logged_once_without_what_was_kept(store, fragile, clock, log):
    fragile.error = StoreError("broken")
    for _ in range(3):
        store.put(A, "k", "embargoed", 60)
        clock.advance(REST_S)
    fragile.error = None
    store.put(A, "k", "embargoed", 60)
    store.put(A, "k", "embargoed", 60)
    failure, end = log
    assert (failure["event"], failure["reason"], failure["log_level"]) == ("the cache cannot be used", "broken", "warning")
    assert end["event"] == "the cache can be used again"
    assert "embargoed" not in str(log)


def test_one_that_fails_now_and_then_is_told_of_once_in_a_while(store, fragile, clock, log):
    for _ in range(5):
        fragile.error = StoreBusyError("busy")
        store.put(A, "k", "text", 60)
        fragile.error = None
        store.put(A, "k", "text", 60)
    assert [line["event"] for line in log] == ["the cache cannot be used", "the cache can be used again"]
    clock.advance(TELL_AFTER_S)
    fragile.error = StoreBusyError("busy")
    store.put(A, "k", "text", 60)
    assert len(log) == 3


@pytest.mark.parametrize("text", ["", "x", "0" * 64, "0" * 64 + "text"], ids=["nothing", "short", "only a seal", "false seal"])
def test_a_text_without_its_seal_is_not_there_and_gives_way(store, fragile, text):
    fragile.put(A, "k", text, 60)
    assert store.get(A, "k") is None
    assert store.claim(A, "k", "mine", 60) is None
    assert store.get(A, "k") == "mine"


def test_a_text_under_another_key_is_not_there(store, fragile):
    store.put(A, "k", "text", 60)
    fragile.put(A, "other", fragile.get(A, "k"), 60)
    assert store.get(A, "other") is None


def test_it_is_shared_as_its_place_is(store, fragile):
    assert store.shared == fragile.shared
    store.close()
