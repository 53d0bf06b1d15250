"""Taking parts out: what is said of the answer without each head, each attention and each MLP."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import torch

from builder.model.interventions import Patch, between, modules_of, patching
from builder.model.sweep import Beginning

from .heads import masked
from .text import Effects

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor

    from .heads import Heads
    from .text import Text

__all__ = ["Replace", "instead", "without_parts"]

Replace = Literal["zero", "mean"]
WHOLES: tuple[Literal["attention", "mlp"], ...] = ("attention", "mlp")


def without_parts(text: Text, heads: Mapping[int, Heads], layers: Sequence[int], replace: Replace) -> list[Effects]:
    """Return what is said without each head of each layer, then without its attention, and without its MLP.

    A part is taken out at every position of the text. Heads are left out where there are none; a part that the layer
    has not, changes nothing.
    """
    own = [[*range(heads[layer].n if layer in heads else 0), *WHOLES] for layer in layers]
    taken = [_Part(layer, part) for layer, parts in zip(layers, own, strict=True) for part in parts]
    return text.effects_of(_Without(text, heads, taken, replace)).split([len(parts) for parts in own])


class _Part(NamedTuple):
    layer: int
    part: int | Literal["attention", "mlp"]
    """A head's number, or all of a module."""


@dataclass(frozen=True)
class _Without:
    """Runs of a text, without one part each; what enters the layer of the part is known."""

    text: Text
    heads: Mapping[int, Heads]
    taken: Sequence[_Part]
    replace: Replace

    @property
    def beginnings(self) -> list[Beginning]:
        return [Beginning(part.layer, 0) for part in self.taken]

    def enter(self, block: int, runs: list[int]) -> Tensor:
        return self.text.states.before(block).repeat(len(runs), 1)

    def through(self, blocks: range, runs: list[int], stream: Tensor) -> Tensor:
        parts = [self.taken[run] for run in runs]
        with contextlib.ExitStack() as stack:
            for layer in {part.layer for part in parts if part.layer in blocks}:
                here = [part.part if part.layer == layer else None for part in parts]
                own = self.heads.get(layer)
                if own is not None:
                    mask = own.mask([part if isinstance(part, int) else None for part in here])
                    stack.enter_context(masked(own.projection, mask, instead(own.vectors, self.replace)))
                stack.enter_context(patching(list(self._wholes(layer, here)), len(self.text.ids)))
            texts = stream.view(len(runs), len(self.text.ids), -1)
            return between(self.text.model, self.text.ids, blocks, texts).flatten(0, 1)

    def _wholes(self, layer: int, parts: Sequence[int | str | None]) -> Iterator[Patch]:
        """Yield what takes attentions or MLPs out of rows of a batch; nothing where the layer has none."""
        for kind in WHOLES:
            module, states = modules_of(self.text.model.structure, kind)[layer], self.text.states.handed_on[kind][layer]
            for row in (row for row, part in enumerate(parts) if part == kind):
                if module is not None and states is not None:
                    positions = torch.arange(len(states), device=states.device)
                    fill = instead(states, self.replace).expand(len(states), -1)
                    yield Patch(module, torch.full_like(positions, row), positions, fill)


def instead(vectors: Tensor, replace: Replace) -> Tensor:
    """Return what stands in the place of vectors [T, d]: 0, or their mean, that of the first position left out.

    Models rest on the first token, and what they hand on there is of another size: it would be the mean.
    """
    if replace == "zero":
        return torch.zeros_like(vectors[0])
    return vectors[min(1, len(vectors) - 1) :].float().mean(0).to(vectors)
