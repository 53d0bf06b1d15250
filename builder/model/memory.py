"""How much memory one more computation may take on a device, and how much of its work goes through at once.

    rows(4 * vocab_size, device)  # how many rows of logits may be held at once
    rows(4 * vocab_size, device, most=32 << 20)  # where more than 32 MB is known not to pay on a processor
    for part, found in pieces(work, n, rows(4 * vocab_size, device)):
        ...  # found = work(part); a part that does not fit is halved and tried again

The size of a chunk changes how numbers are rounded. So it depends on the memory there is only where that is short:
on a machine with a gigabyte to spare it is always the same.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import re
from typing import TYPE_CHECKING, TypeVar

import torch

from ..machine import free_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["available", "budget", "give_back", "is_out_of_memory", "pieces", "rows", "share_with"]

MOST = 128 << 20
"""Bytes of a chunk on a processor, where nobody has measured better. Larger ones do not pay: the logit lens of smollm2
is fastest with 16 or 32 MB, and takes a fifth longer with 64 to 256."""
ON_CARDS = 8
"""How many times as much a chunk is on a graphics card, which wants more work at once: a choice, not a measurement."""
LEAST = 4 << 20
"""Below this the work is all overhead, and there is no memory for anything else either."""
SHARE = 8
"""A chunk takes this part of what is free at most: what is made of it, and a peak beside it, take theirs."""

_WORDS = re.compile(r"out of memory|can't allocate memory|cannot allocate memory|not enough memory|buffer size", re.I)
"""How torch and the system say it: a card, torch's allocator, a file that cannot be mapped, Windows, MPS."""
_Found = TypeVar("_Found")
_processes = 1


def share_with(processes: int) -> None:
    """Say that so many processes compute on this machine at once, this one included; `budget` divides by them."""
    global _processes
    _processes = max(1, processes)


def available(device: torch.device | str = "cpu") -> int:
    """Return how many bytes one more computation may take on a device now.

    On a processor its `free_memory`; on a graphics card what the driver says is free, and what torch holds of it and
    does not use.
    """
    device = torch.device(device)
    if device.type in ("cpu", "meta"):
        return free_memory()
    if device.type == "mps":  # its memory is the processor's
        return min(torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory(), free_memory())
    back_end = getattr(torch, device.type, None)
    try:
        free = int(back_end.mem_get_info(device)[0])  # type: ignore[union-attr]
    except (AttributeError, RuntimeError, TypeError, NotImplementedError):  # it does not say
        return SHARE * MOST
    with contextlib.suppress(AttributeError, RuntimeError, TypeError):
        free += int(back_end.memory_reserved(device)) - int(back_end.memory_allocated(device))  # type: ignore[union-attr]
    return free


def budget(device: torch.device | str = "cpu", processes: int | None = None, *, most: int = MOST) -> int:
    """Return how many bytes a chunk may take: a power of two, or `most`, `ON_CARDS` times that on a card.

    It is the same on a machine as long as memory is not short. `processes` share the machine (of `-j`; by default as
    `share_with` was told).
    """
    most *= 1 if torch.device(device).type in ("cpu", "meta") else ON_CARDS
    share = available(device) // SHARE // (processes or _processes)
    return min(max(1 << max(share, 1).bit_length() - 1, LEAST), most)


def rows(bytes_per_row: int, device: torch.device | str = "cpu", *, most: int = MOST) -> int:
    """Return how many rows of so many bytes each fit a chunk; at least one. `most` as of `budget`."""
    return max(1, budget(device, most=most) // max(1, bytes_per_row))


def pieces(work: Callable[[slice], _Found], n: int, size: int) -> Iterator[tuple[slice, _Found]]:
    """Yield parts of range(n), `size` long, with what `work` makes of each; one that does not fit memory is halved.

    Parts after it are as short: what failed once would fail again. Raises what `work` raises where even one does
    not fit. `work` must be able to be asked twice.
    """
    start = 0
    while start < n:
        part = slice(start, min(start + max(1, size), n))
        found = _attempt(work, part)
        if found:
            start = part.stop
            yield part, found[0]
        else:
            size = (part.stop - part.start + 1) // 2


def _attempt(work: Callable[[slice], _Found], part: slice) -> list[_Found]:
    """Return what `work` makes of a part, in a list that is empty where memory ran out and a shorter part may do."""
    try:
        return [work(part)]
    except (MemoryError, RuntimeError) as error:
        if part.stop - part.start == 1 or not is_out_of_memory(error):
            raise
    gc.collect()  # outside of `except`: the error holds the frames that hold what did not fit
    for back_end in (torch.cuda, torch.mps):
        if back_end.is_available():
            back_end.empty_cache()
    return []


def give_back() -> None:
    """Give the system what was freed, where the C library keeps it (glibc): holes of many sizes do not add up then."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a computation did not fit; torch says so in words only on some devices."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, (RuntimeError, OSError)) and bool(_WORDS.search(str(error)))
