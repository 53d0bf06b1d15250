"""The layered graph that attention is: an edge from each token to those it looks at, as float64, heads averaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from builder.model.attention import Attention

__all__ = ["head_means", "rescaled", "with_residual", "without_first"]


def head_means(attention: Attention, part: str, layers: Sequence[int]) -> Tensor:
    """Return the mean of the heads' attention weights of each layer, [L, Q, K] float64 on the CPU; rows sum to 1.

    Where a model lets attention go to a place that is no token (gpt-oss), it is what is left that sums to 1.
    """
    means = torch.stack([attention.weights(part, layer).cpu().double().mean(0) for layer in layers])
    return rescaled(means)


def rescaled(rows: Tensor) -> Tensor:
    """Return numbers ≥ 0, [L, Q, K], with each row divided by its sum; a token that gets nothing keeps to itself."""
    sums = rows.sum(-1, keepdim=True)
    alone = torch.eye(*rows.shape[-2:], dtype=rows.dtype, device=rows.device).expand_as(rows)
    return torch.where(sums > 0, rows / sums.clamp_min(1e-300), alone)


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
    return (attention + torch.eye(attention.shape[-1], dtype=attention.dtype)) / 2
