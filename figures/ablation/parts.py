"""Taking parts out: what is said of the answer without each head, each attention and each MLP."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Literal

import torch

from builder.model.interventions import Patch, entering, modules_of, patching

from .heads import masked
from .text import Effects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from .heads import Heads
    from .text import Text

__all__ = ["Replace", "instead", "without_parts"]

Replace = Literal["zero", "mean"]
WHOLES = ("attention", "mlp")


@torch.no_grad()
def without_parts(text: Text, heads: Mapping[int, Heads], layer: int, replace: Replace) -> Effects:
    """Return what is said without each head of a layer, then without its attention, and without its MLP.

    A part is taken out at every position of the text. The blocks before the layer are not run: what enters it is known.
    Heads are left out where there are none; a part that the layer has not, changes nothing.
    """
    own = heads.get(layer)
    n = own.n if own else 0
    variants: list[int | str] = [*range(n), *WHOLES]
    size = -(-len(variants) // -(-len(variants) // text.at_once))  # of batches of like size
    found = []
    for start in range(0, len(variants), size):
        batch = variants[start : start + size]
        chosen = [variant if isinstance(variant, int) else None for variant in batch]
        patches = [_whole(text, layer, name, row, replace) for row, name in enumerate(batch) if name in WHOLES]
        with contextlib.ExitStack() as stack:
            stream = text.states.before(layer).expand(len(batch), -1, -1)
            stack.enter_context(entering(text.model.structure, layer, stream))
            if own is not None:
                stack.enter_context(masked(own.projection, own.mask(chosen), instead(own.vectors, replace)))
            stack.enter_context(patching([patch for patch in patches if patch is not None], len(text.ids)))
            found.append(text.effects(text.model.forward_ids(text.ids.expand(len(batch), -1))))
    return Effects.join(found)


def instead(vectors: Tensor, replace: Replace) -> Tensor:
    """Return what stands in the place of vectors [T, d]: 0, or their mean, that of the first position left out.

    Models rest on the first token, and what they hand on there is of another size: it would be the mean.
    """
    if replace == "zero":
        return torch.zeros_like(vectors[0])
    return vectors[min(1, len(vectors) - 1) :].float().mean(0).to(vectors)


def _whole(text: Text, layer: int, name: str, row: int, replace: Replace) -> Patch | None:
    """Return what takes an attention or an MLP out of one row of a batch; None where the layer has none."""
    kind: Literal["attention", "mlp"] = "attention" if name == "attention" else "mlp"
    module, states = modules_of(text.model.structure, kind)[layer], text.states.handed_on[kind][layer]
    if module is None or states is None:
        return None
    positions = torch.arange(len(states), device=states.device)
    return Patch(module, torch.full_like(positions, row), positions, instead(states, replace).expand(len(states), -1))
