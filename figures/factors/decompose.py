"""A decomposition of activations: factors with unit weights on the neurons, the one of most energy first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from builder.model.nmf import Known, nmf

from .fastica import fastica
from .pca import pca
from .plain import plain_nmf

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ROWS", "Decomposition", "decompose", "missed", "positive_parts"]

ROWS = 16
"""Tokens that are worked on at once where a copy is made of them: of SmolLM2's neurons 3 MB."""
SAMPLE = 48
"""Neurons, and tokens, of which the check solves the least squares exactly."""


@dataclass(frozen=True)
class Decomposition:
    """X [T, N] ≈ W [T, k] H [k, N]; the rows of H have length 1, so that the columns of W can be compared.

    `energy` [k] are shares of ‖X‖²: ⟨w_j h_j, X⟩ of each factor, which at a minimum add up to `explained`,
    1 − ‖X − WH‖² / ‖X‖². `slack` is the share of the energy that exact least squares add.
    """

    w: Tensor
    h: Tensor
    energy: list[float]
    explained: float
    slack: float
    converged: bool


def positive_parts(x: Tensor, *, split: bool) -> Tensor:
    """Return max(X, 0) [T, N], in place, or [X⁺; X⁻] [T, 2N], from which X can be had back."""
    if not split:
        return x.clamp_min_(0)
    both = x.new_empty(len(x), 2 * x.shape[1])
    torch.clamp(x, min=0, out=both[:, : x.shape[1]])
    torch.neg(x, out=both[:, x.shape[1] :])
    both[:, x.shape[1] :].clamp_min_(0)
    return both


def missed(x: Tensor, w: Tensor, h: Tensor) -> float:
    """Return ‖X − WH‖², a few rows at a time."""
    parts = zip(torch.split(x, ROWS), torch.split(w, ROWS), strict=True)
    return sum(float((part - rows @ h).square_().sum(dtype=torch.float64)) for part, rows in parts)


def decompose(known: Known, k: int, method: str, *, seed: int = 0) -> Decomposition:
    """Decompose X [T, N] float32: `nmf` and `plain_nmf` take X ≥ 0, `pca` and `fastica` columns of mean 0.

    The sign of a signed factor is that of its largest number over the tokens.
    """
    x, converged = known.x, True
    if method == "pca":
        w, h = pca(x, k)
    elif method == "fastica":
        w, h, converged = fastica(x, k, seed=seed)
    elif method == "nmf":
        w, h = nmf(known, k, seed=seed)
    else:
        w, h = plain_nmf(x, k, seed=seed)
    lengths = h.norm(dim=1)
    w, h = w * lengths, h / lengths.clamp_min(torch.finfo(h.dtype).tiny)[:, None]
    signs = w.gather(0, w.abs().argmax(0, keepdim=True)).sign()[0]
    w, h = w * torch.where(signs < 0, -1, 1), h * torch.where(signs < 0, -1, 1)[:, None]
    energy = (w * (x @ h.T)).sum(0, dtype=torch.float64) / known.energy
    order = energy.argsort(descending=True, stable=True)
    w, h = w[:, order].contiguous(), h[order].contiguous()
    explained = 1 - missed(x, w, h) / known.energy
    slack = _slack(known, w, h) if method in {"nmf", "plain_nmf"} else 0.0
    return Decomposition(w, h, energy[order].tolist(), explained, slack, converged)


def _slack(known: Known, w: Tensor, h: Tensor) -> float:
    """Return by how much exact non-negative least squares (Lawson & Hanson's) lower the error of some rows of W or H.

    As a share of the energy of those neurons, or tokens: the loudest, and others evenly down to the quietest.
    """
    tokens = torch.stack([row.square().sum(dtype=torch.float64) for row in known.x])
    order = tokens.argsort(descending=True, stable=True)
    return max(_gain(known.x, w, h, known.energies, known.order), _gain(known.x.T, h.T, w.T, tokens, order))


def _gain(x: Tensor, w: Tensor, h: Tensor, energies: Tensor, order: Tensor) -> float:
    """Of columns of X, whose energies are given, and their order by these."""
    from scipy.optimize import nnls

    half = min(SAMPLE // 2, len(order))
    columns = sorted({*order[:half].tolist(), *order[torch.linspace(0, len(order) - 1, half).long()].tolist()})
    basis, a = torch.linalg.qr(w.double())  # what lies outside of the basis no solution reaches: k numbers are left
    b = basis.T @ x[:, columns].double()
    ours = float(((a @ h[:, columns].double() - b) ** 2).sum())
    exact = sum(float(nnls(a.numpy(), column.numpy())[1]) ** 2 for column in b.T)
    return (ours - exact) / max(float(energies[columns].sum()), 1e-30)
