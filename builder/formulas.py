"""`Formulas`: typeset formulas on disk, all in one file: a file for each would take as long as to typeset it."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3

__all__ = ["Formulas"]

PATIENCE = 5  # seconds to wait for another build that is writing; one row takes microseconds


class Formulas:
    """A table of texts by key, in SQLite. Any number of builds may read and write it at once, from any thread.

    A file that cannot be opened, read or written only costs time: then nothing is found and nothing is kept. One that
    is damaged is made anew.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._is_opened = False

    def find(self, key: str) -> str | None:
        """Return the text of that key, or None."""
        row = self._do("SELECT html FROM formulas WHERE key = ?", key)
        return row[0] if row and isinstance(row[0], str) and row[0] else None

    def put(self, key: str, html: str) -> None:
        """Keep a text under its key."""
        self._do("INSERT OR REPLACE INTO formulas VALUES (?, ?)", key, html)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection, self._is_opened = None, False

    def _do(self, statement: str, *values: str) -> Any:
        import sqlite3  # 5 ms, and only where there is mathematics

        with self._lock:
            if not self._is_opened:
                self._is_opened = True
                with contextlib.suppress(sqlite3.Error, OSError):
                    self._connection = _open(self.file)
            if self._connection is None:
                return None
            try:
                return self._connection.execute(statement, values).fetchone()
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
        if isinstance(error, sqlite3.OperationalError):
            raise
        file.unlink()  # no database, or a damaged one
        raise
    return connection
