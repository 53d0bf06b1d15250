"""`Layers`: the blocks of a model at some texts, with what is known of their parts in the place of their modules."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import torch

from ..interface import attending
from ..trace import replaced
from .attention import Attended
from .pre_norm import PreNorm, Turn, read_turn
from .stored import stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torch import Tensor

    from .. import Model
    from ..chain import Steps
    from ..interface import Call
    from .parts import Part, View
    from .plan import Plan
    from .pre_norm import Weights

__all__ = ["Layers"]

KEPT = 64 << 20
"""Bytes of what is known of all layers that are kept from the way forward to the way back; the others run again."""


class Layers:
    """The blocks at some texts: `run` keeps what a block's parts did, `replay` answers with it."""

    def __init__(self, model: Model, plan: Plan) -> None:
        self._model = model
        self._parts = tuple({module: make() for module, make in parts.items()} for parts in plan.parts)
        self._attended = tuple(Attended() for _ in plan.parts)
        self._usual = tuple(
            None if roles is None else PreNorm(roles, parts, attended)
            for roles, parts, attended in zip(plan.roles, self._parts, self._attended, strict=True)
        )
        self._plan = plan
        self._layer = 0
        self._recording = False
        self._sizes = [0] * len(plan.parts)
        self._weights: tuple[int, Weights] | None = None
        self._turns: dict[int, Turn | None] = {}

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
                returned = steps.block(layer, hidden)
        finally:
            self._recording = False
        usual = self._usual[layer]
        if usual is not None:
            usual.settle()
            for part in self._parts[layer].values():
                part.kept = ()
        tensors = [kept for part in self._known(layer) for kept in part.kept]
        self._sizes[layer] = sum(kept.numel() * kept.element_size() for kept in tensors)
        return returned

    def spare(self, layer: int) -> None:
        """Forget what a block's parts did where others hold enough."""
        if sum(self._sizes) > KEPT:
            self.forget(layer)

    def ran(self, layer: int) -> bool:
        """Whether it is known what a block's parts did."""
        return bool(self._sizes[layer])

    def forget(self, layer: int) -> None:
        """Let go of what a block's parts did."""
        self._sizes[layer] = 0
        for part in self._known(layer):
            part.kept = ()

    def replay(self, steps: Steps, layer: int, hidden: Tensor, view: View) -> Tensor:
        """Return what a block hands on, differentiable, its parts answering from what they kept."""
        self._layer = layer
        self._attended[layer].view = view
        for part in self._parts[layer].values():
            part.view = view
        return steps.block(layer, hidden)

    def back(self, steps: Steps, layer: int, behind: Tensor, view: View) -> Tensor | None:
        """Cotangents [N, L, d] of what a block hands on → of what it was given, if it is of the usual kind."""
        usual = self._usual[layer]
        if usual is None:
            return None
        if self._weights is None or self._weights[0] != layer:
            self._weights = layer, usual.weights(self._weights and self._weights[1])
        turn = self._turn(steps.arguments(layer)) if self._plan.roles[layer].turns else None
        if turn is not None:
            turn = Turn(turn.cos[: view.length], turn.sin[: view.length]).times(usual.attended.scale)
        return usual.back(behind, view, self._weights[1], turn)

    def _turn(self, arguments: Mapping[str, Any]) -> Turn | None:
        """Return what a block is told of positions; blocks are told the same."""
        told = id(arguments["position_embeddings"])
        if told not in self._turns:
            self._turns[told] = read_turn(arguments)
        return self._turns[told]

    def _known(self, layer: int) -> list[Part | Attended | PreNorm]:
        usual = self._usual[layer]
        return [*self._parts[layer].values(), self._attended[layer], *([usual] if usual else ())]

    def _forward(self, part: Part) -> Callable[[Tensor], Tensor]:
        return lambda given: part.record(given) if self._recording else stored(part, given)

    def _attend(self, call: Call) -> None:
        if call.module in self._plan.attentions:
            attended = self._attended[self._layer]
            given = (call.query, call.key, call.value)
            call.settle(attended.record(call) if self._recording else stored(attended, *given))
