"""Attention rollout: how attention over many layers adds up if it multiplies along every path.

Abnar & Zuidema 2020, https://arxiv.org/abs/2005.00928
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch

from .reached import Reached

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["attention_rollout", "column_ends", "steps_between", "walk_back"]


def attention_rollout(edges: Tensor, rows: Tensor) -> Reached:
    """Return rows of E_ℓ ··· E_1 E_0 for edges [L, T, T] = (A + I) / 2, heads averaged, after each layer ℓ.

    The share of token k in position q is the sum over all paths from q in the last layer down to k in the input, of the
    product of their edges.
    """
    product = torch.eye(edges.shape[-1], dtype=edges.dtype)
    layers = edges.new_empty(len(edges), len(rows), edges.shape[-1])
    for edge, layer in zip(edges, layers, strict=True):
        product = edge @ product
        layer.copy_(product[rows])
    return Reached(layers[-1], layers)


def walk_back(edges: Tensor, row: int) -> Tensor:
    """Return the rollout [T] of one position by another way: from the last layer to the first, a vector at a time."""
    mass = torch.zeros(edges.shape[-1], dtype=edges.dtype)
    mass[row] = 1
    for edge in reversed(edges):
        mass = mass @ edge
    return mass


def column_ends(n_layers: int, most: int = 8) -> list[int]:
    """Return how many layers lie below each column of a drawing: 0 for the input, then every n-th, `most` in all.

    >>> column_ends(30)
    [0, 5, 10, 15, 20, 25, 30]
    """
    step = -(-n_layers // (most - 1))
    return [*range(0, n_layers, step), n_layers]


def steps_between(edges: Tensor, ends: Sequence[int]) -> Tensor:
    """Return the rollout from each column to the next one, [columns − 1, T, T]; their product is the whole rollout."""
    steps = []
    for start, end in pairwise(ends):
        product = torch.eye(edges.shape[-1], dtype=edges.dtype)
        for edge in edges[start:end]:
            product = edge @ product
        steps.append(product)
    return torch.stack(steps)
