"""`Layers`: the blocks of a model at some texts, with what is known of their parts in the place of their modules."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import torch

from ..interface import attending
from ..trace import replaced
from .attention import Attended
from .mask import Mask, read_mask
from .pre_norm import PreNorm
from .scratch import Scratch
from .stored import stored
from .turn import Turn, read_turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torch import Tensor

    from .. import Model
    from ..chain import Steps
    from ..interface import AttentionCall
    from .parts import Part, View
    from .plan import Plan
    from .pre_norm import Weights
    from .rows import Rows

__all__ = ["Layers"]

KEPT = 140 << 20
"""Bytes that are held on the way back: what entered the blocks, the cotangents, memory for a piece of the work, and in
what is left of it what is known of blocks from the way forward; those of which nothing is known run again."""
LINE = 64
"""Bytes of a cache line, and of a vector of the widest instructions."""


class Layers:
    """The blocks at some texts: `run` keeps what a block's parts did, `replay` answers with it."""

    def __init__(self, model: Model, plan: Plan, reserved: int) -> None:
        """Take how many bytes others keep."""
        self._model = model
        self._reserved = reserved
        self._parts = tuple({module: make() for module, make in parts.items()} for parts in plan.parts)
        self._attended = tuple(Attended() for _ in plan.parts)
        self.scratch = Scratch()
        """Memory that all blocks of the usual kind share."""
        self._usual = tuple(
            None if roles is None else PreNorm(roles, parts, attended, self.scratch)
            for roles, parts, attended in zip(plan.roles, self._parts, self._attended, strict=True)
        )
        self._plan = plan
        self._layer = 0
        self._recording = False
        self._sizes = [0] * len(plan.parts)
        self.kept = 0
        """Bytes of what was known of all layers that ran, whether it still is or not."""
        self._weights: tuple[int, Weights] | None = None
        self._copies: dict[int, Tensor] = {}
        self._turns: dict[int, Turn] = {}
        self._masks: dict[int, Mask] = {}

    @contextlib.contextmanager
    def placed(self) -> Iterator[None]:
        """Within: parts stand in the place of their modules."""
        with contextlib.ExitStack() as stack:
            if self._plan.attentions:
                stack.enter_context(attending(self._model.network, self._attend))
            for parts in self._parts:
                for module, part in parts.items():
                    stack.enter_context(replaced(module, self._forward(part)))
            yield

    def run(self, steps: Steps, layer: int, hidden: Tensor) -> Tensor:
        """Run a block, and keep what its parts did, where there is room."""
        self._layer, self._recording = layer, True
        try:
            with torch.no_grad():
                usual = self._usual[layer]
                returned = steps.block(layer, hidden) if usual is None else self._forth(usual, steps, layer, hidden)
        finally:
            self._recording = False
        tensors = [kept for part in self._known(layer) for kept in part.kept]
        self._sizes[layer] = sum(kept.numel() * kept.element_size() for kept in tensors)
        self.kept += self._sizes[layer]
        return returned

    def spare(self, layer: int) -> None:
        """Forget what a block's parts did where others hold enough."""
        if sum(self._sizes) + self._reserved > KEPT:
            self.forget(layer)

    def ran(self, layer: int) -> bool:
        """Whether it is known what a block's parts did."""
        return bool(self._sizes[layer])

    def forget(self, layer: int) -> None:
        """Let go of what a block's parts did."""
        self._sizes[layer] = 0
        for part in self._known(layer):
            part.forget()

    def replay(self, steps: Steps, layer: int, hidden: Tensor, view: View) -> Tensor:
        """Return what a block hands on, differentiable, its parts answering from what they kept."""
        self._layer = layer
        self._attended[layer].view = view
        for part in self._parts[layer].values():
            part.view = view
        return steps.block(layer, hidden)

    def is_usual(self, layer: int) -> bool:
        """Whether a block's ways are written out."""
        return self._usual[layer] is not None

    @property
    def hide_what_is_later(self) -> bool:
        """Whether in all blocks that ran no position sees a later one."""
        return all(attended.causal for attended in self._attended)

    def back(self, steps: Steps, layer: int, entered: Tensor, behind: Tensor, rows: Rows) -> Tensor:
        """Cotangents [n, d] of what a usual block hands on → of `entered` [A, L, d]; both are `rows`."""
        usual, weights, turn = self._ready(steps, layer)
        return usual.back(behind, entered, rows, weights, turn)

    def start(self, steps: Steps, layer: int, entered: Tensor, behind: Tensor, view: View, at: Tensor) -> Tensor:
        """Cotangents [N, d] of what a usual block hands on, at the positions `at` [N] → of `entered`, [N, L, d]."""
        usual, weights, turn = self._ready(steps, layer)
        return usual.start(behind, at, entered, view, weights, turn)

    def _forth(self, usual: PreNorm, steps: Steps, layer: int, hidden: Tensor) -> Tensor:
        arguments = steps.arguments(layer)
        turn = self._turn(arguments) if usual.roles.turns else None
        told = None if usual.roles.mask is None else arguments[usual.roles.mask]
        if id(told) not in self._masks:
            self._masks[id(told)] = read_mask(told, usual.shared, usual.group, hidden.shape[1])
        return usual.forth(hidden, self._masks[id(told)], turn)

    def _ready(self, steps: Steps, layer: int) -> tuple[PreNorm, Weights, Turn | None]:
        usual = self._usual[layer]
        assert usual is not None  # is_usual
        if self._weights is None or self._weights[0] != layer:
            self._weights = layer, usual.weights([self._lined(*each) for each in enumerate(usual.matrices)])
        turn = self._turn(steps.arguments(layer)).scaled(usual.roles.scale) if usual.roles.turns else None
        return usual, self._weights[1], turn

    def _lined(self, number: int, matrix: Tensor) -> Tensor:
        """Return a matrix, or a copy, that begins where a cache line does: products of others take a tenth longer."""
        if matrix.is_contiguous() and matrix.data_ptr() % LINE == 0:
            return matrix
        copy = self._copies.get(number)
        if copy is None or copy.shape != matrix.shape:
            copy = self._copies[number] = matrix.new_empty(matrix.shape)
        return copy.copy_(matrix)

    def _turn(self, arguments: Mapping[str, Any]) -> Turn:
        """Return what a block is told of positions; most are told the same."""
        told = id(arguments["position_embeddings"])
        if told not in self._turns:
            turn = read_turn(arguments)
            assert turn is not None  # as when its roles were found
            self._turns[told] = turn
        return self._turns[told]

    def _known(self, layer: int) -> list[Part | Attended | PreNorm]:
        usual = self._usual[layer]
        return [*self._parts[layer].values(), self._attended[layer], *([usual] if usual else ())]

    def _forward(self, part: Part) -> Callable[[Tensor], Tensor]:
        return lambda given: part.record(given) if self._recording else stored(part, given)

    def _attend(self, call: AttentionCall) -> None:
        if call.module in self._plan.attentions:
            attended = self._attended[self._layer]
            given = (call.query, call.key, call.value)
            call.settle(attended.record(call) if self._recording else stored(attended, *given))
