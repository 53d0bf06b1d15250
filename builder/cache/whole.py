"""`write_atomically`: files that are whole or not there at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

__all__ = ["is_whole", "last_byte", "write_atomically"]


def write_atomically(path: Path, content: bytes) -> None:
    """Put `content` at `path` at once or not at all: a temporary file beside it, then a rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def is_whole(piece: Path) -> bool:
    """Whether a piece's file ends as its JSON does: a machine that lost its power may leave a file short, or empty."""
    return last_byte(piece) == b"}"


def last_byte(file: Path) -> bytes | None:
    """Return what a file ends with; None where it is empty, not there, or cannot be read."""
    try:
        with file.open("rb") as stream:
            stream.seek(-1, os.SEEK_END)
            return stream.read()
    except OSError:
        return None
