"""`Attribution`: the scores of all targets by one method, and what is needed to prove them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from builder.model.memory import give_back

from .gradient import gradient
from .gradient_x_input import gradient_x_input
from .gradients import chunks, gradients_and_logits, precise
from .integrated_gradients import integrated_gradients
from .reference import leak

if TYPE_CHECKING:
    from torch import Tensor

    from .gradients import Network
    from .objective import Objective

__all__ = ["Attribution", "attribute", "shares"]


FEW = 8
"""Targets whose gradients are multiplied at once."""


@dataclass(frozen=True)
class Attribution:
    """One entry a target; rows are ragged, that of a target at position p has p numbers."""

    scores: list[Tensor] = field(default_factory=list)
    """Shares ≥ 0 that sum to 1, or all 0 where the gradient is."""
    values: list[Tensor] = field(default_factory=list)
    """Signed; the gradient norm has none."""
    f: list[float] = field(default_factory=list)
    """What is explained, at the input."""
    f_baseline: list[float] = field(default_factory=list)
    """The same at the baseline; only integrated gradients have one."""
    logits: list[float] = field(default_factory=list)
    """The targets' own logits, as this computation had them."""
    leaks: list[float] = field(default_factory=list)
    """The largest gradient by a later position over the largest gradient, of each chunk."""
    samples: dict[int, Tensor] = field(default_factory=dict)
    """The gradients [p, d] of sampled targets."""


def attribute(
    network: Network,
    objective: Objective,
    x: Tensor,
    positions: list[int],
    ids: Tensor,
    *,
    method: str = "gradient_x_input",
    baseline: Tensor | None = None,
    steps: int = 50,
    sample: int = 0,
) -> Attribution:
    """Attribute f of the tokens `ids` [N] at ascending `positions` to the inputs x [T, d] before each.

    With a `baseline` [T, d] by integrated gradients, whose scores are the shares of the absolute values. Those of
    gradient × input are the shares of the products' lengths, its values the products' sums.
    """
    found = Attribution()
    for which in chunks(network, positions, x):
        chosen, own = positions[which], ids[which]
        grads, logits = gradients_and_logits(network, objective, x[None], chosen, own)
        found.f.extend(objective.value(logits[:, 0], own).tolist())
        found.logits.extend(logits[:, 0].gather(-1, own[:, None])[:, 0].tolist())
        found.leaks.append(leak(grads[:, 0], chosen))
        if which.start <= sample < which.stop:
            found.samples[sample] = grads[sample - which.start, 0, : positions[sample]].clone()
        if baseline is not None:
            rows = integrated_gradients(network, objective, x, baseline, chosen, own, steps=steps)
            found.values.extend(row[:position] for row, position in zip(rows, chosen, strict=True))
            found.f_baseline.extend(_value(network, objective, baseline, chosen, own).tolist())
        elif method == "gradient":
            rows = gradient(grads[:, 0])
        else:
            inputs = precise(x[: chosen[-1]])
            # some at a time: their products with the inputs are as large as they are
            rows = torch.cat([gradient_x_input(few, inputs) for few in torch.split(grads[:, 0], FEW)])
            signed = torch.cat([(few * inputs).sum(-1) for few in torch.split(grads[:, 0], FEW)])
            found.values.extend(row[:position] for row, position in zip(signed, chosen, strict=True))
        found.scores.extend(shares(row[:position].abs()) for row, position in zip(rows, chosen, strict=True))
        del grads, logits
        give_back()
    return found


def shares(row: Tensor) -> Tensor:
    """Return a row of numbers ≥ 0 over their sum; one of nothing stays."""
    total = row.sum()
    return row / total if total != 0 else row


@torch.no_grad()
def _value(network: Network, objective: Objective, x: Tensor, positions: list[int], ids: Tensor) -> Tensor:
    """Return f [B] of some targets at the inputs x."""
    read_at = torch.tensor(positions, device=x.device) - 1
    return objective.value(precise(network.head(network.forward(x[None, : positions[-1]])[0, read_at])), ids)
