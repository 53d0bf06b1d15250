"""Drops in every output token's f when one input position is disturbed, many disturbed texts in one forward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import torch

from builder.model.rerun import TOKENS, batches, tails

from .gradients import precise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from builder.model.rerun import Places

    from .reading import Reading

__all__ = ["Disturbance", "Drops", "drops"]


class Disturbance(NamedTuple):
    """How a text of L tokens is run with one of its positions disturbed."""

    whole: Callable[[Tensor], Tensor]
    """Positions [n] → final states [n, L, d] of n whole texts."""
    tail: Callable[[Places], Tensor] | None = None
    """Places of texts, each disturbed where it starts → final states [N, d]: the short way, where the model has it."""
    at_once: int = TOKENS
    """How many tokens go through the network at once."""


class Drops(NamedTuple):
    """What disturbing each of L input positions does to B targets."""

    values: Tensor
    """[B, L] f(x) − f(x with that position disturbed), 0 from a target's own position on."""
    f: Tensor
    """[B] f(x)."""
    logits: Tensor
    """[B] the targets' own logits."""
    leak: float
    """The largest change of a final state before the disturbed position, over the largest number in these states. The
    short way has no such states; there it is that of a whole text, disturbed in its middle."""


@torch.no_grad()
def drops(plain: Tensor, disturbance: Disturbance, reading: Reading, positions: list[int], ids: Tensor) -> Drops:
    """Return the drops of B targets `ids` at ascending `positions`, of the text with final states `plain` [L, d].

    Positions before the disturbed one do not see it, so one pass serves all later targets, and the short way computes
    nothing of earlier ones. The head reads no other position than those that predict a target.
    """
    length = positions[-1]
    read_at = torch.tensor(positions, device=plain.device) - 1
    reading, f, logits = reading.tried(plain[read_at], ids)
    values = torch.zeros(len(positions), length, dtype=f.dtype, device=plain.device)
    leak = 0.0
    for places, final, own in _disturb(disturbance, plain):
        text, target = torch.nonzero(read_at >= places.starts[:, None], as_tuple=True)
        changed, _ = reading.f(final[places.number(text, read_at[target])], ids[target])
        values[target, places.starts[text]] = f[target] - changed
        leak = max(leak, own)
    return Drops(values, f, logits, leak / float(plain.abs().max().clamp_min(1e-30)))


def _disturb(disturbance: Disturbance, plain: Tensor) -> Iterator[tuple[Places, Tensor, float]]:
    """Yield the places of some texts from the disturbed position on, their final states [N, d], and what leaks."""
    length = len(plain)
    every = torch.arange(length, device=plain.device)
    if disturbance.tail is None:
        for which in torch.split(every, max(1, disturbance.at_once // length)):
            places, final = tails(which, length), disturbance.whole(which)
            yield places, final[places.texts, places.positions], _leak(final, plain, which)
        return
    for some in batches(range(length), length, disturbance.at_once):
        places, middle = tails(every[some], length), every[length // 2 :][:1]
        leak = _leak(disturbance.whole(middle), plain, middle) if some.start == 0 else 0.0
        yield places, disturbance.tail(places), leak


def _leak(final: Tensor, plain: Tensor, which: Tensor) -> float:
    """Return the largest change of final states [n, L, d] before each text's disturbed position."""
    before = torch.arange(len(plain), device=plain.device) < which[:, None]
    return float((precise(final - plain).abs().amax(-1) * before).max())
