"""`Reached`: how much of what some positions know comes from each token, by one method."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Reached"]


class Reached(NamedTuple):
    """Float64 of N positions over T tokens."""

    scores: Tensor
    """[N, T]: shares that sum to 1; of flow its values, each from 0 to 1."""
    layers: Tensor | None = None
    """[L, N, T]: the same after each layer, or of each layer; None where there is but the whole."""
