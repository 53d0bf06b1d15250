"""How much memory a chunk takes, and what happens where it does not fit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from builder.model import memory
from builder.model.memory import LEAST, MOST, available, budget, pieces, rows

GIGABYTE = 1 << 30


def test_what_is_free_is_less_than_what_there_is() -> None:
    """A computation may not take what others hold: the machine's memory is more than what is available."""
    import psutil

    assert 0 < available("cpu") < psutil.virtual_memory().total


@pytest.mark.parametrize("free", [1.1, 1.9, 7.3, 500])
def test_chunks_do_not_depend_on_memory_that_is_not_short(free: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same machine gives the same bytes: how much happens to be free does not change how numbers are rounded."""
    monkeypatch.setattr(memory, "available", lambda device: int(free * GIGABYTE))
    assert budget("cpu") == MOST


def test_chunks_shrink_by_halves_where_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A share of what is free, rounded down to a power of two; at least what is worth the overhead."""
    for free, wanted in ((600 << 20, 64 << 20), (513 << 20, 64 << 20), (511 << 20, 32 << 20), (1 << 20, LEAST)):
        monkeypatch.setattr(memory, "available", lambda device, free=free: free)
        assert budget("cpu") == wanted


def test_processes_share_the_memory_of_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of four processes takes a quarter of what one would where memory is short."""
    monkeypatch.setattr(memory, "available", lambda device: GIGABYTE)
    monkeypatch.setattr(memory, "_processes", 1)
    assert budget("cpu", processes=4) == MOST // 4
    memory.share_with(4)
    assert budget("cpu") == MOST // 4


def test_rows_are_as_many_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows fill a chunk and no more; one row goes through however large it is."""
    monkeypatch.setattr(memory, "available", lambda device: 64 * GIGABYTE)
    assert rows(4 * 49_152) == MOST // (4 * 49_152)
    assert rows(4 * 49_152, most=32 << 20) == (32 << 20) // (4 * 49_152)
    assert rows(4 * GIGABYTE) == 1


def test_pieces_cover_everything_once_and_in_order() -> None:
    """Parts are as long as asked, the last one shorter."""
    assert list(pieces(lambda part: part.stop - part.start, 7, 3)) == [
        (slice(0, 3), 3),
        (slice(3, 6), 3),
        (slice(6, 7), 1),
    ]
    assert not list(pieces(lambda part: part, 0, 3))


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("unable to mmap 538090408 bytes from file <model.safetensors>: Cannot allocate memory (12)"),
    ],
)
def test_a_piece_that_does_not_fit_is_halved_and_tried_again(error: Exception) -> None:
    """Out of memory at six rows, not at three: everything is done once, in threes."""
    tried: list[slice] = []

    def work(part: slice) -> list[int]:
        tried.append(part)
        if part.stop - part.start > 3:
            raise error
        return list(range(part.start, part.stop))

    assert [found for _, found in pieces(work, 8, 6)] == [[0, 1, 2], [3, 4, 5], [6, 7]]
    assert tried[0] == slice(0, 6)


def test_one_row_that_does_not_fit_is_an_error() -> None:
    """Where nothing can be halved any more, the error goes on to the engine, which names the figure."""

    def work(part: slice) -> None:
        raise torch.OutOfMemoryError("out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        list(pieces(work, 4, 4))


def test_other_errors_are_not_tried_again() -> None:
    """A wrong shape is wrong at any size."""
    tried = []

    def work(part: slice) -> None:
        tried.append(part)
        raise RuntimeError("shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        list(pieces(work, 4, 4))
    assert len(tried) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="`ulimit -v` is Linux's")
def test_a_process_s_own_limit_counts() -> None:
    """Under `ulimit -v` there is only what is left of it, whatever the machine has."""
    program = (
        "import resource; from builder.model.memory import available; import psutil\n"
        "limit = psutil.Process().memory_info().vms + (300 << 20)\n"
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
        "assert 0 < available('cpu') <= 300 << 20, available('cpu')\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=True)
