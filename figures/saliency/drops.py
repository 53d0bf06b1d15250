"""Drops in every output token's f when one input position is disturbed, many disturbed texts in one forward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from .gradients import ROWS, precise

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from .gradients import Network
    from .objective import Objective

__all__ = ["Drops", "drops"]

READ = 128
"""How many positions go through the head at once: their logits are 25 MB on smollm2."""


class Drops(NamedTuple):
    """What disturbing each of L input positions does to B targets."""

    values: Tensor
    """[B, L] f(x) − f(x with that position disturbed), 0 from a target's own position on."""
    f: Tensor
    """[B] f(x)."""
    logits: Tensor
    """[B] the targets' own logits."""
    leak: float
    """The largest change of a final state before the disturbed position, over the largest number in these states."""


@torch.no_grad()
def drops(
    network: Network,
    objective: Objective,
    x: Tensor,
    disturbed: Callable[[Tensor], Tensor],
    positions: list[int],
    ids: Tensor,
) -> Drops:
    """Return the drops of B targets `ids` at ascending `positions`, at inputs x [T, d].

    `disturbed(which [n]) -> [n, L, d]` runs n texts up to the last target, in each of which one position is disturbed.
    Earlier positions do not see it, so one pass serves all later targets. The texts go through in chunks, and the head
    reads no other position than those that predict a target.
    """
    length = positions[-1]
    plain = network.forward(x[None, :length])[0]
    read_at = torch.tensor(positions, device=x.device) - 1
    f, logits = _read(network, objective, plain[read_at], ids)
    values = torch.zeros(len(positions), length, dtype=f.dtype, device=x.device)
    leak = 0.0
    for which in torch.arange(length, device=x.device).split(max(1, ROWS // length)):
        final = disturbed(which)
        before = torch.arange(length, device=x.device) < which[:, None]
        leak = max(leak, float((precise(final - plain).abs().amax(-1) * before).max()))
        text, target = torch.nonzero(read_at >= which[:, None], as_tuple=True)
        changed, _ = _read(network, objective, final[text, read_at[target]], ids[target])
        values[target, which[text]] = f[target] - changed
    return Drops(values, f, logits, leak / float(plain.abs().max().clamp_min(1e-30)))


def _read(network: Network, objective: Objective, read: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
    """Return f [N] and the own logits [N] of tokens `ids` [N] where the head reads states [N, d]."""
    found = []
    for states, own in zip(read.split(READ), ids.split(READ), strict=True):
        logits = precise(network.head(states))
        found.append((objective.value(logits, own), logits.gather(-1, own[:, None])[:, 0]))
    f, logits = zip(*found, strict=True)
    return torch.cat(f), torch.cat(logits)
