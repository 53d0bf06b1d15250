"""The logit lens of some positions after every layer, in one pass: ranks, probabilities, top tokens, entropy and KL."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Reading", "largest", "probability", "rank", "read_layers"]

FLOATS = 8_000_000
"""How many logits are held at once: 32 MB. A larger block is no faster, it only costs memory (measured)."""


class Reading(NamedTuple):
    """What the lens reads at [n_layers, N] states."""

    ranks: Tensor
    """[n_layers, N] int64, 1 is the first place."""
    probabilities: Tensor
    """[n_layers, N] float64: what a logit of −200 stands for is still more than 0."""
    top: Tensor
    """[n_layers, N, k] int64, the likeliest first."""
    last: Tensor
    """[N, vocab] float32, the logits after the last layer."""
    entropies: Tensor
    """[n_layers, N] float32, of the whole distribution, in nats: from 0 to ln vocab."""
    divergences: Tensor
    """[n_layers, N] float32, KL(last layer ‖ this layer) in nats: 0 or above but for rounding (1e-5), 0 at the end."""


@torch.no_grad()
def read_layers(
    unembed: Callable[[Tensor], Tensor], states: Tensor, ids: Tensor, *, vocab_size: int, top: int
) -> Reading:
    """Read states [n_layers, N, d] by `unembed` ([..., d] → [..., vocab]) and place the tokens `ids` [N] in each.

    One layer's block of logits at a time, and no more than `FLOATS` of them: the memory does not grow with layers.
    The last layer is read first, since all are compared with it. Float32 whatever the weights are.

    Statistics of the lens: Belrose et al. 2023, https://arxiv.org/abs/2303.08112
    """
    n_layers, n = states.shape[:2]
    device = states.device
    ranks = torch.empty(n_layers, n, dtype=torch.int64)
    probabilities = torch.empty(n_layers, n, dtype=torch.float64, device=device)
    tops = torch.empty(n_layers, n, top, dtype=torch.int64, device=device)
    entropies, divergences = torch.empty(2, n_layers, n, device=device)
    last: list[Tensor] = []
    rows = max(1, FLOATS // vocab_size)
    for start in range(0, n, rows):
        block = slice(start, start + rows)
        for layer in (n_layers - 1, *range(n_layers - 1)):
            logits = unembed(states[layer, block]).float()
            own = logits.gather(-1, ids[block, None])
            ranks[layer, block] = rank(logits, own)
            tops[layer, block] = largest(logits, top)
            most = logits.amax(-1, keepdim=True)
            shifted = logits - most
            weights = shifted.exp()
            total = weights.sum(-1)
            probabilities[layer, block] = (own - most).double().exp()[:, 0] / total
            if layer == n_layers - 1:
                last.append(logits)
                final = weights / total[:, None]
            # in place, and summed in pairs: a product of matrices adds up in a row, and is off by 4e-3 at a KL of 56
            entropies[layer, block] = total.log() - weights.mul_(shifted).sum(-1) / total
            # Σ p ln p − Σ p ln q; ln q itself is never formed
            crossed = total.log() - shifted.mul_(final).sum(-1)
            divergences[layer, block] = crossed - entropies[n_layers - 1, block]
    return Reading(ranks, probabilities, tops, torch.cat(last), entropies, divergences)


def rank(logits: Tensor, own: Tensor) -> Tensor:
    """Return 1 + #{v : z_v > z_own} [N] for logits [N, vocab] and own logits [N, 1]; equal logits share a place."""
    return 1 + (logits > own).sum(-1)


def probability(logits: Tensor, own: Tensor) -> Tensor:
    """Return the softmax [N] of logits [N, vocab] at own logits [N, 1].

    The error against float64 is 3e-7 on smollm2; of z − logsumexp it is 2e-6, of torch's own softmax 1e-5.
    """
    most = logits.amax(-1, keepdim=True)
    return (own - most).exp()[:, 0] / (logits - most).exp().sum(-1)


def largest(logits: Tensor, k: int) -> Tensor:
    """Return the indices [N, k] of each row's k largest, the largest first, and of equals the lower index."""
    found = logits.topk(k).indices.sort(-1).values
    order = logits.gather(-1, found).sort(dim=-1, descending=True, stable=True).indices
    return found.gather(-1, order)
