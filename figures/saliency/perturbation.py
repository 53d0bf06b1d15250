"""Attribution by disturbing one input at a time, occlusion or value zeroing, and what proves it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

import torch

from builder.errors import BuildError
from builder.model.zeroing import mixing_left, zeroed_values

from .attribution import Attribution, shares
from .baseline import baseline
from .occlusion import occlusion
from .reference import plain_f
from .value_zeroing import value_zeroing

if TYPE_CHECKING:
    from torch import Tensor

    from builder.model import Run

    from .drops import Drops
    from .gradients import Network
    from .objective import Objective

__all__ = ["by_occlusion", "by_value_zeroing"]


def by_occlusion(
    run: Run, network: Network, objective: Objective, x: Tensor, name: Literal["zero", "mean", "pad", "eos"]
) -> tuple[Attribution, dict[str, float]]:
    """Return the attribution of all targets at inputs x [T, d], and the values of the checks."""
    positions, ids = run.targets, run.ids[torch.tensor(run.targets, device=x.device)]
    nothing = baseline(run.model, name, x)
    found = occlusion(network, objective, x, nothing, positions, ids)
    t, i, prefix = _sample(found, positions, x)
    occluded = prefix.clone()
    occluded[i] = nothing[i]
    plain = [plain_f(run.model.network, objective, inputs, ids[t]) for inputs in (prefix, occluded)]
    return _attribution(found, positions), {
        "drop against two plain passes, one token": abs(float(found.values[t, i]) - (plain[0] - plain[1])),
        "final states before the occluded token": found.leak,
    }


def by_value_zeroing(
    run: Run, network: Network, objective: Objective, x: Tensor
) -> tuple[Attribution, dict[str, float]]:
    """Return the attribution of all targets at inputs x [T, d], and the values of the checks.

    Raises `BuildError` where a model's tokens learn of each other in other ways than by the values of its attention.
    """
    model, positions = run.model, run.targets
    ids = run.ids[torch.tensor(positions, device=x.device)]
    left = mixing_left(model, run.ids)
    if left > 0.01:  # of another token is there all or nothing: 0.6 to 0.9 on tiny models, 4e-7 with experts
        raise BuildError(
            f"unsupported method: value_zeroing needs attention that goes through transformers' attention interface; "
            f"in model {model.name} ({type(model.network).__name__}) tokens meet elsewhere (did you mean occlusion?)"
        )
    found = value_zeroing(network, objective, x, partial(zeroed_values, model.network), positions, ids)
    t, i, prefix = _sample(found, positions, x)
    plain = []
    for zeroed in (torch.zeros(1, len(prefix), dtype=torch.bool), torch.arange(len(prefix))[None] == i):
        with zeroed_values(model.network, zeroed.to(x.device)):
            plain.append(plain_f(model.network, objective, prefix, ids[t]))
    own = plain_f(model.network, objective, prefix, ids[t])
    return _attribution(found, positions), {
        "drop against two plain passes, one token": abs(float(found.values[t, i]) - (plain[0] - plain[1])),
        "final states before the token without values": found.leak,
        "f with nothing zeroed against the model's own": abs(plain[0] - own),
        "what tokens learn of one another with all values zeroed": left,
    }


def _sample(found: Drops, positions: list[int], x: Tensor) -> tuple[int, int, Tensor]:
    """Return the middle target's number, the position that matters most to it, and the inputs before it [p, d]."""
    t = len(positions) // 2
    return t, int(found.values[t].abs().argmax()), x[: positions[t]]


def _attribution(found: Drops, positions: list[int]) -> Attribution:
    values = [row[:position] for row, position in zip(found.values, positions, strict=True)]
    return Attribution(
        scores=[shares(row.abs()) for row in values],
        values=values,
        f=found.f.tolist(),
        logits=found.logits.tolist(),
    )
