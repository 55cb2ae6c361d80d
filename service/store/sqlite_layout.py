"""The cache file as it is laid out: made, recognised as ours, and begun anew where its layout is an older one."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from service.store.base import StoreError

_APPLICATION_ID = 0x46434B43
_LAYOUT = 1
_SCHEMA = """
CREATE TABLE kept (
    shelf TEXT NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL, size_bytes INTEGER NOT NULL,
    used_at REAL NOT NULL, expires_at REAL NOT NULL, PRIMARY KEY (shelf, key)
);
CREATE INDEX kept_by_use ON kept (shelf, used_at, size_bytes);
CREATE INDEX kept_by_end ON kept (expires_at);
CREATE TABLE total (shelf TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL);
CREATE TRIGGER kept_more AFTER INSERT ON kept BEGIN
    INSERT INTO total VALUES (new.shelf, new.size_bytes) ON CONFLICT DO UPDATE SET size_bytes = size_bytes + new.size_bytes;
END;
CREATE TRIGGER kept_less AFTER DELETE ON kept BEGIN
    UPDATE total SET size_bytes = size_bytes - old.size_bytes WHERE shelf = old.shelf;
END;
"""


def make_file(path: Path) -> int:
    """The inode of the file at `path`, which is made for its owner alone when it is not there.

    One that is there is not opened: closing it would end every lock this process has on it.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    return path.stat().st_ino


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Nothing; the file is laid out as ours, and nobody else may read it.

    Raises: StoreError when it is another program's, sqlite3.Error.
    """
    if _recognised(connection):
        return
    if path.stat().st_uid == os.geteuid():
        path.chmod(0o600)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _recognised(connection):  # else another process was quicker
            for statement in (*(f'DROP TABLE "{name}"' for name in _tables(connection)), *_statements(_SCHEMA)):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {_LAYOUT}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _recognised(connection: sqlite3.Connection) -> bool:
    """Whether the file is laid out as this version does; it is empty, or laid out by another version of ours, when not.

    Raises: StoreError when it is another program's, sqlite3.Error.
    """
    owner, layout = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
    if owner != _APPLICATION_ID and _tables(connection):
        raise StoreError("the cache file is another program's database")
    return bool(owner == _APPLICATION_ID and layout == _LAYOUT)


def _tables(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]


def _statements(script: str) -> Iterator[str]:
    """The statements of `script`: sqlite3's own executescript would end the transaction first."""
    statement = ""
    for line in script.splitlines():
        statement += f"{line}\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
