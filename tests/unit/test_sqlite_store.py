"""What happens to the cache file when disks, other programs and sudden deaths happen to it."""

import random
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest

from service.store.base import Shelf, StoreBusyError, StoreError
from service.store.guarded import GuardedStore
from service.store.sqlite import SqliteStore
from tests.fakes import FixedClock

ROOT = Path(__file__).parents[2]
A = Shelf.ANSWERS
BYTES = 1_000_000
MANY = {f"key {number}": f"{number} " * 400 for number in range(40)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "answers.sqlite3"


def filled(path):
    with closing(SqliteStore(path, BYTES)) as store:
        for key, text in MANY.items():
            store.put(A, key, text, 600)
    return path.read_bytes()


def found(store):
    return {key: text for key in MANY if (text := store.get(A, key)) is not None}


def test_what_was_kept_is_there_after_a_restart(path):
    filled(path)
    with closing(SqliteStore(path, BYTES)) as store:
        assert found(store) == MANY


def test_two_processes_would_see_the_same(path):
    with closing(SqliteStore(path, BYTES)) as one, closing(SqliteStore(path, BYTES)) as other:
        assert one.shared
        one.put(A, "k", "text", 60)
        assert other.get(A, "k") == "text"
        assert other.claim(A, "k", "mine", 60) == "text"


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.001, 0.02, 0.1, 0.3, 0.5, 0.9, 0.99], ids=str)
def test_a_file_cut_short_costs_what_was_in_it_and_no_more(path, share):
    whole = filled(path)
    path.write_bytes(whole[: int(len(whole) * share)])
    clock = FixedClock()
    with closing(GuardedStore(SqliteStore(path, BYTES), clock)) as store:
        assert found(store).items() <= MANY.items()
        clock.advance(60)
        store.put(A, "key 1", "new", 60)
        clock.advance(60)
        store.put(A, "key 1", "new", 60)
        assert store.get(A, "key 1") == "new"
        assert store.ready() is None


@pytest.mark.parametrize("seed", range(25))
def test_whatever_happens_to_its_bytes_nothing_is_read_that_was_not_written(path, seed):
    chance = random.Random(seed)  # noqa: S311 - a test's own dice
    with closing(GuardedStore(SqliteStore(path, BYTES))) as store:
        for key, text in MANY.items():
            store.put(A, key, text, 600)
    damaged = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 20, 400])):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    path.write_bytes(damaged)
    clock = FixedClock()
    with closing(GuardedStore(SqliteStore(path, BYTES), clock)) as store:
        assert found(store).items() <= MANY.items()
        for _ in range(3):
            clock.advance(60)
            store.put(A, "key 1", "new", 60)
        assert store.get(A, "key 1") in {"new", None}


def test_a_broken_file_is_moved_aside_and_a_new_one_begun(path):
    path.write_bytes(b"no database at all" * 100)
    (path.parent / f"{path.name}-wal").write_bytes(b"an old log")
    with closing(SqliteStore(path, BYTES)) as store:
        with pytest.raises(StoreError, match="moved aside"):
            store.get(A, "k")
        store.put(A, "k", "text", 60)
        assert store.get(A, "k") == "text"
    assert path.with_name(f"{path.name}.broken").read_bytes().startswith(b"no database at all")


def test_a_file_broken_while_it_is_open_is_moved_aside_by_one_of_many(path):
    filled(path)
    with closing(SqliteStore(path, BYTES)) as store:
        assert found(store) == MANY
        path.write_bytes(b"\xff" * path.stat().st_size)

        def ask(number):
            try:
                store.put(A, f"new {number}", "text", 60)
            except StoreError:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(ask, range(16)))
        store.put(A, "k", "text", 60)
        assert store.get(A, "k") == "text"
        assert store.ready() is None


def test_a_broken_file_that_cannot_be_moved_is_told(path):
    path.write_bytes(b"no database at all" * 100)
    path.with_name(f"{path.name}.broken").mkdir()
    with closing(SqliteStore(path, BYTES)) as store:
        assert store.ready() == "the cache file is broken and cannot be moved aside"


def test_a_new_file_that_another_process_put_there_is_left_alone(path):
    filled(path)
    store = SqliteStore(path, BYTES)
    assert found(store) == MANY
    path.rename(path.with_name("old"))
    with closing(SqliteStore(path, BYTES)) as other:
        other.put(A, "k", "new", 60)
    for _ in range(2):
        try:
            store.put(A, "mine", "text", 60)
        except StoreError:
            continue
    assert store.get(A, "k") == "new"
    assert store.get(A, "mine") == "text"
    store.close()


def test_another_programs_database_is_not_touched(path):
    with closing(sqlite3.connect(path)) as theirs:
        theirs.execute("CREATE TABLE letters (words TEXT)")
    path.chmod(0o644)
    before = path.read_bytes()
    with closing(SqliteStore(path, BYTES)) as store:
        assert store.ready() == "the cache file is another program's database"
        with pytest.raises(StoreError):
            store.put(A, "k", "text", 60)
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o644


def test_an_older_layout_is_begun_anew(path):
    filled(path)
    with closing(sqlite3.connect(path)) as old:
        old.execute("PRAGMA user_version = 999")
    with closing(SqliteStore(path, BYTES)) as store:
        assert found(store) == {}
        store.put(A, "k", "text", 60)
        assert store.get(A, "k") == "text"


def test_a_file_locked_by_another_process_can_be_read_and_writing_ends_soon(path):
    filled(path)
    with closing(SqliteStore(path, BYTES)) as store, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert found(store) == MANY
        with pytest.raises(StoreBusyError):
            store.put(A, "k", "text", 60)
        assert store.ready() == "the cache file is in use by others"
        other.execute("ROLLBACK")
        store.put(A, "k", "text", 60)
        assert store.get(A, "k") == "text"


