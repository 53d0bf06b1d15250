"""Integrated gradients: (x − x′) ⊙ ∫₀¹ ∂f/∂x at x′ + α(x − x′) dα, which shares f(x) − f(x′) out over the tokens.

Sundararajan 2017, https://arxiv.org/abs/1703.01365.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from .gradients import at_once, gradients, precise

if TYPE_CHECKING:
    from torch import Tensor

    from .gradients import Network
    from .objective import Objective

__all__ = ["integrated_gradients", "quadrature"]


def integrated_gradients(
    network: Network,
    objective: Objective,
    x: Tensor,
    baseline: Tensor,
    positions: list[int],
    ids: Tensor,
    *,
    steps: int = 50,
) -> Tensor:
    """Return the signed values [B, L] of B targets at inputs and baseline [T, d], summed over d as Captum does.

    The whole text moves from x′ to x, so that all targets share each step's forward pass. The values of a target add
    up to f(x) − f(x′) as `steps` grows: their sum tells how far it has come.
    """
    length = positions[-1]
    start = precise(baseline[:length])
    path = precise(x[:length]) - start
    alphas, weights = (torch.tensor(part, dtype=path.dtype, device=x.device) for part in quadrature(steps))
    points = at_once(network, positions, path)
    total = torch.zeros((), device=x.device)
    for alpha, weight in zip(torch.split(alphas, points), torch.split(weights, points), strict=True):
        inputs = (start + alpha[:, None, None] * path).to(x.dtype)
        grads = gradients(network, objective, inputs, positions, ids)
        total = total + torch.einsum("balk,a->blk", grads, weight)
    return (total * path).sum(-1)


def quadrature(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return points and weights of the Gauss–Legendre rule on [0, 1]: exact for polynomials of degree 2·steps − 1."""
    points, weights = np.polynomial.legendre.leggauss(steps)
    return (points + 1) / 2, weights / 2
