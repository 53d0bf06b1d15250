"""Float64 for what needs its digits, on every device, and logits in float32 whatever the weights' format."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from .memory import rows
from .placement import present

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["double", "float_logits", "is_short", "tolerance"]

PIECE = 16 << 20
"""Bytes of a head's weights that are float32 at once."""


def double(tensor: Tensor, device: torch.device | None = None) -> Tensor:
    """Return a tensor in float64, where it lies or on a device; on the processor where that has none (Apple's MPS).

    So what it meets must be doubled too; `x.cpu().double()` is for what leaves the device anyway.
    """
    wanted = device or tensor.device
    return (tensor.cpu() if wanted.type == "mps" else tensor.to(wanted)).double()


def tolerance(dtype: torch.dtype, exact: float = 1e-4) -> float:
    """Return how far apart two ways to the same number may be, relative to its size, with weights of a format.

    `exact` for float32 and float64; half of the digits of a shorter format.
    """
    eps: float = torch.finfo(dtype).eps
    return exact if eps < 1e-6 else eps**0.5


def is_short(head: nn.Module) -> bool:
    """Whether a head is a plain matrix in a format of 16 bits: of its products only two or three digits would be left.

    A logit of 20 is then known to 0.1 at best, and likely tokens are as likely as each other.
    """
    return type(head) is nn.Linear and head.weight.dtype in (torch.bfloat16, torch.float16)


def float_logits(head: nn.Linear, states: Tensor) -> Tensor:
    """States [..., d] → logits [..., vocab] float32 by a head in another format, some rows of it at a time."""
    size = rows(4 * head.in_features, states.device, most=PIECE)
    with present(head):
        read = states.to(head.weight.device).float()
        pieces = torch.split(head.weight, size)
        logits = torch.cat([nn.functional.linear(read, piece.float()) for piece in pieces], -1)
        return logits if head.bias is None else logits + head.bias.float()
