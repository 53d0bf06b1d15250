"""The layered graph that attention is: an edge from each token to those it looks at, as float64, heads averaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from builder.model.packing import prove_layer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from builder.model.attention import Attention

__all__ = ["head_means", "rescaled", "with_residual", "without_first"]


def head_means(attention: Attention, part: str, layers: Sequence[int]) -> Tensor:
    """Return the mean of the heads' attention weights of each layer, [L, Q, K] float64 on the CPU; rows sum to 1.

    Where a model lets attention go to a place that is no token (gpt-oss), it is what is left that sums to 1.
    """
    first = attention.parts[part]
    shape = (len(layers), *(end - start for start, end in (first.queries, first.keys)))
    means = torch.empty(shape, dtype=torch.float64)
    for row, layer in zip(means, layers, strict=True):
        prove_layer(attention, part, layer)  # all that is asked of a layer, before the next one is captured
        row.copy_(attention.weights(part, layer).mean(0))
    return rescaled(means)


def rescaled(rows: Tensor) -> Tensor:
    """Divide each row of numbers ≥ 0, [L, Q, K], by its sum, in place; a token that gets nothing keeps to itself."""
    alone = torch.eye(*rows.shape[-2:], dtype=rows.dtype, device=rows.device)
    for layer in rows:
        sums = layer.sum(-1, keepdim=True)
        layer.div_(sums.clamp_min(1e-300))
        layer[sums[:, 0] <= 0] = alone[sums[:, 0] <= 0]
    return rows


def without_first(attention: Tensor) -> Tensor:
    """Return [L, T, T] in which nobody looks at token 0, and what each gives to the others is rescaled to 1.

    A token that looked at nothing else keeps to itself, as token 0 does.
    """
    rest = attention.clone()
    rest[..., 0] = 0
    rest[:, 0] = 0
    return rescaled(rest)


def with_residual(attention: Tensor) -> Tensor:
    """Return (A + I) / 2 of each layer: half of a token's state comes by the residual connection, by assumption."""
    edges = attention / 2
    edges.diagonal(dim1=-2, dim2=-1).add_(0.5)
    return edges
