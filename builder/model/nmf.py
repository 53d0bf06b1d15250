"""Non-negative matrix factorisation X ≈ W H by hierarchical alternating least squares, the loudest neurons first."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

__all__ = ["Known", "nmf"]

LOUD = 0.95
"""The share of the energy that the loud neurons hold: of 46,080 of SmolLM2, three to five thousand."""
STARTS = 4
ROWS = 16
"""Tokens that are worked on at once where a copy is made of them."""
SHORT = 20
"""Steps after which the starts are compared."""
STEPS = 500
WIDE = 1_000
"""From how many numbers in a row on torch is faster than numpy, which takes a third of the time to begin."""
COARSE, FINE = 1e-5, 3e-6
"""A step that lowers the error by a smaller share than this is the last one, of the loud neurons and of all."""


class Loud(NamedTuple):
    """The neurons that hold most of the energy."""

    x: Tensor
    """[T, n]"""
    energy: float


class Known:
    """X [T, N], and what is known of it before it is factorised: found once, into however many factors it is."""

    def __init__(self, x: Tensor) -> None:
        self.x = x

    @cached_property
    def energies(self) -> Tensor:
        """‖x_n‖² of each column, [N] float64; a few rows at a time: a copy of X would double the memory."""
        parts = (part.square().sum(0, dtype=torch.float64) for part in torch.split(self.x, ROWS))
        return sum(parts, self.x.new_zeros((), dtype=torch.float64))

    @cached_property
    def energy(self) -> float:
        """‖X‖²"""
        return float(self.energies.sum())

    @cached_property
    def order(self) -> Tensor:
        """The columns by their energy, the largest first, [N]."""
        return self.energies.argsort(descending=True, stable=True)

    @cached_property
    def loud(self) -> Loud:
        """Those of the largest energy, up to the share `LOUD` of all."""
        held = self.energies[self.order].cumsum(0)
        n = min(int((held < LOUD * self.energy).sum()) + 1, len(held))
        return Loud(self.x[:, self.order[:n]].contiguous(), float(held[n - 1]))

    @cached_property
    def left(self) -> tuple[Tensor, Tensor]:
        """The squares of singular values [T], ascending, and the left vectors [T, T], by the Gram matrix of tokens."""
        squares, vectors = torch.linalg.eigh((self.x @ self.x.T).double())
        return squares, vectors


def nmf(x: Tensor | Known, k: int, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return W [T, k] and H [k, N], both ≥ 0, that make ‖X − WH‖ small, of X [T, N] ≥ 0 in float32.

    Coordinate descent as of Cichocki & Phan 2009 (doi:10.1587/transfun.E92.A.708), factor by factor. T is much smaller
    than N, and few neurons hold most of the energy. So the way is gone on these first, from `nndsvda` (Boutsidis &
    Gallopoulos 2008) and from random starts of which the best goes on, and only its end on all neurons: the minimum
    is one of the whole problem, at a tenth of the time (tests/benchmarks/factors.py). Lee & Seung 1999, https://doi.org/10.1038/44565
    """
    known = x if isinstance(x, Known) else Known(x)
    x, (loud, within) = known.x, known.loud
    draw = torch.Generator().manual_seed(seed)
    scale = (loud.mean() / k).sqrt()
    starts = [nndsvda(known, k), *(scale * torch.rand(len(x), k, generator=draw) for _ in range(STARTS - 1))]
    w = torch.stack(starts)
    h = _reply(loud, w)
    best = _descend(loud, w, h, within, COARSE, SHORT).argmin()
    w, h = w[best, None], h[best, None]
    _descend(loud, w, h, within, COARSE, STEPS)
    h = _reply(x, w)
    _descend(x, w, h, known.energy, FINE, STEPS)
    return w[0], h[0]


def nndsvda(known: Known, k: int) -> Tensor:
    """Return a start for W [T, k] from the k largest singular vectors of X.

    Of each vector and its negative the part ≥ 0 that holds more; zeros become the mean of X.
    """
    x, (squares, vectors) = known.x, known.left
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
    """Return an H [S, k, N] that goes with each W [S, T, k]."""
    h = x.new_zeros(len(w), w.shape[-1], x.shape[1])
    _improve(h, _times(w, x), w.mT @ w, sweeps)
    return h


def _descend(x: Tensor, w: Tensor, h: Tensor, energy: float, tolerance: float, steps: int) -> Tensor:
    """Improve S factorisations W [S, T, k], H [S, k, N] in turn, in place, of an X with that `energy` ‖X‖².

    Return ‖X − WH‖² [S] of each; the last step is the one in which none of them falls by more than `tolerance`.
    """
    last = torch.full((len(w),), float("inf"), dtype=torch.float64)
    for _ in range(steps):
        # all that W needs to know of the neurons: k × T and k × k
        h_x, h_h = (h.flatten(0, 1) @ x.T).view(*h.shape[:2], -1), h @ h.mT
        _improve(w.mT, h_x, h_h, 4)
        gram = w.mT @ w
        crossed = (w.mT * h_x).sum((1, 2), dtype=torch.float64)
        error = energy - 2 * crossed + (gram * h_h).sum((1, 2), dtype=torch.float64)
        if bool((last - error < tolerance * error).all()):
            break
        last = error
        _improve(h, _times(w, x), gram, 1)
    return error


def _times(w: Tensor, x: Tensor) -> Tensor:
    """Return WᵀX [S, k, N], as one product."""
    return (w.mT.flatten(0, 1) @ x).view(len(w), w.shape[-1], -1)


def _improve(h: Tensor, product: Tensor, gram: Tensor, sweeps: int) -> None:
    """Set each row of H [S, k, N] to its best value ≥ 0 given the others, in place.

    From WᵀX [S, k, N] and WᵀW [S, k, k]. A row whose column of W is 0 stays as it is.
    """
    sizes = gram.diagonal(dim1=1, dim2=2)
    shares = torch.where(sizes > 0, 1 / sizes, 0)[..., None]
    product, gram = product * shares, gram * shares
    gram.diagonal(dim1=1, dim2=2).copy_(-(sizes == 0).float())
    if h.shape[-1] > WIDE:
        for _ in range(sweeps):
            for j in range(h.shape[1]):
                row = slice(j, j + 1)
                torch.clamp_min(torch.baddbmm(product[:, row], gram[:, row], h, alpha=-1), 0, out=h[:, row])
        return
    whole, own, others = h.numpy(), product.numpy(), gram.numpy()
    for _ in range(sweeps):
        for j in range(h.shape[1]):
            row = slice(j, j + 1)
            np.maximum(own[:, row] - others[:, row] @ whole, 0, out=whole[:, row])
