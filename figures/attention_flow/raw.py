"""Raw attention: what each layer's heads give to each token, averaged over heads and layers; no path is followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .reached import Reached

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["raw_attention"]


def raw_attention(attention: Tensor, rows: Tensor) -> Reached:
    """Return what the positions `rows` [N] look at: of each layer [L, T, T] by itself, and the mean of all of them."""
    layers = attention[:, rows]
    return Reached(layers.mean(0), layers)
