"""Where the heads of each layer lie side by side: what the output projection of its attention reads."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from builder.errors import BuildError
from builder.model.projection import output_projection
from builder.model.trace import reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from builder.model import Run

    from .text import Text

__all__ = ["Heads", "masked", "read_heads"]


@dataclass(frozen=True)
class Heads:
    """What `projection` reads: n heads, each a part of the same width."""

    projection: nn.Module
    n: int
    vectors: Tensor
    """[T, n · d_head], what they are when nothing is taken out."""

    def mask(self, chosen: list[int | None]) -> Tensor:
        """Return which numbers are those of the chosen heads, [len(chosen), n · d_head]; of None, none."""
        mask = torch.zeros(len(chosen), self.n, self.vectors.shape[-1] // self.n, dtype=torch.bool)
        for row, head in enumerate(chosen):
            if head is not None:
                mask[row, head] = True
        return mask.flatten(1).to(self.vectors.device)


def read_heads(run: Run, text: Text) -> dict[int, Heads]:
    """Return the heads of every layer that has attention.

    In a model that does not go through transformers' interface it is taken to be the last projection of the attention
    that reads them; a check tells whether all heads taken out are the attention taken out.

    Raises `BuildError` where there is none.
    """
    part = run.attention.part("self")
    projections = [_projection(run, layer) for layer in part.layers]
    with torch.no_grad(), reading(projections) as read:
        run.model.forward_ids(text.ids[None])
    vectors = [read[number].reshape(len(text.ids), -1) for number in range(len(projections))]
    return {
        layer: Heads(projection, part.n_heads, found)
        for layer, projection, found in zip(part.layers, projections, vectors, strict=True)
    }


def _projection(run: Run, layer: int) -> nn.Module:
    try:
        return output_projection(run, "self", layer).module
    except BuildError:
        attention = run.model.structure.attentions[layer]
        inside = [] if attention is None else list(attention.modules())
        maps = [module for module in inside if getattr(getattr(module, "weight", None), "ndim", 0) == 2]
        if not maps:
            raise
        return maps[-1]


@contextlib.contextmanager
def masked(module: nn.Module, mask: Tensor, fill: Tensor | None = None) -> Iterator[None]:
    """Within: what a module reads [B, T, n] is, where `mask` [B, n] is true, 0 or `fill` [n], at every position."""

    def enter(_module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        x: Tensor = args[0]
        put = x.new_zeros(()) if fill is None else fill.to(x)
        return (torch.where(mask[:, None], put, x.reshape(len(mask), -1, mask.shape[-1])).reshape(x.shape), *args[1:])

    handle = module.register_forward_pre_hook(enter)
    try:
        yield
    finally:
        handle.remove()
