"""Thumbnails of heads: weights of a few hundred heads, pooled so that all of them together are small."""

from __future__ import annotations

from math import ceil, isqrt
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from torch import Tensor

__all__ = ["Thumbnails", "pool", "tokens_a_dot"]

SIDE = 32
"""How many dots a thumbnail has at most on each side: cells on a phone are 24 to 32 pixels wide."""

MOST = 150_000
"""How many weights all thumbnails hold at most together: about 125 KB of JSON, in a figure that may have 200."""


class Thumbnails(NamedTuple):
    """The pooled weights of a part's heads."""

    weights: np.ndarray
    """[L · H, rows, columns] float32: layer by layer, in each head by head."""
    dots: tuple[int, int]
    """How many queries, and how many keys, a dot stands for."""


def tokens_a_dot(n_tokens: int, n_heads: int, *, causal: bool) -> int:
    """Return how many tokens a dot stands for, 1 wherever that fits: with all `n_heads` heads of a figure counted."""
    side = isqrt(MOST * (2 if causal else 1) // n_heads)
    return ceil(n_tokens / max(1, min(SIDE, side)))


def pool(layers: Sequence[Tensor], dots: tuple[int, int]) -> Thumbnails:
    """Pool the weights [H, Q, K] of each layer: a dot is the largest weight of the tokens that it stands for.

    The largest and not the mean: a single strong link would vanish in a mean. What lies above the diagonal of a causal
    part stays 0 where both sides are pooled alike.
    """
    import numpy as np

    heads = np.concatenate([layer.cpu().numpy() for layer in layers])
    for axis, size in zip((1, 2), dots, strict=True):
        heads = np.maximum.reduceat(heads, range(0, heads.shape[axis], size), axis=axis)
    return Thumbnails(heads, dots)