def test_a_text_that_cannot_be_marked_as_used_is_read_all_the_same(path):
    clock = FixedClock()
    with (
        closing(SqliteStore(path, BYTES, clock=clock)) as store,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        store.put(A, "k", "text", 6000)
        clock.advance(600)
        other.execute("BEGIN EXCLUSIVE")
        assert store.get(A, "k") == "text"


def with_pragma(pragma):
    def connect(*args, **kwargs):
        connection = sqlite3.connect(*args, **kwargs)
        connection.execute(f"PRAGMA {pragma}")
        return connection

    return connect


def test_a_full_disk_is_told_and_what_is_there_can_still_be_read(path):
    filled(path)
    pages = path.stat().st_size // 4096
    with closing(SqliteStore(path, BYTES, connect=with_pragma(f"max_page_count = {pages}"))) as store:
        with pytest.raises(StoreError, match="no room"):
            store.put(A, "large", "x" * 100_000, 60)
        assert found(store) == MANY
    with closing(SqliteStore(path, BYTES)) as store:
        store.put(A, "large", "x" * 100_000, 60)
        assert found(store) == MANY


def test_a_disk_that_is_full_from_the_start_is_told(path):
    with closing(SqliteStore(path, BYTES, connect=with_pragma("max_page_count = 1"))) as store:
        assert store.ready() == "there is no room for the cache file"
    with closing(SqliteStore(path, BYTES)) as store:
        assert store.ready() is None


def test_a_file_that_may_not_be_written_is_told_and_can_be_read(path):
    filled(path)
    with closing(SqliteStore(path, BYTES)) as opened:
        assert found(opened) == MANY
    store = SqliteStore(path, BYTES, connect=with_pragma("query_only = ON"))
    assert store.ready() == "the cache file cannot be written"
    store.close()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    store = SqliteStore(tmp_path / "file" / "answers.sqlite3", BYTES)
    assert store.ready() == "the cache file cannot be made"
    with pytest.raises(StoreError):
        store.get(A, "k")


def test_a_folder_in_the_place_of_the_file_is_told(path):
    path.mkdir()
    assert SqliteStore(path, BYTES).ready() == "the cache file cannot be opened"


def test_connections_are_not_kept_without_end(path):
    opened = []

    def connect(*args, **kwargs):
        opened.append(sqlite3.connect(*args, **kwargs))
        return opened[-1]

    with closing(SqliteStore(path, BYTES, connect=connect)) as store, ThreadPoolExecutor(32) as pool:
        store.put(A, "k", "text", 60)
        assert set(pool.map(lambda _: store.get(A, "k"), range(500))) == {"text"}
    for connection in opened:
        with pytest.raises(sqlite3.ProgrammingError):
            connection.execute("SELECT 1")


def test_many_threads_write_at_once(path):
    with closing(SqliteStore(path, BYTES)) as store:

        def write(number):
            for _ in range(50):
                try:
                    store.put(A, f"key {number}", MANY[f"key {number}"], 600)
                except StoreBusyError:
                    continue
                return

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(write, range(40)))
        assert found(store) == MANY


def test_a_disk_that_hangs_holds_up_one_thread_only(path):
    hangs, go = Event(), Event()

    def connect(*args, **kwargs):
        hangs.set()
        assert go.wait(30)
        return sqlite3.connect(*args, **kwargs)

    with closing(SqliteStore(path, BYTES, connect=connect)) as store, ThreadPoolExecutor(1) as pool:
        writing = pool.submit(store.put, A, "k", "text", 60)
        assert hangs.wait(30)
        for ask in (lambda: store.get(A, "k"), lambda: store.put(A, "k", "other", 60)):
            with pytest.raises(StoreBusyError):
                ask()
        go.set()
        writing.result()
        assert store.get(A, "k") == "text"


def test_words_of_sqlite_that_cannot_be_read_mean_a_damaged_file(path):
    path.write_bytes(b"")

    def connect(*_, **__):
        raise UnicodeDecodeError("utf-8", b"\x9b", 0, 1, "invalid start byte")

    assert "moved aside" in SqliteStore(path, BYTES, connect=connect).ready()
    assert not path.exists()


WRITER = """
import sys
from pathlib import Path
from service.store.base import Shelf
from service.store.guarded import GuardedStore
from service.store.sqlite import SqliteStore
store = GuardedStore(SqliteStore(Path(sys.argv[1]), 300_000))
for number in range(10**9):
    key = f"key {number % 50}"
    store.put(Shelf.ANSWERS, key, f"{key} {number} " * 300, 600)
    if number == 20:
        print("writing", flush=True)
"""


@pytest.mark.parametrize("moment_s", [0.0, 0.003, 0.011, 0.027, 0.06, 0.13])
def test_a_process_killed_while_it_writes_leaves_nothing_that_was_not_written(path, moment_s):
    with subprocess.Popen(  # noqa: S603 - our own interpreter and our own program
        [sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout.readline() == "writing\n"
        try:
            writer.wait(moment_s)
        except subprocess.TimeoutExpired:
            writer.send_signal(signal.SIGKILL)
    with closing(GuardedStore(SqliteStore(path, 300_000))) as store:
        texts = [(key, store.get(A, key)) for key in (f"key {number}" for number in range(50))]
        read = [(key, text) for key, text in texts if text is not None]
        assert len(read) >= 10
        for key, text in read:
            first = text[: len(text) // 300]
            assert text == first * 300
            assert first.startswith(f"{key} ")
        assert store.ready() is None
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        totals = dict(connection.execute("SELECT shelf, size_bytes FROM total"))
        assert dict(connection.execute("SELECT shelf, sum(size_bytes) FROM kept GROUP BY shelf")) == totals
