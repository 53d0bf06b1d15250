"""Knocking attention edges out: what is said when the last token cannot look at an earlier one, in some layers.

Geva et al. 2023, https://arxiv.org/abs/2304.14767. The score of the edge is as low as those of later tokens, so that
the softmax shares the weight out among the others. Only what the last token reads changes: it alone is run again, with
the keys and values that the others had.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from builder.errors import BuildError
from builder.model.heard import attend_alone, hear
from builder.model.interface import attending
from builder.model.interventions import entering
from builder.model.rerun import at_once

from .text import Effects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from builder.model import Run
    from builder.model.heard import Heard
    from builder.model.interface import Call

    from .text import Text

__all__ = ["Edges", "Memory", "read_memory"]


class Edges(NamedTuple):
    """What is said with the edge to each earlier position cut, and what is left of it."""

    effects: Effects
    left: float
    """The largest weight of an edge that was cut."""
    off: float
    """How far a row of weights is from the sum 1."""


@dataclass(frozen=True)
class Memory:
    """What the last token of a text finds in each layer: keys and values of those before it, and what it may read."""

    text: Text
    modules: dict[int, Any]
    """The modules that attend, by layer."""
    heard: dict[Any, Heard]
    """What each of them was given, when nothing was cut."""

    @torch.no_grad()
    def without_edges(self, layers: Sequence[int], sources: Sequence[int]) -> Edges:
        """Return what is said when in `layers` the last token cannot look at one of `sources`, at each in turn.

        A source of −1 is none: nothing is cut.
        """
        text, model = self.text, self.text.model
        first, cut = min(layers), [self.modules[layer] for layer in layers if layer in self.modules]
        found, left, off = [], 0.0, 0.0

        def handler(call: Call) -> None:
            nonlocal left, off
            heard, n = self.heard[call.module], len(batch)
            mask = heard.mask[0, :, -1:].repeat(1, n, 1)
            rows = [row for row, source in enumerate(batch) if source >= 0]
            there = [batch[row] for row in rows]
            if call.module in cut:
                mask[:, rows, there] = torch.finfo(mask.dtype).min
            weights = _attend(call, heard, mask)
            if call.module in cut and rows:
                left = max(left, float(weights[rows, :, there].max()))
            off = max(off, float((weights.float().sum(-1) - 1).abs().max()))

        size = at_once(model, len(text.ids))
        for start in range(0, len(sources), size):
            batch = sources[start : start + size]
            ids = text.ids[-1:].expand(len(batch), -1)
            where = torch.full_like(ids, len(text.ids) - 1)
            with contextlib.ExitStack() as stack:
                stream = text.states.before(first)[-1:].expand(len(batch), -1, -1)
                stack.enter_context(entering(model.structure, first, stream))
                stack.enter_context(attending(model.network, handler))
                final = model.structure.base(input_ids=ids, position_ids=where, use_cache=False).last_hidden_state
            found.append(text.effects(final))
        return Edges(Effects.join(found), left, off)


@torch.no_grad()
def read_memory(run: Run, text: Text) -> Memory:
    """Run the text and keep what its attention is called with.

    Raises `BuildError` for a text of one token, and where a model's attention does not go through transformers'
    interface.
    """
    attention = run.attention
    if len(text.ids) < 2:
        raise BuildError("invalid edges: one token stands before the answer, and it has nothing else to look at")
    if not attention.has_vectors:
        raise BuildError(
            f"unsupported edges: model {run.model.name} ({type(run.model.network).__name__}) does not go through "
            "transformers' attention interface, so none of its edges can be cut"
        )
    heard: dict[Any, Heard] = {}
    with attending(run.model.network, lambda call: heard.__setitem__(call.module, hear(call))):
        run.model.forward_ids(text.ids[None])
    return Memory(text, {layer: attention.module("self", layer) for layer in attention.part("self").layers}, heard)


def _attend(call: Call, heard: Heard, mask: Tensor) -> Tensor:
    """Have the last token attend in n ways, by masks [1 or heads, n, T]; return the weights [n, heads, T]."""
    n, length = mask.shape[1:]
    if heard.plain:
        found, weights = attend_alone(call, heard, torch.full((n,), length - 1, device=mask.device), mask)
        call.settle(found)
        return weights
    call.key = torch.cat((heard.key[:, :, :-1].expand(n, -1, -1, -1), call.key), 2)
    call.value = torch.cat((heard.value[:, :, :-1].expand(n, -1, -1, -1), call.value), 2)
    call.mask = mask.transpose(0, 1)[:, :, None]
    call.proceed()
    return call.weights[:, :, 0]
