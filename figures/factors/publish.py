"""A decomposition as it is published: numbers of few digits, and pieces for what few readers ask for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import torch

from builder.rounding import significant

from .decompose import ROWS
from .neurons import members

if TYPE_CHECKING:
    from torch import Tensor

    from .decompose import Decomposition

__all__ = ["about_layers", "move_into_pieces", "publish"]

TOP = 5
"""How many of a factor's neurons are named."""
BUDGET = 120_000
"""Characters of JSON after which further solutions go into pieces of their own."""


def about_layers(name: str, span: list[int], x: Tensor, rows: Tensor, *, signed: bool, split: bool) -> dict[str, Any]:
    """Return what is known of some layers before they are decomposed: x is [T, N], rows those that are."""
    squares = torch.cat([part.square().sum(1, dtype=torch.float64) for part in torch.split(x, ROWS)])
    sums = torch.zeros(4, dtype=torch.float64)  # of what is below 0 and of all: sizes, squares
    for part in torch.split(rows, ROWS):
        below = part.clamp_max(0)
        sums += torch.stack(
            [p for t in (below, part) for p in (t.abs().sum(dtype=sums.dtype), (t * t).sum(dtype=sums.dtype))]
        )
    l1, energy = sums[0] / sums[2].clamp_min(1e-30), sums[1] / sums[3].clamp_min(1e-30)
    return {
        "name": name,
        "span": span,
        "n_neurons": x.shape[1],
        "discarded": None if signed or split else {"l1": significant(float(l1)), "energy": significant(float(energy))},
        "first_token": significant(float(squares[0] / squares.sum().clamp_min(1e-30))),
    }


def publish(found: Decomposition, span: list[int], widths: list[int], n: int, kept: list[int]) -> dict[str, Any]:
    """Return a decomposition as it is published: numbers of few digits, None where a token was left out."""
    known = members(found.h, span, widths, top=TOP)
    columns = dict(zip(kept, found.w.tolist(), strict=True))
    weights = [[significant(columns[t][j]) if t in columns else None for t in range(n)] for j in range(len(found.h))]
    factors = [
        {
            "number": j + 1,
            "neurons": count,
            "share": significant(count / sum(widths)),
            "energy": significant(found.energy[j]),
            "layers": [round(part, 4) for part in known.layers[j]],
            "top": [{"layer": layer, "index": index, "weight": significant(w, 3)} for layer, index, w in known.top[j]],
        }
        for j, count in enumerate(known.counts)
    ]
    return {
        "explained": significant(found.explained),
        "bound": significant(known.bound),
        "overlaps": known.overlaps,
        "factors": factors,
        "weights": weights,
    }


def move_into_pieces(solutions: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Take from the later solutions, once the first ones fill the budget, all but their names; return it by name."""
    pieces, size = {}, 0
    for number, solution in enumerate(solutions):
        size += len(json.dumps(solution))
        if number and size > BUDGET:
            name = f"solution-{number}"
            pieces[name] = {key: solution.pop(key) for key in [*solution] if key not in {"layers", "n_factors"}}
            solution["piece"] = name
    return pieces
