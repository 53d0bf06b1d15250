"""What is left of a machine, as containers, Slurm and the process's own limits let it be."""

from __future__ import annotations

import os
from pathlib import Path

from builder import machine


def _group(folder: Path, limit: str, used: int, cached: int, *, version: int = 2) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    names = ("memory.max", "memory.current") if version == 2 else ("memory.limit_in_bytes", "memory.usage_in_bytes")
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    key = "" if version == 2 else "total_"
    told = f"anon 5\n{key}inactive_file {cached - cached // 3}\n{key}active_file {cached // 3}\n"
    (folder / "memory.stat").write_text(told)


def test_the_tightest_control_group_counts(tmp_path: Path) -> None:
    """Each group around a process limits it; files that the kernel would let go of are no use of memory."""
    _group(tmp_path / "job" / "step", "max", 10, 0)
    _group(tmp_path / "job", "1000", 400, 150)
    _group(tmp_path, "9000", 500, 0)
    (tmp_path / "own").write_text("0::/job/step\n")
    assert sorted(machine._left_by_groups(tmp_path / "own", tmp_path)) == [750, 8500]


def test_containers_of_version_1_show_their_root(tmp_path: Path) -> None:
    """The path names a group of the host's, which is not there: the root of what is seen is the container's own."""
    _group(tmp_path / "memory", "2000", 600, 100, version=1)
    (tmp_path / "own").write_text("4:cpu:/docker/abc\n3:memory:/docker/abc\n0::/\n")
    assert list(machine._left_by_groups(tmp_path / "own", tmp_path)) == [1500]


def test_a_machine_without_control_groups_is_not_limited_by_them(tmp_path: Path) -> None:
    """Neither macOS nor Windows has any."""
    assert not list(machine._left_by_groups(tmp_path / "none", tmp_path))


def test_cores_are_those_that_the_process_may_run_on() -> None:
    """Where the system has affinities, one that is bound to a core has one, however many the machine has."""
    if not hasattr(os, "sched_setaffinity"):
        assert machine.usable_cores() == os.cpu_count()
        return
    mine = os.sched_getaffinity(0)
    assert machine.usable_cores() == len(mine)
    try:
        os.sched_setaffinity(0, {min(mine)})
        assert machine.usable_cores() == 1
    finally:
        os.sched_setaffinity(0, mine)
