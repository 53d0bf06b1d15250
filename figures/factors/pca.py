"""Principal components, by the tokens × tokens Gram matrix: exact, and the same whatever the number of neurons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["pca"]

NEURONS = 4096
"""How many are worked on at once."""


def pca(x: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return W [T, k] and H [k, N] with orthonormal rows, the best WH for X [T, N] whose columns have mean 0.

    XXᵀ = U S² Uᵀ and X = U S Vᵀ, so W is U S and H is (U S)⁻¹ X. The Gram matrix is taken in float64: squaring costs
    half of the digits. Pearson 1901, https://doi.org/10.1080/14786440109462720
    """
    gram = torch.zeros(len(x), len(x), dtype=torch.float64)
    for part in torch.split(x, NEURONS, dim=1):  # a copy of all in float64 would be twice as large as they are
        wide = part.double()
        gram.addmm_(wide, wide.T)
    squares, vectors = torch.linalg.eigh(gram)
    sizes = squares.flip(0)[:k].clamp_min(torch.finfo(torch.float64).tiny).sqrt()
    left = vectors.flip(1)[:, :k]
    back = (left / sizes).T
    parts = torch.split(x, NEURONS, dim=1)
    return (left * sizes).float(), torch.cat([(back @ part.double()).float() for part in parts], 1)
