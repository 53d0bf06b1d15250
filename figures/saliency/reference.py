"""The slow way, for the checks: one token's gradient, or one drop, through the model's own logits."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.checkpoint import checkpoint

from builder.model.network import last_logits
from builder.model.precision import double
from builder.model.trace import replaced

from .gradients import EIGHT

if TYPE_CHECKING:
    from torch import Tensor

    from builder.model import Model

    from .objective import Objective

__all__ = ["leak", "plain_f", "plain_gradient"]

LONG = 128
"""Tokens of which the graph of the whole network is kept: of smollm2 that is 100 MB."""


def plain_gradient(model: Model, objective: Objective, x: Tensor, token: Tensor) -> Tensor:
    """Return ∂f/∂x [p, d] for `token` (a scalar) after the prefix x [p, d]: one target, and the whole network.

    f is taken from float64 logits: float32 loses the digits of 1 − p for a p near 1. For the same end the prefix is
    filled up to a multiple of `EIGHT` positions, where the model's context has them: a causal model does not see them.
    The head reads those eight alone. In a long text each block runs again on the way back: one keeps its graph.
    """
    position = len(x)
    filled = min(position + -position % EIGHT, model.context or 1 << 30)
    with torch.enable_grad(), contextlib.ExitStack() as stack:
        for block in model.structure.blocks if position > LONG else ():
            twice = partial(checkpoint, block.forward, use_reentrant=False, preserve_rng_state=False)
            stack.enter_context(replaced(block, twice))
        inputs = torch.cat([x, x[-1:].expand(filled - position, -1)])[None].requires_grad_()
        logits = double(last_logits(model.network, EIGHT, inputs_embeds=inputs.clone())[:, position - filled - 1])
        f = objective.value(logits, token[None].to(logits.device)).sum()
        return torch.autograd.grad(f, inputs)[0][0, :position]


@torch.no_grad()
def plain_f(network: Any, objective: Objective, x: Tensor, token: Tensor) -> float:
    """Return f of `token` (a scalar) after the prefix x [p, d]: one text, one target, and the whole network."""
    logits = double(last_logits(network, 1, inputs_embeds=x[None].clone())[:, -1])
    return float(objective.value(logits, token[None].to(logits.device))[0])


def leak(grads: Tensor, positions: list[int]) -> float:
    """Return the largest gradient at a target's own position or later over the largest at all, of grads [B, L, d]."""
    sizes = grads.norm(torch.inf, dim=-1)
    later = torch.arange(sizes.shape[1], device=sizes.device) >= torch.tensor(positions, device=sizes.device)[:, None]
    return float((sizes * later).max() / sizes.max().clamp_min(torch.finfo(sizes.dtype).tiny))
