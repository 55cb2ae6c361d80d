"""Texts kept in an SQLite file, where they survive a restart and other processes of this machine see them.

One table and its totals: plain `sqlite3`, because an ORM would add a layer and take nothing away.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, LifoQueue
from threading import Lock
from typing import ClassVar
from urllib.parse import quote

from service.store.base import Shelf, StoreBusyError, StoreError
from service.store.sqlite_layout import make_file, prepare

WAIT_S = 0.1
TOUCH_AFTER_S = 60.0
"""Only a text not used for so long is marked as used again, so that most reads write nothing."""

_KEPT_OPEN = 16
_PRAGMAS = ("synchronous = NORMAL", "secure_delete = ON", "cache_size = -256")
_KEPT_WHEN_FULL = 0.9  # so that room is not made anew for each text
_FIND = "SELECT text, used_at FROM kept WHERE shelf = ? AND key = ? AND expires_at > ?"
_EVICT = """
DELETE FROM kept WHERE rowid IN (
    SELECT rowid FROM (
        SELECT rowid, sum(size_bytes) OVER (ORDER BY used_at DESC, rowid DESC) AS size_bytes FROM kept WHERE shelf = ?
    ) WHERE size_bytes > ?
)
"""
_REASONS = {
    sqlite3.SQLITE_FULL: "there is no room for the cache file",
    sqlite3.SQLITE_READONLY: "the cache file cannot be written",
    sqlite3.SQLITE_PERM: "the cache file may not be used",
    sqlite3.SQLITE_CANTOPEN: "the cache file cannot be opened",
    sqlite3.SQLITE_IOERR: "the disk of the cache file fails",
}
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
# Our statements are right: where SQLite finds them wrong, tables or indexes are damaged.
_BROKEN = frozenset(
    {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT}
)

Connect = Callable[..., sqlite3.Connection]


class SqliteStore:
    """Texts in the file at `path`, at most `max_bytes` on each shelf; the least recently used goes first.

    The file is made when it is first needed, for its owner's eyes only. One found broken is moved aside, to the same name
    with `.broken` behind it, and a new one begun. `clock` gives seconds since the epoch.
    """

    shared: ClassVar[bool] = True

    def __init__(
        self, path: Path, max_bytes: int, *, clock: Callable[[], float] = time.time, connect: Connect = sqlite3.connect
    ) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._clock = clock
        self._connect = connect
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()
        self._opening = Lock()
        self._writing = Lock()
        self._prepared = False
        self._inode: int | None = None
        self._generation = 0

    def get(self, shelf: Shelf, key: str) -> str | None:
        """The text kept under `key`, or None.

        Raises: StoreError.
        """
        now = self._clock()
        with self._connection() as connection:
            found = connection.execute(_FIND, (shelf, key, now)).fetchone()
        if found is None:
            return None
        if now - found[1] > TOUCH_AFTER_S:
            with suppress(StoreError), self._transaction() as connection:  # what was read is good all the same
                connection.execute("UPDATE kept SET used_at = ? WHERE shelf = ? AND key = ?", (now, shelf, key))
        return str(found[0])

    def put(self, shelf: Shelf, key: str, text: str, ttl_s: float) -> None:
        """Keep `text`; one larger than the whole shelf is not kept.

        Raises: StoreError.
        """
        with self._transaction() as connection:
            self._keep(connection, (shelf, key), text, ttl_s)

    def claim(self, shelf: Shelf, key: str, text: str, ttl_s: float) -> str | None:
        """None when `text` is kept now, else what is kept already.

        Raises: StoreError.
        """
        found = self.get(shelf, key)
        if found is None:
            with self._transaction() as connection:
                row = connection.execute(_FIND, (shelf, key, self._clock())).fetchone()
                if row is None:
                    self._keep(connection, (shelf, key), text, ttl_s)
                found = text if row is None else str(row[0])
        return None if found == text else found

    def swap(self, shelf: Shelf, key: str, old: str, new: str, ttl_s: float) -> None:
        """Keep `new` where `old` is kept.

        Raises: StoreError.
        """
        with self._transaction() as connection:
            row = connection.execute(_FIND, (shelf, key, self._clock())).fetchone()
            if row and row[0] == old:
                self._keep(connection, (shelf, key), new, ttl_s)

    def remove(self, shelf: Shelf, key: str, old: str) -> None:
        """Keep nothing where `old` is kept.

        Raises: StoreError.
        """
        with self._transaction() as connection:
            connection.execute("DELETE FROM kept WHERE shelf = ? AND key = ? AND text = ?", (shelf, key, old))

    def ready(self) -> str | None:
        """None when the file can be written to now, else the reason why not."""
        try:
            with self._transaction() as connection:
                connection.execute("DELETE FROM kept WHERE expires_at <= ?", (self._clock(),))
        except StoreError as error:
            return str(error)
        return None

    def close(self) -> None:
        """Close what is open and not in use."""
        with suppress(Empty):
            while True:
                self._idle.get_nowait().close()

    def _keep(self, connection: sqlite3.Connection, place: tuple[Shelf, str], text: str, ttl_s: float) -> None:
        now, (shelf, key) = self._clock(), place
        size_bytes = len(text.encode("utf-8")) + len(key)
        connection.execute("DELETE FROM kept WHERE expires_at <= ? OR (shelf = ? AND key = ?)", (now, shelf, key))
        if size_bytes > self._max_bytes:
            return
        (used_bytes,) = connection.execute(
            "SELECT coalesce(sum(size_bytes), 0) FROM total WHERE shelf = ?", (shelf,)
        ).fetchone()
        if used_bytes + size_bytes > self._max_bytes:
            connection.execute(_EVICT, (shelf, max(0, int(self._max_bytes * _KEPT_WHEN_FULL) - size_bytes)))
        connection.execute("INSERT INTO kept VALUES (?, ?, ?, ?, ?, ?)", (shelf, key, text, size_bytes, now, now + ttl_s))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection that may write: all of it is kept, or none.

        The lock is fair to the threads of this process, which SQLite's own, a sleep and another try, is not.
        """
        with _held(self._writing), self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection for one thread; it is kept for others afterwards unless something went wrong."""
        generation = self._generation
        try:
            connection = self._open()
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            if generation == self._generation and self._idle.qsize() < _KEPT_OPEN:
                self._idle.put(connection)
            else:
                connection.close()
        except sqlite3.Error as error:
            raise self._told(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE) & 0xFF, generation) from error
        except UnicodeDecodeError as error:  # of what SQLite says of a damaged table
            raise self._told(sqlite3.SQLITE_CORRUPT, generation) from error
        except OSError as error:
            raise StoreError("the cache file cannot be made") from error

    def _open(self) -> sqlite3.Connection:
        with suppress(Empty):
            return self._idle.get_nowait()
        if self._prepared:
            return self._opened()
        with _held(self._opening):
            if not self._prepared:
                self._inode = make_file(self._path)
            connection = self._opened()
            try:
                if not self._prepared:
                    prepare(connection, self._path)
                    self._prepared = True
            except BaseException:
                connection.close()
                raise
            return connection

    def _opened(self) -> sqlite3.Connection:
        # Only a file that is there: SQLite would make one that others may read.
        address = f"file:{quote(str(self._path.absolute()))}?mode=rw"
        connection = self._connect(address, uri=True, timeout=WAIT_S / 2, isolation_level=None, check_same_thread=False)
        connection.text_factory = _decoded
        try:
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _told(self, code: int, generation: int) -> StoreError:
        """The error of ours for one of SQLite's; a broken file is moved aside on the way."""
        if code in _BUSY:
            return StoreBusyError("the cache file is in use by others")
        with _held(self._opening):
            if generation == self._generation:
                self._generation += 1
                self._prepared = False
                self.close()
                if code in _BROKEN:
                    return self._set_aside()
        return StoreError(_REASONS.get(code, "the cache file cannot be used"))

    def _set_aside(self) -> StoreError:
        try:
            # Unless another process has put a new one in its place meanwhile.
            if self._path.stat().st_ino == self._inode:
                for suffix in ("-wal", "-shm"):  # a new file would be filled from an old log
                    self._beside(suffix).unlink(missing_ok=True)
                self._path.replace(self._beside(".broken"))
        except OSError:
            return StoreError("the cache file is broken and cannot be moved aside")
        return StoreError("the cache file was broken: it was moved aside and a new one is begun")

    def _beside(self, suffix: str) -> Path:
        return self._path.with_name(self._path.name + suffix)


def _decoded(data: bytes) -> str:
    """The text in a cell; a damaged one is told by whoever knows what was kept there."""
    return data.decode("utf-8", "replace")


@contextmanager
def _held(lock: Lock) -> Iterator[None]:
    if not lock.acquire(timeout=WAIT_S):
        raise StoreBusyError("the cache file is in use by others")
    try:
        yield
    finally:
        lock.release()
