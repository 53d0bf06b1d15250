"""The neurons of each factor: how many it has, which are strongest, and in which layers its energy lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["Members", "members"]


@dataclass(frozen=True)
class Members:
    """Of k factors: `counts` [k], `overlaps` [k, k], `layers` [k, n_layers], and `top`, for each the strongest.

    A neuron belongs to a factor where its weight is over `bound`, 1/√N: what each of N neurons would weigh if the
    factor, which has length 1, were spread evenly over all of them. `overlaps` counts the neurons that two factors
    share. `layers` are shares of a factor's energy (its squared weights), `top` triples (layer, index, weight).
    """

    bound: float
    counts: list[int]
    overlaps: list[list[int]]
    layers: list[list[float]]
    top: list[list[tuple[int, int, float]]]


def members(h: Tensor, layers: Sequence[int], widths: Sequence[int], *, top: int) -> Members:
    """Return the neurons of factors H [k, N], or [k, 2N] of a split, whose rows have length 1.

    `layers` and their `widths` say whose neurons the N columns are. A weight's sign is that of its larger half.
    """
    n = sum(widths)
    size, signed = h.abs(), h
    if h.shape[1] == 2 * n:  # [x⁺; x⁻]
        size = torch.hypot(h[:, :n], h[:, n:])
        signed = torch.where(h[:, :n] >= h[:, n:], size, -size)
    bound = n**-0.5
    inside = (size > bound).double()
    shares = [(part.double() ** 2).sum(1) for part in torch.split(size, list(widths), dim=1)]
    starts = torch.tensor([0, *widths]).cumsum(0)
    found = []
    for j in range(len(h)):
        rows = []
        for column in size[j].topk(min(top, n)).indices.tolist():
            at = int(torch.searchsorted(starts, column, right=True)) - 1
            if signed[j, column] != 0:
                rows.append((layers[at], column - int(starts[at]), float(signed[j, column])))
        found.append(rows)
    common = (inside @ inside.T).long()
    return Members(bound, common.diagonal().tolist(), common.tolist(), torch.stack(shares, 1).tolist(), found)
