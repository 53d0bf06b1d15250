"""Runs of whole texts from the block on in which a state is put back, for models that cannot be run in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from builder.model.interventions import Patch, entering, modules_of, patching
from builder.model.rerun import at_once

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor, nn

    from builder.model import Model
    from builder.model.interventions import States

    from .place import Place

__all__ = ["read_whole"]


def read_whole(
    model: Model, ids: Tensor, base: States, source: States, places: Sequence[Place], window: int
) -> Iterator[tuple[list[int], Tensor]]:
    """Yield the numbers of some places and what the last token's final state [B, d'] is then, in runs of `ids` [T].

    All runs that change in the same block start there together.
    """
    structure, n = model.structure, model.n_layers
    starting: dict[int, list[int]] = {}
    for number, place in enumerate(places):
        starting.setdefault(place.changed(window, n)[0], []).append(number)
    rows = max(1, at_once(model, len(ids)) // len(ids))
    for block, waiting in starting.items():
        for some in (waiting[i : i + rows] for i in range(0, len(waiting), rows)):
            stream = base.before(block).repeat(len(some), 1, 1)
            put: dict[nn.Module, list[tuple[int, int, Tensor]]] = {}
            for row, number in enumerate(some):
                place = places[number]
                if place.state == "residual":
                    stream[row, place.position] = source.before(block)[place.position]
                    continue
                for k in place.changed(window, n):
                    module, whole = modules_of(structure, place.state)[k], source.handed_on[place.state][k]
                    if module is not None and whole is not None:
                        put.setdefault(module, []).append((row, place.position, whole[place.position]))
            with entering(structure, block, stream), patching([_patch(*item) for item in put.items()], len(ids)):
                final = model.forward_ids(ids.expand(len(some), -1))
            yield some, final[:, -1]


def _patch(module: nn.Module, entries: list[tuple[int, int, Tensor]]) -> Patch:
    rows, positions, values = zip(*entries, strict=True)
    found = torch.stack(values)
    return Patch(module, torch.tensor(rows, device=found.device), torch.tensor(positions, device=found.device), found)
