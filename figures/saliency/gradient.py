"""Gradient norm: ‖∂f/∂x_i‖₂, how much f changes where the embedding of token i does.

Simonyan 2013, https://arxiv.org/abs/1312.6034; for words, Li 2016, https://arxiv.org/abs/1506.01066.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["gradient"]


def gradient(grads: Tensor) -> Tensor:
    """Return scores [B, L] ≥ 0 from gradients [B, L, d]."""
    found: Tensor = grads.norm(dim=-1)
    return found
