"""`Place`: a state that is put back, and the blocks in which that changes a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from builder.model.interventions import State

__all__ = ["Place", "around"]


class Place(NamedTuple):
    """A state that is put back."""

    state: State
    layer: int
    position: int

    def changed(self, window: int, n_layers: int) -> list[int]:
        """Return the blocks in which a run is changed; for the stream after a block the next one, which reads it."""
        return [self.layer + 1] if self.state == "residual" else around(self.layer, window, n_layers)


def around(layer: int, window: int, n_layers: int) -> list[int]:
    """Return the layers of a window, as many before the one in its middle as after it, or one more before it."""
    return list(range(max(0, layer - window // 2), min(n_layers, layer + (window + 1) // 2)))
