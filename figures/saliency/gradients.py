"""Gradients of every output token's f with respect to the input embeddings, many tokens in one backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from .objective import Objective

__all__ = ["EIGHT", "ROWS", "Network", "chunks", "gradients", "precise"]

ROWS = 2_000
"""How many positions go through a backward pass at once, over all its targets: 16 targets of 63 tokens, 8 of 250.
Measured on smollm2: with 1,000 the shorter chunks of 250 tokens take a tenth longer, 4,000 only cost memory."""
TARGETS = 16
"""The most targets in a chunk: its forward pass is as long as its last target, so a larger chunk wastes more."""
EIGHT = 8
"""MKL adds up the rows beyond a multiple of 4 in one chain; over 49,152 tokens that costs two digits (1e-4)."""


class Network(NamedTuple):
    """The two functions that a gradient needs of a causal language model; weights frozen, both differentiable."""

    forward: Callable[[Tensor], Tensor]
    """Input embeddings [A, L, d] → what the head reads [A, L, d]."""
    head: Callable[[Tensor], Tensor]
    """What the head reads [N, d] → logits [N, vocab]."""


def chunks(positions: list[int]) -> Iterator[slice]:
    """Cut ascending target positions into runs that share a forward pass, the longest prefix of each."""
    start = 0
    while start < len(positions):
        end = start + 1
        while end < len(positions) and end - start < TARGETS and (end + 1 - start) * positions[end] <= ROWS:
            end += 1
        yield slice(start, end)
        start = end


def gradients(
    network: Network, objective: Objective, inputs: Tensor, positions: list[int], ids: Tensor
) -> tuple[Tensor, Tensor]:
    """Return ∂f/∂x [B, A, L, d] and the logits [B, A, vocab] of B targets `ids` at `positions`, at inputs [A, T, d].

    A target is read at the position before it; L is the last of `positions`, and from its own position on a target's
    gradient is 0. So it is exact in a causal model that one forward pass over the longest prefix serves all targets,
    and one batched vector-Jacobian product all their backward passes. The vocabulary is touched at read positions only.
    """
    a, b, length = len(inputs), len(positions), positions[-1]
    read_at = torch.tensor(positions, device=inputs.device) - 1
    with torch.enable_grad():
        x = inputs[:, :length].detach().clone().requires_grad_()
        final = network.forward(x)
    logits, by_read = _through_head(network, objective, final.detach()[:, read_at].flatten(0, 1), ids.repeat(a))
    cotangents = final.new_zeros(b, *final.shape)
    cotangents[torch.arange(b, device=inputs.device), :, read_at] = by_read.unflatten(0, (a, b)).transpose(0, 1)
    return precise(_products(final, x, cotangents)), logits.unflatten(0, (a, b)).transpose(0, 1)


def _through_head(network: Network, objective: Objective, read: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
    """Return the logits [N, vocab] of what the head reads [N, d], and ∂f/∂read [N, d] for tokens `ids` [N]."""
    n = len(read)
    with torch.enable_grad():
        padded = torch.cat([read, read[-1:].expand(-n % EIGHT, -1)]).requires_grad_()
        logits = network.head(padded)
    given = precise(logits.detach())[:n]
    derivative = torch.zeros_like(logits)
    derivative[:n] = objective.derivative(given, ids)
    return given, torch.autograd.grad(logits, padded, derivative)[0][:n]


def precise(tensor: Tensor) -> Tensor:
    """Return the tensor in float32 at least."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def _products(final: Tensor, x: Tensor, cotangents: Tensor) -> Tensor:
    """Return cotangentᵀ · ∂final/∂x for each of B cotangents, at once where torch can batch all operations."""
    try:
        return torch.autograd.grad(final, x, cotangents, is_grads_batched=True, retain_graph=True)[0]
    except torch.OutOfMemoryError:
        raise
    except RuntimeError:  # a kernel of the model's own
        return torch.stack([torch.autograd.grad(final, x, one, retain_graph=True)[0] for one in cotangents])
