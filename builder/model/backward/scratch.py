"""`Scratch`: memory for what is made of a piece of the work and read once, the same for every piece."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["Scratch"]


class Scratch:
    """Tensors by name, whose memory is taken again when the name is asked for again.

    The system hands out memory page by page, each zeroed. Where a tensor of 4 MB is made and let go of for each piece,
    that takes five times as long as filling it.
    """

    def __init__(self) -> None:
        self._held: dict[tuple[str, torch.device], Tensor] = {}

    def clear(self) -> None:
        """Let go of all memory."""
        self._held.clear()

    def take(self, name: str, like: Tensor, *shape: int) -> Tensor:
        """Return a tensor of any numbers, of a shape, with the type and device of another.

        What had the name before is lost.
        """
        size, held = prod(shape), self._held.get((name, like.device))
        if held is None or held.numel() < size or held.dtype != like.dtype:
            held = self._held[name, like.device] = like.new_empty(size)
        return held[:size].view(shape)
