"""Non-negative matrix factorisation X ≈ W H by hierarchical alternating least squares, the loudest neurons first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["nmf"]

LOUD = 0.95
"""The share of the energy that the loud neurons hold: of 46,080 of SmolLM2, three to five thousand."""
STARTS = 4
ROWS = 16
"""Tokens that are worked on at once where a copy is made of them."""
SHORT = 20
"""Steps after which the starts are compared."""
STEPS = 500
COARSE, FINE = 1e-5, 3e-6
"""A step that lowers the error by a smaller share than this is the last one, of the loud neurons and of all."""


def nmf(x: Tensor, k: int, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return W [T, k] and H [k, N], both ≥ 0, that make ‖X − WH‖ small, of X [T, N] ≥ 0 in float32.

    Coordinate descent as of Cichocki & Phan 2009 (doi:10.1587/transfun.E92.A.708), factor by factor. T is much smaller
    than N, and few neurons hold most of the energy. So the way is gone on these first, from `nndsvda` (Boutsidis &
    Gallopoulos 2008) and from random starts of which the best goes on, and only its end on all neurons: the minimum
    is one of the whole problem, at a tenth of the time (tests/benchmarks/factors.py). Lee & Seung 1999, https://doi.org/10.1038/44565
    """
    # a few rows at a time: a copy of X would double the memory
    energy = sum(
        (part.square().sum(0, dtype=torch.float64) for part in torch.split(x, ROWS)),
        x.new_zeros((), dtype=torch.float64),
    )
    total = float(energy.sum())
    order = energy.argsort(descending=True, stable=True)
    held = energy[order].cumsum(0)
    n_loud = min(int((held < LOUD * total).sum()) + 1, x.shape[1])
    loud = x[:, order[:n_loud]].contiguous()
    within = float(held[n_loud - 1])
    draw = torch.Generator().manual_seed(seed)
    scale = (loud.mean() / k).sqrt()
    starts = [nndsvda(x, k), *(scale * torch.rand(len(x), k, generator=draw) for _ in range(STARTS - 1))]
    tried = [_descend(loud, w, _reply(loud, w), within, COARSE, SHORT) for w in starts]
    w, h, _ = min(tried, key=lambda found: found[2])
    w, _, _ = _descend(loud, w, h, within, COARSE, STEPS)
    w, h, _ = _descend(x, w, _reply(x, w), total, FINE, STEPS)
    return w, h


def nndsvda(x: Tensor, k: int) -> Tensor:
    """Return a start for W [T, k] from the k largest singular vectors, by way of the tokens × tokens Gram matrix.

    Of each vector and its negative the part ≥ 0 that holds more; zeros become the mean of X.
    """
    squares, vectors = torch.linalg.eigh((x @ x.T).double())
    sizes = squares.flip(0)[:k].clamp_min(0).sqrt().float()
    left = vectors.flip(1)[:, :k].float()
    right = left.T @ x / sizes.clamp_min(torch.finfo(x.dtype).tiny)[:, None]
    w = torch.empty(len(x), k)
    for j in range(k):
        sides = []
        for sign in (1.0, -1.0):
            u, v = (sign * left[:, j]).clamp_min(0), (sign * right[j]).clamp_min(0)
            sides.append((float(u.norm() * v.norm()), u))
        held, u = max(sides, key=lambda side: side[0])
        w[:, j] = (sizes[j] * held).sqrt() * u / u.norm().clamp_min(torch.finfo(x.dtype).tiny)
    return torch.where(w > 0, w, x.mean())


def _reply(x: Tensor, w: Tensor, sweeps: int = 6) -> Tensor:
    """Return an H that goes with W."""
    h = torch.zeros(w.shape[1], x.shape[1])
    _improve(h, w.T @ x, w.T @ w, sweeps)
    return h


def _descend(
    x: Tensor, w: Tensor, h: Tensor, energy: float, tolerance: float, steps: int
) -> tuple[Tensor, Tensor, float]:
    """Improve W and H in turn, in place, and return them with ‖X − WH‖², of an X with that `energy` ‖X‖²."""
    last = float("inf")
    for _ in range(steps):
        x_h, h_h = x @ h.T, h @ h.T  # all that W needs to know of the neurons: T × k and k × k
        _improve(w.T, x_h.T, h_h, 4)
        error = (
            energy - 2 * float((w * x_h).sum(dtype=torch.float64)) + float(((w.T @ w) * h_h).sum(dtype=torch.float64))
        )
        if last - error < tolerance * error:
            break
        last = error
        _improve(h, w.T @ x, w.T @ w, 1)
    return w, h, error


def _improve(h: Tensor, product: Tensor, gram: Tensor, sweeps: int) -> None:
    """Set each row of H [k, N] to its best value ≥ 0 given the others, in place, from WᵀX [k, N] and WᵀW [k, k]."""
    sizes = gram.diagonal().tolist()
    for _ in range(sweeps):
        for j, size in enumerate(sizes):
            if size > 0:
                rest = torch.addmv(product[j], h.T, gram[j], alpha=-1)
                h[j].add_(rest, alpha=1 / size).clamp_min_(0)
