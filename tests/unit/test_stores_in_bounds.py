import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.store.base import Shelf
from service.store.memory import MemoryStore
from service.store.sqlite import TOUCH_AFTER_S, SqliteStore
from tests.examples import examples
from tests.fakes import FixedClock

A = Shelf.ANSWERS
BYTES = 1_000
PART = "x" * 199  # a key of one letter makes it 200


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path, clock):
    made = MemoryStore(BYTES, clock) if request.param == "memory" else SqliteStore(tmp_path / "a.sqlite3", BYTES, clock=clock)
    yield made
    made.close()


def kept(store, keys):
    return [key for key in keys if store.get(A, key) is not None]


def test_the_least_recently_used_goes_first(store, clock):
    for key in "abcde":
        clock.advance(1)
        store.put(A, key, PART, 1e6)
    assert kept(store, "abcde") == list("abcde")
    clock.advance(TOUCH_AFTER_S + 10)
    store.get(A, "a")
    clock.advance(1)
    store.put(A, "f", PART, 1e6)
    left = kept(store, "abcdef")
    assert {"a", "f"} <= set(left)
    assert "b" not in left


def test_a_text_larger_than_the_whole_shelf_is_not_kept_and_costs_no_other(store):
    store.put(A, "a", PART, 60)
    store.put(A, "b", "x" * BYTES, 60)
    assert kept(store, "ab") == ["a"]


def test_a_text_too_large_does_not_leave_the_old_one_in_its_place(store):
    store.put(A, "a", PART, 60)
    store.put(A, "a", "x" * BYTES, 60)
    assert kept(store, "a") == []


def test_bytes_are_counted_and_not_characters(store):
    store.put(A, "a", "€" * 400, 60)
    assert kept(store, "a") == []


def test_one_shelf_does_not_crowd_out_another(store):
    store.put(Shelf.REPLIES, "r", PART, 60)
    for key in "abcdefgh":
        store.put(A, key, PART, 60)
    assert store.get(Shelf.REPLIES, "r") == PART


def test_what_has_ended_makes_room(store, clock):
    store.put(A, "a", PART, 10)
    clock.advance(9.9)
    assert kept(store, "a") == ["a"]
    clock.advance(0.1)
    assert kept(store, "a") == []
    for key in "bcdef":
        store.put(A, key, PART, 60)
    assert kept(store, "bcdef") == list("bcdef")


@examples(60)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 700), st.integers(0, 200)), max_size=30))
def test_it_never_holds_more_than_its_bound_nor_anything_but_the_last_put(tmp_path_factory, steps):
    folder, clock = tmp_path_factory.mktemp("bounds"), FixedClock()
    for store in (MemoryStore(BYTES, clock), SqliteStore(folder / "a.sqlite3", BYTES, clock=clock)):
        last = {}
        for key, size, wait_s in steps:
            clock.advance(wait_s)
            store.put(A, key, key * size, 300)
            last[key] = key * size
            found = {key: store.get(A, key) for key in "abcdef"}
            held = {key: text for key, text in found.items() if text is not None}
            assert held.items() <= last.items()
            assert sum(len(text) + 1 for text in held.values()) <= BYTES
        store.close()


def test_the_file_and_its_folder_are_for_its_owner_only(tmp_path):
    path = tmp_path / "new" / "a.sqlite3"
    store = SqliteStore(path, BYTES)
    store.put(A, "a", PART, 60)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    store.close()


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path):
    path = tmp_path / "a.sqlite3"
    path.touch(mode=0o644)
    store = SqliteStore(path, BYTES)
    store.put(A, "a", PART, 60)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    store.close()


def test_what_was_removed_is_not_left_in_the_file(tmp_path):
    path = tmp_path / "a.sqlite3"
    store = SqliteStore(path, BYTES)
    store.put(A, "a", "embargoed", 60)
    store.remove(A, "a", "embargoed")
    store.close()
    assert path.exists()
    assert all(b"embargoed" not in file.read_bytes() for file in tmp_path.iterdir())
