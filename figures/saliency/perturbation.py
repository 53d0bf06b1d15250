"""Attribution by disturbing one input at a time, occlusion or value zeroing, and what proves it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

import torch

from builder.errors import BuildError
from builder.model.rerun import at_once, keep
from builder.model.zeroing import mixing_left, zeroed_values

from .attribution import Attribution, shares
from .baseline import baseline
from .drops import drops
from .occlusion import occlusion
from .reading import Reading
from .reference import plain_f
from .value_zeroing import value_zeroing

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from builder.model import Model, Run
    from builder.model.rerun import Original

    from .drops import Disturbance, Drops
    from .gradients import Network
    from .objective import Objective

__all__ = ["by_occlusion", "by_value_zeroing"]


def by_occlusion(
    run: Run, network: Network, objective: Objective, x: Tensor, name: Literal["zero", "mean", "pad", "eos"]
) -> tuple[Attribution, dict[str, float]]:
    """Return the attribution of all targets at inputs x [T, d], and the values of the checks."""
    nothing = baseline(run.model, name, x)
    length = run.targets[-1]
    found = _drops(
        run, network, objective, x, lambda original: occlusion(network.forward, x[:length], nothing, original)
    )
    t, i, prefix = _sample(found, run.targets, x)
    occluded = prefix.clone()
    occluded[i] = nothing[i]
    token = run.ids[run.targets[t]]
    plain = [plain_f(run.model.network, objective, inputs, token) for inputs in (prefix, occluded)]
    return _attribution(found, run.targets), {
        "drop against two plain passes, one token": abs(float(found.values[t, i]) - (plain[0] - plain[1])),
        "final states before the occluded token": found.leak,
    }


def by_value_zeroing(
    run: Run, network: Network, objective: Objective, x: Tensor
) -> tuple[Attribution, dict[str, float]]:
    """Return the attribution of all targets at inputs x [T, d], and the values of the checks.

    Raises `BuildError` where a model's tokens learn of each other in other ways than by the values of its attention.
    """
    model, length = run.model, run.targets[-1]
    left = mixing_left(model, run.ids)
    if left > 0.01:  # of another token is there all or nothing: 0.6 to 0.9 on tiny models, 4e-7 with experts
        raise BuildError(
            f"unsupported method: value_zeroing needs attention that goes through transformers' attention interface; "
            f"in model {model.name} ({type(model.network).__name__}) tokens meet elsewhere (did you mean occlusion?)"
        )
    zeroed = partial(zeroed_values, model.network)
    found = _drops(
        run, network, objective, x, lambda original: value_zeroing(network.forward, x[:length], zeroed, original)
    )
    t, i, prefix = _sample(found, run.targets, x)
    token = run.ids[run.targets[t]]
    plain = []
    for mask in (torch.zeros(1, len(prefix), dtype=torch.bool), torch.arange(len(prefix))[None] == i):
        with zeroed(mask.to(x.device)):
            plain.append(plain_f(model.network, objective, prefix, token))
    own = plain_f(model.network, objective, prefix, token)
    return _attribution(found, run.targets), {
        "drop against two plain passes, one token": abs(float(found.values[t, i]) - (plain[0] - plain[1])),
        "final states before the token without values": found.leak,
        "f with nothing zeroed against the model's own": abs(plain[0] - own),
        "what tokens learn of one another with all values zeroed": left,
    }


def _drops(
    run: Run, network: Network, objective: Objective, x: Tensor, disturb: Callable[[Original | None], Disturbance]
) -> Drops:
    """Return what a disturbance does to all targets, from each position on where the model can be run so."""
    model, length = run.model, run.targets[-1]
    original = keep(model, run.ids[:length], lambda: network.forward(x[None, :length]))
    plain = network.forward(x[None, :length])[0] if original is None else original.final
    reading = Reading(network.head, objective, _linear_head(model))
    ids = run.ids[torch.tensor(run.targets, device=x.device)]
    disturbance = disturb(original)._replace(at_once=at_once(model, length))
    return drops(plain, disturbance, reading, run.targets, ids)


def _linear_head(model: Model) -> torch.nn.Linear | None:
    """Return the head where its rows are at hand: it is a linear map, and its weights lie where states are."""
    head = model.structure.head
    if model.head_is_linear and type(head) is torch.nn.Linear and head.weight.device == model.device:
        return head
    return None


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
