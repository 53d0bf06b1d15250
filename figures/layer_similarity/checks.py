"""What proves a table of similarities: by what each measure must not depend on, and by other formulas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from builder.figure import Check

from . import cca
from .cka import cka

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["checks"]

CLOSE = 1e-6
"""Everything here is float64; what is left is the rounding of sums over tokens."""


def checks(
    x: Sequence[np.ndarray], y: Sequence[np.ndarray], values: Mapping[str, np.ndarray], variance: float
) -> dict[str, Check]:
    """Return checks of tables [rows, columns] over centred layers `x` and `y`, each [n, d]."""
    found: dict[str, Check] = {}
    r, c = len(x) // 2, len(y) - 1
    one = values if x is y else {name: _again(name, x, x, variance) for name in values}
    found["a layer with itself is 1"] = Check(max(float(np.abs(np.diag(t) - 1).max()) for t in one.values()), CLOSE)
    found["the order of two layers does not matter"] = Check(
        max(float(np.abs(t - t.T).max()) for t in one.values()), CLOSE
    )
    lowest = {"cka": -1.0, "svcca": 0.0, "pwcca": 0.0}  # unbiased HSIC may be below 0
    beyond = (max(lowest[name] - t.min(), t.max() - 1) for name, t in values.items())
    found["values beyond their range"] = Check(max(0.0, *(float(value) for value in beyond)), CLOSE)
    turned = [_turned(x[r])]
    for name, table in values.items():
        # PWCCA weighs by neurons, so it depends on their axes; on the scale it must not
        other = [x[r] * 3.7] if name == "pwcca" else turned
        what = "scaled" if name == "pwcca" else "turned and scaled"
        again = _again(name, other, y, variance)[0]
        found[f"{name} of a layer that is {what}"] = Check(float(np.abs(again - table[r]).max()), CLOSE)
    if "cka" in values:
        found["cka against Song's own formula"] = Check(abs(_song_cka(x[r], y[c]) - values["cka"][r, c]), CLOSE)
    a, b = cca.directions([x[r]], variance)[0], cca.directions([y[c]], variance)[0]
    found["canonical correlations against principal angles"] = Check(
        float(np.abs(np.cos(_angles(a.basis, b.basis)) - cca.correlations(a, b)[0]).max()), CLOSE
    )
    return found


def _again(name: str, x: Sequence[np.ndarray], y: Sequence[np.ndarray], variance: float) -> np.ndarray:
    if name == "cka":
        return cka(x, y)
    measure = cca.mean_correlation if name == "svcca" else cca.projection_weighted
    return cca.compare(cca.directions(x, variance), cca.directions(y, variance), measure)


def _turned(x: np.ndarray) -> np.ndarray:
    """Return a layer in other axes, rotated at random, and scaled."""
    q, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((x.shape[1], x.shape[1])))
    turned: np.ndarray = 3.7 * x @ q
    return turned


def _song_cka(x: np.ndarray, y: np.ndarray) -> float:
    """Return CKA by HSIC₁ as Song 2012 writes it (equation 5), from Gram matrices whose diagonals are 0."""

    def hsic(a: np.ndarray, b: np.ndarray) -> float:
        n = len(a)
        k, l_ = (m @ m.T * (1 - np.eye(n)) for m in (a, b))
        ones = np.ones(n)
        sums = (ones @ k @ ones) * (ones @ l_ @ ones) / ((n - 1) * (n - 2))
        return float((np.trace(k @ l_) + sums - 2 / (n - 2) * (ones @ k @ l_ @ ones)) / (n * (n - 3)))

    return hsic(x, y) / float(np.sqrt(hsic(x, x) * hsic(y, y)))


def _angles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the principal angles between two spaces of orthonormal bases, from sines and cosines (Björck & Golub)."""
    if a.shape[1] < b.shape[1]:
        a, b = b, a
    cosines = np.clip(np.linalg.svd(a.T @ b, compute_uv=False), 0, 1)
    sines = np.clip(np.linalg.svd(b - a @ (a.T @ b), compute_uv=False), 0, 1)[::-1]
    angles: np.ndarray = np.arctan2(sines, cosines)
    return angles
