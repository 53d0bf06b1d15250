"""`find_device()`: what to compute on."""

from __future__ import annotations

import os

from ..errors import BuildError

__all__ = ["find_device"]


def find_device(name: str) -> str:
    """Return the device to compute on. Raises `BuildError` where this machine, or this torch, has none of that name."""
    # before torch starts its threads: waiting ones should sleep, not spin, on cores that others want too
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    if name == "auto":  # mps only when it is asked for: not all that gradients need is there
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError, ImportError) as error:  # each back end refuses in its own way
        why = str(error).strip().partition("\n")[0]
        raise BuildError(f"invalid device: {name} cannot be had here: {why}") from error
    return name
