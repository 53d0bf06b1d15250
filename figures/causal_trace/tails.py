"""Runs from the place on at which a state is put back: nothing before it, and no block below it, is computed again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from builder.model.interventions import patching
from builder.model.rerun import Places, at_once, tails
from builder.model.sweep import Beginning

from .place import Restored, patches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from builder.model.interventions import States
    from builder.model.rerun import Original

    from .place import Place

__all__ = ["Tails"]


@dataclass(frozen=True)
class Tails:
    """Runs of `original`, which had the states `base`, in each of which one of `places` is as in `source`.

    What attention or MLP hand on at a position changes but that position within their block. So of the first block of
    all the one token is computed, and from the next one on it is a change of the stream, as that of a stream is.
    """

    original: Original
    base: States
    source: States
    places: Sequence[Place]
    window: int

    @property
    def beginnings(self) -> list[Beginning]:
        """Where each run begins."""
        return [Beginning(self._begins(place), place.position) for place in self.places]

    def enter(self, block: int, runs: list[int]) -> Tensor:
        """Return what enters a block in which some runs begin, [N, d], from their position on."""
        at, tokens = self._tails(runs)
        stream = self.base.before(block)[tokens.positions]
        changed = tokens.number(torch.arange(len(runs), device=at.device), at)
        chosen = [self.places[run] for run in runs]
        most = at_once(self.original.model, len(self.original.ids))
        for part in (slice(start, start + most) for start in range(0, len(runs), most)):
            stream[changed[part]] = self._streams(chosen[part], at[part], block)
        return stream

    def through(self, blocks: range, runs: list[int], stream: Tensor) -> Tensor:
        """Take tails through blocks; what a window puts back in these is put back."""
        at, tokens = self._tails(runs)
        changed = tokens.number(torch.arange(len(runs), device=at.device), at)
        chosen = zip((self.places[run] for run in runs), changed.tolist(), strict=True)
        restored = [Restored(place, self._later(place, blocks), token, 0) for place, token in chosen]
        with patching(patches(self.original.model.structure, self.source, restored), 1):
            return self.original.again(tokens, stream, blocks.start, until=blocks.stop)

    def _tails(self, runs: list[int]) -> tuple[Tensor, Places]:
        at = torch.tensor([self.places[run].position for run in runs], device=self.original.ids.device)
        return at, tails(at, len(self.original.ids))

    def _begins(self, place: Place) -> int:
        first = place.changed(self.window, self.original.model.n_layers)[0]
        return first if place.state == "residual" else first + 1

    def _later(self, place: Place, blocks: range) -> list[int]:
        if place.state == "residual":
            return []
        return [k for k in place.changed(self.window, self.original.model.n_layers)[1:] if k in blocks]

    def _streams(self, places: list[Place], at: Tensor, block: int) -> Tensor:
        """Return what then enters a block at each of some places, [B, d]."""
        found = self.source.before(block)[at]
        within = [row for row, place in enumerate(places) if place.state != "residual"]
        if within:
            rows = torch.arange(len(within), device=at.device)
            alone, entering = Places(at[within], rows, at[within]), self.base.before(block - 1)[at[within]]
            restored = [Restored(places[row], [block - 1], number, 0) for number, row in enumerate(within)]
            with patching(patches(self.original.model.structure, self.source, restored), 1):
                found[within] = self.original.again(alone, entering, block - 1, until=block)
        return found
