"""`Formulas`: typeset formulas on disk, all in one file: a file for each would take as long as to typeset it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import sqlite3

__all__ = ["Formulas"]

AT_ONCE = 500  # keys; SQLite's oldest limit is 999
PATIENCE = 5  # seconds to wait for another build that is writing; it takes milliseconds

T = TypeVar("T")


class Formulas:
    """A table of texts by key, in SQLite. Any number of builds may read and write it at once, from any thread.

    What is put is written by `flush`, all of it at once. A file that cannot be opened, read or written only costs
    time: then nothing is found and nothing is kept. One that is damaged is made anew.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._is_opened = False
        self._process = os.getpid()
        self._others: sqlite3.Connection | None = None
        self._new: dict[str, str] = {}

    def find(self, key: str) -> str | None:
        """Return the text of that key, or None."""
        return self.find_many([key]).get(key)

    def find_many(self, keys: Sequence[str]) -> dict[str, str]:
        """Return the texts of those keys that there are, by key."""
        found = {key: self._new[key] for key in keys if self._new.get(key)}
        for start in range(0, len(keys), AT_ONCE):
            some = keys[start : start + AT_ONCE]
            found |= dict(self._do(partial(_select, keys=some)) or ())
        return found

    def put(self, key: str, html: str) -> None:
        """Keep a text under its key."""
        self._new[key] = html

    def flush(self) -> None:
        """Write what is new."""
        new, self._new = self._new, {}
        if new:
            self._do(lambda it: _insert(it, list(new.items())))

    def close(self) -> None:
        """Write what is new, and let go of the file."""
        self.flush()
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection, self._is_opened = None, False

    def _do(self, action: Callable[[sqlite3.Connection], T]) -> T | None:
        import sqlite3  # 5 ms, and only where there is mathematics

        if self._process != os.getpid():  # a fork: the connection is the other process's, and not even ours to close
            self._process, self._lock, self._others = os.getpid(), threading.Lock(), self._connection
            self._connection, self._is_opened = None, False
        with self._lock:
            if not self._is_opened:
                self._is_opened = True
                with contextlib.suppress(sqlite3.Error, OSError):
                    self._connection = _open(self.file)
            if self._connection is None:
                return None
            try:
                return action(self._connection)
            except sqlite3.OperationalError:  # somebody else is writing for too long, or the disk is full
                return None
            except sqlite3.Error:
                self._connection.close()
                self._connection, self._is_opened = None, False
                with contextlib.suppress(OSError):
                    self.file.unlink()
                return None


def _open(file: Path) -> sqlite3.Connection:
    import sqlite3

    file.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(file, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")  # readers need not wait for a writer
        connection.execute("PRAGMA synchronous = OFF")  # what a power cut takes is typeset again
        connection.execute("CREATE TABLE IF NOT EXISTS formulas (key TEXT PRIMARY KEY, html TEXT) WITHOUT ROWID")
    except sqlite3.DatabaseError as error:
        connection.close()
        if not isinstance(error, sqlite3.OperationalError):
            file.unlink()  # no database, or a damaged one
        raise
    return connection


def _select(connection: sqlite3.Connection, keys: Sequence[str]) -> list[tuple[str, str]]:
    marks = ", ".join("?" * len(keys))
    rows = connection.execute(f"SELECT key, html FROM formulas WHERE key IN ({marks})", keys)  # noqa: S608 - marks only
    return [(key, html) for key, html in rows if isinstance(html, str) and html]


def _insert(connection: sqlite3.Connection, rows: list[tuple[str, str]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany("INSERT OR REPLACE INTO formulas VALUES (?, ?)", rows)
    finally:
        connection.execute("COMMIT")
