"""Runs of whole texts from the block on in which a state is put back, for models that cannot be run in parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from builder.model.interventions import Patch, between, modules_of, patching
from builder.model.sweep import Beginning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

    from builder.model import Model
    from builder.model.interventions import States

    from .place import Place

__all__ = ["Whole"]


@dataclass(frozen=True)
class Whole:
    """Runs of `ids` [T], which had the states `base`, in each of which one of `places` is as in `source`."""

    model: Model
    ids: Tensor
    base: States
    source: States
    places: Sequence[Place]
    window: int

    @property
    def beginnings(self) -> list[Beginning]:
        """Where each run begins."""
        return [Beginning(place.changed(self.window, self.model.n_layers)[0], 0) for place in self.places]

    def enter(self, block: int, runs: list[int]) -> Tensor:
        """Return what enters a block in which some runs begin, [runs · T, d]."""
        stream = self.base.before(block).repeat(len(runs), 1, 1)
        for row, place in enumerate(self.places[run] for run in runs):
            if place.state == "residual":
                stream[row, place.position] = self.source.before(block)[place.position]
        return stream.flatten(0, 1)

    def through(self, blocks: range, runs: list[int], stream: Tensor) -> Tensor:
        """Take texts through blocks, in which states are put back."""
        put: dict[nn.Module, list[tuple[int, int, Tensor]]] = {}
        for row, place in enumerate(self.places[run] for run in runs):
            changed = place.changed(self.window, self.model.n_layers) if place.state != "residual" else []
            for k in (k for k in changed if k in blocks):
                module, whole = modules_of(self.model.structure, place.state)[k], self.source.handed_on[place.state][k]
                if module is not None and whole is not None:
                    put.setdefault(module, []).append((row, place.position, whole[place.position]))
        with patching([_patch(*item) for item in put.items()], len(self.ids)):
            texts = stream.view(len(runs), len(self.ids), -1)
            return between(self.model, self.ids, blocks, texts).flatten(0, 1)


def _patch(module: nn.Module, entries: list[tuple[int, int, Tensor]]) -> Patch:
    rows, positions, values = zip(*entries, strict=True)
    found = torch.stack(values)
    return Patch(module, torch.tensor(rows, device=found.device), torch.tensor(positions, device=found.device), found)
