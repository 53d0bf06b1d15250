"""Independent components over the tokens: scikit-learn's FastICA on whitened principal components."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import torch

from .pca import pca

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["fastica"]

STEPS, TOLERANCE = 2000, 1e-5


def fastica(x: Tensor, k: int, *, seed: int = 0) -> tuple[Tensor, Tensor, bool]:
    """Return W [T, k], whose columns are uncorrelated and as independent as can be, H [k, N], and whether it converged.

    X [T, N] has columns of mean 0; WH is what k principal components hold of it. Tokens are the samples. Whitening goes
    by the Gram matrix; the rotation is scikit-learn's. Hyvärinen & Oja 2000, https://doi.org/10.1016/S0893-6080(00)00026-5
    """
    from sklearn.decomposition import FastICA
    from sklearn.exceptions import ConvergenceWarning

    scores, components = pca(x, k)
    signs = torch.where(components[:, :1] < 0, -1.0, 1.0)  # as scikit-learn has them: the start of the search counts
    scores, components = scores * signs.T, components * signs
    white = scores.double() * len(x) ** 0.5 / scores.double().norm(dim=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        method = FastICA(whiten=False, random_state=seed, max_iter=STEPS, tol=TOLERANCE)
        sources = torch.from_numpy(method.fit_transform(white.numpy()))
    mixing = sources.T @ scores.double() / len(x)  # the sources are white: their pseudo-inverse is their transpose
    return sources.float(), (mixing @ components.double()).float(), method.n_iter_ < STEPS
