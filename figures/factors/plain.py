"""NMF as Ecco calls scikit-learn, for numbers that a seed states; ours is in `builder/model/nmf.py`."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["plain_nmf"]


def plain_nmf(x: Tensor, k: int, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return W [T, k] and H [k, N] of X [T, N]: from a random start, at most 500 steps."""
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        method = NMF(k, init="random", random_state=seed, max_iter=500)
        w = method.fit_transform(x.numpy())
    return torch.from_numpy(w), torch.from_numpy(method.components_)
