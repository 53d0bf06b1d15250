"""Gradient × input: ‖∂f/∂x_i ⊙ x_i‖₂, what the embedding of token i gives to f, to first order.

Denil 2014, https://arxiv.org/abs/1412.6815; Shrikumar 2017, https://arxiv.org/abs/1704.02685; the L2 norm over the
embedding's dimensions: Atanasova 2020, https://arxiv.org/abs/2009.13295.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["gradient_x_input"]


def gradient_x_input(grads: Tensor, x: Tensor) -> Tensor:
    """Return scores [B, L] ≥ 0 from gradients [B, L, d] at the inputs [L, d]."""
    found: Tensor = (grads * x).norm(dim=-1)
    return found
