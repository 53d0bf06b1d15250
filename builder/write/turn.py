"""The lock of an output: of two builds into one folder, one writes after the other."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

from ..errors import BuildError
from ..folders import cache_folder

__all__ = ["forget_output", "turn"]

PATIENCE = 120
"""Seconds to wait for another build that writes into the same output; writing takes about one."""


@contextlib.contextmanager
def turn(output: Path) -> Iterator[None]:
    """Within: the lock of this output is held.

    Where the cache cannot be written (a read-only one that CI publishes from) there is no lock.
    """
    import filelock  # 35 ms, and `fanlight --help` has no use for it

    file = _lock(output)
    lock = filelock.FileLock(file, timeout=PATIENCE)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout as error:
        raise BuildError(f"broken output: another build has been writing for {PATIENCE} s", output) from error
    except OSError:
        pass
    try:
        yield
    finally:
        lock.release()


def forget_output(output: Path) -> None:
    """Remove the lock of an output that nobody else writes into and that is not kept."""
    with contextlib.suppress(OSError):
        _lock(output).unlink()


def _lock(output: Path) -> Path:
    return cache_folder() / "locks" / f"{hashlib.sha256(str(output.resolve()).encode()).hexdigest()[:16]}.lock"
