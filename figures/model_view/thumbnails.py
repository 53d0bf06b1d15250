"""Thumbnails of heads: weights of a few hundred heads, pooled so that all of them together are small."""

from __future__ import annotations

from math import ceil, isqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

__all__ = ["pool", "tokens_a_dot"]

SIDE = 32
"""How many dots a thumbnail has at most on each side: cells on a phone are 24 to 32 pixels wide."""

MOST = 150_000
"""How many weights all thumbnails hold at most together: about 125 KB of JSON, in a figure that may have 200."""


def tokens_a_dot(n_tokens: int, n_heads: int, *, causal: bool) -> int:
    """Return how many tokens a dot stands for, 1 wherever that fits: with all `n_heads` heads of a figure counted."""
    side = isqrt(MOST * (2 if causal else 1) // n_heads)
    return ceil(n_tokens / max(1, min(SIDE, side)))


def pool(weights: Tensor, dots: tuple[int, int]) -> np.ndarray:
    """Pool the weights [H, Q, K] of a layer to [H, rows, columns]: a dot is the largest of the tokens it stands for.

    `dots` says for how many queries and keys that is. The largest and not the mean: a single strong link would vanish
    in a mean. What lies above the diagonal of a causal part stays 0 where both sides are pooled alike.
    """
    import numpy as np

    heads: np.ndarray = weights.cpu().numpy()
    for axis, size in zip((1, 2), dots, strict=True):
        heads = np.maximum.reduceat(heads, range(0, heads.shape[axis], size), axis=axis)
    return heads
