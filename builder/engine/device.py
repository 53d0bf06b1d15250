"""`find_device()`: what to compute on."""

from __future__ import annotations

import os
import re
from typing import Any

from ..errors import BuildError

__all__ = ["find_device"]

SPINS = "10000"
"""How often torch's threads look for work before they sleep: some 30 µs. Threads that sleep at once made a saliency on
two cores take 2.7 s instead of 1.8; those that never do take the cores that others want."""


def find_device(name: str) -> str:
    """Return the device to compute on; the processes of `-j` take the cards of a machine in turn.

    `auto` is a card (CUDA, ROCm) where there is one, else the processor. Apple's `mps` must be asked for: operations
    that it lacks are computed by the processor. Raises `BuildError` where this machine, or this torch, has no such
    device, with those it has.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)  # read when torch is loaded
    os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")  # read when torch is loaded
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError, ImportError) as error:  # each back end refuses in its own way
        why = str(error).strip().partition("\n")[0]
        here = ", ".join(_devices(torch))
        raise BuildError(f"invalid device: {name} cannot be had here: {why} (here: {here})") from error
    return _take_turns(name, getattr(torch, name, None))


def _take_turns(name: str, back_end: Any) -> str:
    """Return a card of its own for a process of `-j`, as far as there are enough, where it is not said which."""
    import multiprocessing  # 10 ms, and most builds compute nothing

    own = re.fullmatch(r"\w*Process-(\d+)", multiprocessing.current_process().name)
    cards = getattr(back_end, "device_count", lambda: 0)() if own and name != "cpu" else 0
    return f"{name}:{(int(own[1]) - 1) % cards}" if own and cards > 1 else name


def _devices(torch: Any) -> list[str]:
    """Return what this machine has, as `--device` calls it."""
    found = ["cpu"]
    for kind in ("cuda", "xpu"):
        back_end = getattr(torch, kind, None)
        if back_end is not None and back_end.is_available():
            found += [f"{kind}:{number}" for number in range(back_end.device_count())]
    return [*found, "mps"] if torch.backends.mps.is_available() else found
