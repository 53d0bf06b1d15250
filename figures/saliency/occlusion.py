"""Occlusion: f(x) − f(x with x_i replaced by a baseline), what is lost when token i cannot be seen.

Zeiler & Fergus 2014, https://arxiv.org/abs/1311.2901; for words, Li 2016, https://arxiv.org/abs/1612.08220.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from .drops import drops

if TYPE_CHECKING:
    from torch import Tensor

    from .drops import Drops
    from .gradients import Network
    from .objective import Objective

__all__ = ["occlusion"]


def occlusion(
    network: Network, objective: Objective, x: Tensor, baseline: Tensor, positions: list[int], ids: Tensor
) -> Drops:
    """Return the drops of B targets when one of the inputs x [T, d] is replaced by that of the baseline [T, d].

    Only the token's embedding is replaced: its place stays, so that position embeddings of the others do not change.
    """

    def occluded(which: Tensor) -> Tensor:
        inputs = x[: positions[-1]].repeat(len(which), 1, 1)
        inputs[torch.arange(len(which), device=x.device), which] = baseline[which]
        return network.forward(inputs)

    return drops(network, objective, x, occluded, positions, ids)
