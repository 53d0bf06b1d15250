"""Runs from the place on at which a state is put back: nothing before it, and no block below it, is computed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from builder.model.interventions import Patch, modules_of, patching
from builder.model.rerun import Places, at_once, batches, tails

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor, nn

    from builder.model.interventions import States
    from builder.model.rerun import Original

    from .place import Place

__all__ = ["read_tails"]


def read_tails(
    original: Original, base: States, source: States, places: Sequence[Place], window: int
) -> Iterator[tuple[list[int], Tensor]]:
    """Yield the numbers of some places and what the last token's final state [B, d'] is then, in runs of `original`.

    What attention or MLP hand on at a position changes but that position within their block. So of the first block of
    all the one token is computed, and from the next one on it is a change of the stream, as that of a stream is.
    """
    n, length = original.model.n_layers, len(original.ids)
    most = at_once(original.model, length)
    starting: dict[int, list[int]] = {}
    for number in sorted(range(len(places)), key=lambda number: places[number].position):
        place = places[number]
        first = place.changed(window, n)[0]
        starting.setdefault(first if place.state == "residual" else first + 1, []).append(number)
    for block, waiting in starting.items():
        for part in batches([places[number].position for number in waiting], length, most):
            some = waiting[part]
            chosen = [places[number] for number in some]
            at = torch.tensor([place.position for place in chosen], device=original.ids.device)
            tokens = tails(at, length)
            changed = tokens.number(torch.arange(len(some), device=at.device), at)
            stream = base.before(block)[tokens.positions]
            stream[changed] = _streams(original, base, source, chosen, block)
            later = [place.changed(window, n)[1:] if place.state != "residual" else [] for place in chosen]
            with patching(_patches(original, source, chosen, later, changed), 1):
                final = original.again(tokens, stream, block)
            yield some, final[changed + length - 1 - at]


def _streams(original: Original, base: States, source: States, places: list[Place], block: int) -> Tensor:
    """Return what then enters a block at each of some places, [B, d]."""
    at = torch.tensor([place.position for place in places], device=original.ids.device)
    found = source.before(block)[at]
    within = [row for row, place in enumerate(places) if place.state != "residual"]
    if within:
        rows, chosen = torch.arange(len(within), device=at.device), [places[row] for row in within]
        alone = Places(at[within], rows, at[within])
        with patching(_patches(original, source, chosen, [[block - 1]] * len(chosen), rows), 1):
            found[within] = original.again(alone, base.before(block - 1)[at[within]], block - 1, until=block)
    return found


def _patches(
    original: Original, source: States, places: list[Place], layers: list[list[int]], tokens: Tensor
) -> list[Patch]:
    """Return what puts the states of places back in some layers of each, at the numbers of their tokens [B]."""
    put: dict[nn.Module, list[tuple[int, Tensor]]] = {}
    for place, chosen, token in zip(places, layers, tokens.tolist(), strict=True):
        for k in chosen:
            module, whole = modules_of(original.model.structure, place.state)[k], source.handed_on[place.state][k]
            if module is not None and whole is not None:
                put.setdefault(module, []).append((token, whole[place.position]))
    patches = []
    for module, entries in put.items():
        rows, values = zip(*entries, strict=True)
        where = torch.tensor(rows, device=tokens.device)
        patches.append(Patch(module, where, torch.zeros_like(where), torch.stack(values)))
    return patches
