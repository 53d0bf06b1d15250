"""The trace: one state after another put back into the other run, and what that does to what is measured.

Meng et al. 2022, https://arxiv.org/abs/2202.05262, section 2.1; Zhang & Nanda 2023, https://arxiv.org/abs/2309.16042.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from builder.model.interventions import Patch, entering, modules_of, patching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor, nn

    from builder.model import Model
    from builder.model.interventions import State, States

__all__ = ["Place", "around", "read_places", "trace"]

TOKENS = 2048
"""How many tokens go through the network at once; more are no faster (2.4 to 2.7 ms each on smollm2)."""


class Place(NamedTuple):
    """A state that is put back."""

    state: State
    layer: int
    position: int


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

    A run is the same as the unchanged one up to the block in which it is changed. It starts there, with all that do.
    """
    structure, n = model.structure, model.n_layers
    runs = [(base, source, place) for base, source in pairs for place in places]
    starting: dict[int, list[int]] = {}
    for number, (_, _, place) in enumerate(runs):
        starting.setdefault(_changed(place, window, n)[0], []).append(number)
    rows = max(1, TOKENS // len(ids))
    for block, waiting in starting.items():
        for some in (waiting[i : i + rows] for i in range(0, len(waiting), rows)):
            stream = torch.stack([runs[number][0].before(block) for number in some])
            put: dict[nn.Module, list[tuple[int, int, Tensor]]] = {}
            for row, number in enumerate(some):
                _, source, place = runs[number]
                if place.state == "residual":
                    stream[row, place.position] = source.before(block)[place.position]
                    continue
                for k in _changed(place, window, n):
                    module, whole = modules_of(structure, place.state)[k], source.handed_on[place.state][k]
                    if module is not None and whole is not None:
                        put.setdefault(module, []).append((row, place.position, whole[place.position]))
            with entering(structure, block, stream), patching([_patch(*item, ids) for item in put.items()], len(ids)):
                final = model.forward_ids(ids.expand(len(some), -1))
            yield some, model.head_logits(final[:, -1]).float()


def around(layer: int, window: int, n_layers: int) -> list[int]:
    """Return the layers of a window, as many before the one in its middle as after it, or one more before it."""
    return list(range(max(0, layer - window // 2), min(n_layers, layer + (window + 1) // 2)))


def _changed(place: Place, window: int, n_layers: int) -> list[int]:
    """Return the blocks in which a run is changed; for the stream after a block the next one, which reads it."""
    return [place.layer + 1] if place.state == "residual" else around(place.layer, window, n_layers)


def _patch(module: nn.Module, entries: list[tuple[int, int, Tensor]], ids: Tensor) -> Patch:
    rows, positions, values = zip(*entries, strict=True)
    return Patch(
        module,
        torch.tensor(rows, device=ids.device),
        torch.tensor(positions, device=ids.device),
        torch.stack(values),
    )
