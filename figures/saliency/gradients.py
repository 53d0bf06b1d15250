"""Gradients of every output token's f with respect to the input embeddings, many tokens in one backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import torch

from builder.model.backward import products, texts_at_once
from builder.model.memory import rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from builder.model import Model

    from .objective import Objective

__all__ = ["EIGHT", "ROWS", "Network", "at_once", "chunks", "gradients", "gradients_and_logits", "precise"]

ROWS = 2_000
"""How many positions go through a backward pass at once, over all its targets, where the whole network is one graph."""
TARGETS = 16
"""The most targets in such a chunk: its forward pass is as long as its last target, so a larger chunk wastes more."""
HELD = 96 << 20
"""Bytes of gradients, states and logits that one step of the work holds where blocks are taken one by one. More targets
share a forward pass where it is more."""
EIGHT = 8
"""MKL adds up the rows beyond a multiple of 4 in one chain; over 49,152 tokens that costs two digits (1e-4)."""


class Network(NamedTuple):
    """The functions that a gradient needs of a causal language model; weights frozen, both differentiable."""

    forward: Callable[[Tensor], Tensor]
    """Input embeddings [A, L, d] → what the head reads [A, L, d]."""
    head: Callable[[Tensor], Tensor]
    """What the head reads [N, d] → logits [N, vocab]."""
    chain: Model | None = None
    """The model itself where it is a chain of blocks, which are then taken one by one."""


def chunks(network: Network, positions: list[int], x: Tensor) -> Iterator[slice]:
    """Cut ascending target positions into runs that share a forward pass over the longest prefix of x [T, d]."""
    most = TARGETS
    if network.chain is not None:
        most = rows(_bytes(network.chain, positions[-1], x) + 12 * network.chain.vocab_size, x.device, most=HELD)
        most = -(-len(positions) // -(-len(positions) // most))  # as many in each
    start = 0
    while start < len(positions):
        end = start + 1
        while end < len(positions) and end - start < most:
            if network.chain is None and (end + 1 - start) * positions[end] > ROWS:
                break
            end += 1
        yield slice(start, end)
        start = end


def at_once(network: Network, positions: list[int], x: Tensor) -> int:
    """Return how many texts like x [L, d] go through together, for so many targets."""
    if network.chain is None:
        return max(1, ROWS // (positions[-1] * len(positions)))
    each = _bytes(network.chain, positions[-1], x)
    most = rows(len(positions) * each + network.chain.n_layers * each // 2, x.device, most=HELD)
    return min(most, texts_at_once(network.chain, positions[-1], len(positions)))


def _bytes(model: Model, length: int, x: Tensor) -> int:
    """Return what a target's cotangents and gradients take, or a text's states before and after a block."""
    return 2 * length * max(model.d_model, x.shape[-1]) * x.element_size()


def gradients(network: Network, objective: Objective, inputs: Tensor, positions: list[int], ids: Tensor) -> Tensor:
    """Return ∂f/∂x [B, A, L, d] of B targets `ids` at `positions`, at inputs [A, T, d].

    A target is read at the position before it; L is the last of `positions`, and from its own position on a target's
    gradient is 0. So it is exact in a causal model that one forward pass over the longest prefix serves all targets,
    and that all their backward passes are done at once. The vocabulary is touched at read positions only, and where f
    is a sum of logits not even there.
    """

    def derive(read: Tensor, ids: Tensor) -> Tensor:
        direction = _direction(network, objective, ids)
        return _through_head(network, objective, read, ids)[1] if direction is None else direction.to(read.dtype)

    return _back(network, inputs, positions, ids, derive)


def gradients_and_logits(
    network: Network, objective: Objective, inputs: Tensor, positions: list[int], ids: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the `gradients`, and the logits [B, A, vocab] that the targets are read from."""
    found: list[Tensor] = []

    def derive(read: Tensor, ids: Tensor) -> Tensor:
        logits, by_read = _through_head(network, objective, read, ids)
        found.append(logits)
        return by_read

    grads = _back(network, inputs, positions, ids, derive)
    return grads, torch.unflatten(found[0], 0, (len(inputs), len(positions))).transpose(0, 1)


def _back(
    network: Network, inputs: Tensor, positions: list[int], ids: Tensor, derive: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """Return ∂f/∂x [B, A, L, d], of ∂f/∂read [N, d] that `derive` finds for what the head reads [N, d] of ids [N]."""
    a, b, length = len(inputs), len(positions), positions[-1]
    read_at = torch.tensor(positions, device=inputs.device) - 1
    if network.chain is not None:
        back = network.chain.backward(inputs[:, :length], b)
        by_read = derive(back.final[:, read_at].flatten(0, 1), ids.repeat(a))
        return precise(back.pull(torch.unflatten(by_read, 0, (a, b)).transpose(0, 1), positions))
    with torch.enable_grad():
        x = inputs[:, :length].detach().clone().requires_grad_()
        final = network.forward(x)
    by_read = derive(final.detach()[:, read_at].flatten(0, 1), ids.repeat(a))
    cotangents = final.new_zeros(b, *final.shape)
    cotangents[torch.arange(b, device=inputs.device), :, read_at] = torch.unflatten(by_read, 0, (a, b)).transpose(0, 1)
    return precise(products(final, x, cotangents))


def _through_head(network: Network, objective: Objective, read: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
    """Return the logits [N, vocab] of what the head reads [N, d], and ∂f/∂read [N, d] for tokens `ids` [N]."""
    n = len(read)
    padded = torch.cat([read, read[-1:].expand(-n % EIGHT, -1)])
    direction = _direction(network, objective, ids)
    if direction is not None:
        with torch.no_grad():
            return precise(network.head(padded))[:n], direction.to(read.dtype)
    with torch.enable_grad():
        padded.requires_grad_()
        logits = network.head(padded)
    given = precise(logits.detach())[:n]
    derivative = torch.zeros_like(logits)
    derivative[:n] = objective.derivative(given, ids)
    return given, torch.autograd.grad(logits, padded, derivative)[0][:n]


def _direction(network: Network, objective: Objective, ids: Tensor) -> Tensor | None:
    """Return ∂f/∂read [N, d], where it is the same whatever is read; None where it is not."""
    matrix = _unembedding(network)
    if not objective.is_linear or matrix is None:
        return None
    return matrix[ids] if objective.foil is None else matrix[ids] - matrix[objective.foil]


def _unembedding(network: Network) -> Tensor | None:
    """Return the matrix [vocab, d] whose rows are the gradients of logits, where the head is nothing else."""
    model = network.chain
    head = None if model is None or not model.head_is_linear else model.structure.head
    return head.weight if isinstance(head, torch.nn.Linear) and not hasattr(head, "_hf_hook") else None


def precise(tensor: Tensor) -> Tensor:
    """Return the tensor in float32 at least."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
