"""`Place`: a state that is put back, the blocks in which that changes a run, and `patches`, which do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from builder import ranges
from builder.model.interventions import Patch, modules_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor, nn

    from builder.model.interventions import State, States
    from builder.model.structure import Structure

__all__ = ["Place", "Restored", "patches"]


class Place(NamedTuple):
    """A state that is put back."""

    state: State
    layer: int
    position: int

    def changed(self, window: int, n_layers: int) -> list[int]:
        """Return the blocks in which a run is changed; for the stream after a block the next one, which reads it."""
        return [self.layer + 1] if self.state == "residual" else ranges.window(self.layer, window, n_layers)


class Restored(NamedTuple):
    """Where a place's state is put back: in some blocks, at a row of a batch and a position of it."""

    place: Place
    blocks: Iterable[int]
    row: int
    position: int


def patches(structure: Structure, source: States, restored: Iterable[Restored]) -> list[Patch]:
    """Return what puts states of `source` back, a module at a time; nothing where a block has no such part."""
    put: dict[nn.Module, list[tuple[int, int, Tensor]]] = {}
    for place, blocks, row, position in restored:
        for k in blocks:
            module, whole = modules_of(structure, place.state)[k], source.handed_on[place.state][k]
            if module is not None and whole is not None:
                put.setdefault(module, []).append((row, position, whole[place.position]))
    return [_patch(module, entries) for module, entries in put.items()]


def _patch(module: nn.Module, entries: list[tuple[int, int, Tensor]]) -> Patch:
    rows, positions, values = zip(*entries, strict=True)
    found = torch.stack(values)
    return Patch(module, torch.tensor(rows, device=found.device), torch.tensor(positions, device=found.device), found)
