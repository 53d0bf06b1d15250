"""What a process may take of the machine that it is on: memory, and cores. Nothing here imports torch."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["free_memory", "usable_cores"]


def usable_cores() -> int:
    """Return how many cores this process may run on, by its affinity (`taskset`, Slurm) where the system has that."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_memory() -> int:
    """Return how many bytes of the processor's memory this process may still take.

    The least of what is free physically, of what the control groups around this process leave it (containers, Slurm),
    and of its own limit (`ulimit -v`).
    """
    import psutil  # up to 50 ms, and most builds compute nothing

    free = [int(psutil.virtual_memory().available), *_left_by_groups()]
    if sys.platform != "win32":
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            free.append(limit - int(psutil.Process().memory_info().vms))
    return max(0, min(free))


def _left_by_groups(groups: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> Iterator[int]:
    """Yield what each control group around this process leaves it: its limit less what it uses and cannot let go of.

    Version 2 has one tree, version 1 one for memory; in a container the group's path may not be there, and its root
    is the tree that is seen. What is in the files: https://docs.kernel.org/admin-guide/cgroup-v2.html#memory
    """
    try:
        lines = groups.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            tree, names = root, ("memory.max", "memory.current", "")
        elif "memory" in controllers.split(","):
            tree, names = root / "memory", ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_")
        else:
            continue
        inner = PurePosixPath(path.lstrip("/"))
        for folder in (inner, *inner.parents):
            left = _left(tree / folder, *names)
            if left is not None:
                yield left


def _left(folder: Path, limit: str, usage: str, prefix: str) -> int | None:
    """Return what a control group leaves; None where it is not there or has no limit."""
    try:
        most = int((folder / limit).read_text(encoding="ascii"))  # `max` where there is none
        used = int((folder / usage).read_text(encoding="ascii"))
        told = (folder / "memory.stat").read_text(encoding="ascii")
    except (OSError, ValueError):
        return None
    files = re.findall(rf"^{prefix}(?:in)?active_file (\d+)$", told, re.M)  # weights just read, above all
    return most - used + sum(map(int, files))
