"""The trace: one state after another put back into the other run, and what that does to what is measured.

Meng et al. 2022, https://arxiv.org/abs/2202.05262, section 2.1; Zhang & Nanda 2023, https://arxiv.org/abs/2309.16042.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from builder.model.interventions import entering
from builder.model.rerun import keep
from builder.model.sweep import sweep

from .place import Place
from .tails import Tails
from .whole import Whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    from builder.model import Model
    from builder.model.interventions import State, States

__all__ = ["read_places", "trace"]


def trace(
    model: Model,
    ids: Tensor,
    pairs: Sequence[tuple[States, States]],
    measure: Callable[[Tensor], Tensor],
    *,
    states: Sequence[State],
    positions: Sequence[int],
    window: int = 1,
) -> Tensor:
    """Return [pairs, states, n_layers, positions] float64: `measure` of runs with one state of another in each.

    A pair is the run that is changed, on the tokens `ids` [T], and the one that states are from. `measure` takes logits
    [B, vocab] at the last position. What attention and MLP hand on is put back in `window` layers around the one named;
    where a layer has no such part, nothing is.
    """
    layers = range(model.n_layers)
    places = [Place(state, layer, position) for state in states for layer in layers for position in positions]
    found = torch.empty(len(pairs) * len(places), dtype=torch.float64)
    for numbers, logits in read_places(model, ids, pairs, places, window):
        found[numbers] = measure(logits).cpu().double()
    return found.reshape(len(pairs), len(states), model.n_layers, len(positions))


@torch.no_grad()
def read_places(
    model: Model, ids: Tensor, pairs: Sequence[tuple[States, States]], places: Sequence[Place], window: int = 1
) -> Iterator[tuple[list[int], Tensor]]:
    """Yield the numbers of some runs, all places of the first pair first, and their logits [B, vocab] at the end.

    A run is the same as the unchanged one up to the block in which it is changed, and in all blocks before the position
    at which it is. Where the model can be run from a position on, it is run from there.
    """
    for number, (base, source) in enumerate(pairs):
        original = keep(model, ids, lambda base=base: _run(model, ids, base))  # type: ignore[misc]
        changes: Tails | Whole
        if original is None:
            changes = Whole(model, ids, base, source, places, window)
        else:
            changes = Tails(original, base, source, places, window)
        for some, last in sweep(model, len(ids), changes):
            yield [number * len(places) + place for place in some], model.unembed(last).float()


def _run(model: Model, ids: Tensor, base: States) -> Tensor:
    """Return the final states [1, T, d'] of the run that had these states; its inputs need not be those of `ids`."""
    with entering(model.structure, 0, base.before(0)[None]):
        return model.forward_ids(ids[None])
