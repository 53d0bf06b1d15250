"""Value zeroing: f(x) − f(x with the value vectors of token i zeroed), what is lost when nobody can read from token i.

Mohebbi 2023, https://arxiv.org/abs/2301.12971, who zero the values of one layer and measure how far the token's
vectors there move. Here they are zeroed in all layers and heads at once, and measured is the output token's f. The
token's access to its own values goes with them; its queries, its keys and its residual stream stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from .drops import Disturbance

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from torch import Tensor

    from builder.model.rerun import Original, Places

__all__ = ["value_zeroing"]


def value_zeroing(
    forward: Callable[[Tensor], Tensor],
    x: Tensor,
    zeroed: Callable[[Tensor], AbstractContextManager[None]],
    original: Original | None = None,
) -> Disturbance:
    """Return the disturbance that zeroes the values of one of the inputs x [L, d].

    `zeroed(mask [n, L])` is a context in which the values where the mask is true are 0. `forward` takes inputs
    [n, L, d] to final states; `original` is the run of x itself, where the model can be run from a position on.
    """

    def whole(which: Tensor) -> Tensor:
        with zeroed(torch.arange(len(x), device=x.device) == which[:, None]):
            return forward(x.expand(len(which), -1, -1))

    def tail(places: Places) -> Tensor:
        assert original is not None
        silent = places.positions == places.starts[places.texts]
        return original.again(places, x[places.positions], silent=silent)

    return Disturbance(whole, tail if original else None)
