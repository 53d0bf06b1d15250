"""Float64 for what needs its digits, on every device."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["double"]


def double(tensor: Tensor, device: torch.device | None = None) -> Tensor:
    """Return a tensor in float64, where it lies or on a device; on the processor where that has none (Apple's MPS).

    So what it meets must be doubled too; `x.cpu().double()` is for what leaves the device anyway.
    """
    wanted = device or tensor.device
    return (tensor.cpu() if wanted.type == "mps" else tensor.to(wanted)).double()
