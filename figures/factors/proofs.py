"""What proves factors: the energy they hold, and that no better ones of their kind are near."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from builder.figure import Check
from builder.rounding import significant

from .decompose import missed

if TYPE_CHECKING:
    from builder.model.nmf import Known

    from .decompose import Decomposition

__all__ = ["Proofs"]

SLACK = {"nmf": 2e-3, "plain_nmf": 2e-2}
"""How much exact least squares may gain: our last step gains less than 3e-6, scikit-learn stops at 1e-4 of its
first."""


class Proofs:
    """Collects, decomposition by decomposition, the worst of each measure."""

    def __init__(self) -> None:
        self._rounding = self._sums = self._below = self._correlation = self._slack = 0.0

    def add(self, found: Decomposition, known: Known) -> None:
        """Measure a decomposition."""
        published = torch.tensor([[significant(v) for v in row] for row in found.w.tolist()])
        left = 1 - missed(known.x, published, found.h) / known.energy
        self._rounding = max(self._rounding, abs(left - found.explained))
        self._sums = max(self._sums, abs(sum(found.energy) - found.explained))
        self._below = max(self._below, -float(found.w.min()), -float(found.h.min()))
        gram = found.w.T @ found.w
        size = gram.diagonal().clamp_min(1e-30).sqrt()
        apart = float((gram / size / size[:, None] - torch.eye(len(gram))).abs().max())
        self._correlation = max(self._correlation, apart)
        self._slack = max(self._slack, found.slack)

    def checks(self, method: str) -> dict[str, Check]:
        """Return what was measured, with what it may be at most by that method."""
        checks = {
            "energy explained, with the published weights": Check(self._rounding, 1e-4),
            "energies of the factors against what they explain together": Check(self._sums, 2e-3),
        }
        if method in SLACK:
            checks["size of the largest number below 0"] = Check(self._below, 0)
            checks["energy that exact non-negative least squares add"] = Check(self._slack, SLACK[method])
        else:
            checks["correlation of two factors over the tokens"] = Check(self._correlation, 1e-3)
        return checks
