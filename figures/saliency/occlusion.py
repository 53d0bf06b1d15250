"""Occlusion: f(x) − f(x with x_i replaced by a baseline), what is lost when token i cannot be seen.

Zeiler & Fergus 2014, https://arxiv.org/abs/1311.2901; for words, Li 2016, https://arxiv.org/abs/1612.08220.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from .drops import Disturbance

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from builder.model.rerun import Original, Places

__all__ = ["occlusion"]


def occlusion(
    forward: Callable[[Tensor], Tensor], x: Tensor, baseline: Tensor, original: Original | None = None
) -> Disturbance:
    """Return the disturbance that replaces one of the inputs x [L, d] by that of the baseline [L, d].

    Only the token's embedding is replaced: its place stays, so that position embeddings of the others do not change.
    `forward` takes inputs [n, L, d] to final states; `original` is the run of x itself, where the model can be run
    from a position on.
    """

    def whole(which: Tensor) -> Tensor:
        inputs = x.repeat(len(which), 1, 1)
        inputs[torch.arange(len(which), device=x.device), which] = baseline[which]
        return forward(inputs)

    def tail(places: Places) -> Tensor:
        assert original is not None
        own = places.positions == places.starts[places.texts]
        return original.again(places, torch.where(own[:, None], baseline[places.positions], x[places.positions]))

    return Disturbance(whole, tail if original else None)
