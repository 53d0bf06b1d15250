"""Knocking attention edges out: what is said when the last token cannot look at an earlier one, in some layers.

Geva et al. 2023, https://arxiv.org/abs/2304.14767. The score of the edge is as low as those of later tokens, so that
the softmax shares the weight out among the others. Only what the last token reads changes: it alone is run again, with
the keys and values that the others had.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from builder.errors import BuildError
from builder.model.heard import attend_alone
from builder.model.interface import attending
from builder.model.interventions import running
from builder.model.rerun import keep
from builder.model.sweep import Beginning

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from torch import Tensor

    from builder.model import Run
    from builder.model.heard import Heard
    from builder.model.interface import AttentionCall

    from .text import Effects, Text

__all__ = ["Edges", "Memory", "read_memory"]


class Edges(NamedTuple):
    """What is said with edges cut, and what is left of them."""

    effects: list[Effects]
    """For each of some layers, with the edge to each earlier position cut."""
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

    def without_edges(self, spans: Sequence[Collection[int]], sources: Sequence[int]) -> Edges:
        """Return what is said when in all layers of a span the last token cannot look at one of `sources`, at each.

        A source of −1 is none: nothing is cut.
        """
        cut = _Cut(self, [_Edge(span, source) for span in spans for source in sources])
        effects = self.text.effects_of(cut).split([len(sources)] * len(spans))
        return Edges(effects, max(cut.left, default=0.0), max(cut.off, default=0.0))


class _Edge(NamedTuple):
    layers: Collection[int]
    source: int


@dataclass(frozen=True)
class _Cut:
    """Runs of the last token, with one edge cut in each."""

    memory: Memory
    edges: Sequence[_Edge]
    left: list[float] = field(default_factory=list)
    """Weights of edges that were cut."""
    off: list[float] = field(default_factory=list)
    """How far rows of weights are from the sum 1."""

    @property
    def beginnings(self) -> list[Beginning]:
        return [Beginning(min(edge.layers), len(self.memory.text.ids) - 1) for edge in self.edges]

    def enter(self, block: int, runs: list[int]) -> Tensor:
        return self.memory.text.states.before(block)[-1:].expand(len(runs), -1)

    def through(self, blocks: range, runs: list[int], stream: Tensor) -> Tensor:
        text, edges = self.memory.text, [self.edges[run] for run in runs]
        layers = {module: layer for layer, module in self.memory.modules.items() if layer in blocks}
        ids = text.ids[-1:].expand(len(runs), -1)
        structure = text.model.structure
        where = torch.full_like(ids, len(text.ids) - 1)
        with (
            running(structure, blocks, stream[:, None]) as seen,
            attending(text.model.network, lambda call: self._answer(call, edges, layers)),
        ):
            structure.base(input_ids=ids, position_ids=where, use_cache=False)
        return seen[0][:, 0].to(stream.device)

    def _answer(self, call: AttentionCall, edges: Sequence[_Edge], layers: dict[Any, int]) -> None:
        """Attend without what is cut in the layer of a call."""
        heard, layer = self.memory.heard[call.module], layers.get(call.module)
        mask = heard.mask[0, :, -1:].repeat(1, len(edges), 1)
        rows = [row for row, edge in enumerate(edges) if edge.source >= 0 and layer in edge.layers]
        there = [edges[row].source for row in rows]
        mask[:, rows, there] = torch.finfo(mask.dtype).min
        weights = _attend(call, heard, mask)
        if rows:
            self.left.append(float(weights[rows, :, there].max()))
        if not hasattr(call.module, "sinks"):  # what goes to a place that is no token is missing from the sum
            self.off.append(float((weights.float().sum(-1) - 1).abs().max()))


@torch.no_grad()
def read_memory(run: Run, text: Text) -> Memory:
    """Run the text and keep what its attention is called with.

    Raises `BuildError` for a text of one token, and where a model's attention does not go through transformers'
    interface or is not the only place where tokens meet.
    """
    attention = run.attention
    if len(text.ids) < 2:
        raise BuildError("invalid edges: one token stands before the answer, and it has nothing else to look at")
    if not attention.has_vectors:
        raise BuildError(
            f"unsupported edges: model {run.model.name} ({type(run.model.network).__name__}) does not go through "
            "transformers' attention interface, so none of its edges can be cut"
        )
    original = keep(run.model, text.ids, lambda: run.model.forward_ids(text.ids[None]))
    if original is None:
        raise BuildError(
            f"unsupported edges: in model {run.model.name} ({type(run.model.network).__name__}) tokens meet outside of "
            "attention too, so that the last one cannot be run alone"
        )
    modules = {layer: attention.module("self", layer) for layer in attention.part("self").layers}
    return Memory(text, modules, original.heard)


def _attend(call: AttentionCall, heard: Heard, mask: Tensor) -> Tensor:
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
