"""Runs of whole texts from the block on in which a state is put back, for models that cannot be run in parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.model.interventions import between, patching
from builder.model.sweep import Beginning

from .place import Restored, patches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

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
        restored = [
            Restored(place, self._changed(place, blocks), row, place.position)
            for row, place in enumerate(self.places[run] for run in runs)
            if place.state != "residual"
        ]
        with patching(patches(self.model.structure, self.source, restored), len(self.ids)):
            texts = stream.view(len(runs), len(self.ids), -1)
            return between(self.model, self.ids, blocks, texts).flatten(0, 1)

    def _changed(self, place: Place, blocks: range) -> list[int]:
        return [k for k in place.changed(self.window, self.model.n_layers) if k in blocks]
