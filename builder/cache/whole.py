"""`write_atomically`: files that are whole or not there at all."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

__all__ = ["is_whole", "last_byte", "remove_parts", "write_atomically"]

PART = ".part"
"""How a file's name ends while it is written."""

OLD = 3600.0
"""Seconds in which every file is written."""


def write_atomically(path: Path, content: bytes) -> None:
    """Put `content` at `path` at once or not at all: a temporary file beside it, then a rename.

    Who may read it is as the process has it (`umask`): files of `tempfile` are their owner's alone, and others share
    the folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.parent / f".{path.name}.{os.urandom(8).hex()}{PART}"
    try:
        with part.open("xb") as file:
            file.write(content)
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def remove_parts(folder: Path) -> None:
    """Remove what writers who were killed left anywhere in `folder`: parts that nobody has touched for an hour."""
    now = time.time()
    for at, _, names in os.walk(folder):  # which minds no folder that goes meanwhile; `rglob` does
        for file in (Path(at, name) for name in names if name.startswith(".") and name.endswith(PART)):
            with contextlib.suppress(OSError):  # it has become whole, or somebody else was here
                if now - file.stat().st_mtime > OLD:
                    file.unlink()


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
