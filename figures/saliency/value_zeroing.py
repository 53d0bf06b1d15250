"""Value zeroing: f(x) − f(x with the value vectors of token i zeroed), what is lost when nobody can read from token i.

Mohebbi 2023, https://arxiv.org/abs/2301.12971, who zero the values of one layer and measure how far the token's
vectors there move. Here they are zeroed in all layers and heads at once, and measured is the output token's f. The
token's access to its own values goes with them; its queries, its keys and its residual stream stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from .drops import drops

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from torch import Tensor

    from .drops import Drops
    from .gradients import Network
    from .objective import Objective

__all__ = ["value_zeroing"]


def value_zeroing(
    network: Network,
    objective: Objective,
    x: Tensor,
    zeroed: Callable[[Tensor], AbstractContextManager[None]],
    positions: list[int],
    ids: Tensor,
) -> Drops:
    """Return the drops of B targets when the values of one of the inputs x [T, d] are zeroed.

    `zeroed(mask [n, L])` is a context in which the values where the mask is true are 0.
    """
    length = positions[-1]

    def without_values(which: Tensor) -> Tensor:
        with zeroed(torch.arange(length, device=x.device) == which[:, None]):
            return network.forward(x[:length].expand(len(which), -1, -1))

    return drops(network, objective, x, without_values, positions, ids)
