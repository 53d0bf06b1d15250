"""A neuron's part in a token's scores: how much of the differences between them it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

__all__ = ["shares"]


def shares(products: np.ndarray, score: np.ndarray | None = None) -> np.ndarray:
    """Return cov(p_j, s) / var(s) of products p [keys, d_head] and their sums s [keys]: numbers that sum to 1.

    Softmax does not change when all scores grow by the same, so a neuron whose products are alike for all keys has no
    part in the weights, however large they are; one whose products vary against the scores has a negative part. With
    `score` that is used in place of the sums: a key's distance, say, where they sum to the regression's slope.
    """
    import numpy as np

    score = products.sum(axis=1) if score is None else score
    centred = score - score.mean()
    variance = float((centred**2).sum())
    if variance <= 1e-12 * float((products**2).sum()):
        return np.zeros(products.shape[1])
    found: np.ndarray = ((products - products.mean(axis=0)) * centred[:, None]).sum(axis=0) / variance
    return found
