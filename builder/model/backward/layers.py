"""`Layers`: the blocks of a model at some texts, with what is known of their parts in the place of their modules."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import torch

from ..interface import attending
from ..trace import replaced
from .attention import Attended
from .stored import stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from .. import Model
    from ..chain import Steps
    from ..interface import Call
    from .parts import Part, View
    from .plan import Plan

__all__ = ["Layers"]

KEPT = 16 << 20
"""Bytes of what is known of all layers that are kept from the way forward to the way back; the others run again."""


class Layers:
    """The blocks at some texts: `run` keeps what a block's parts did, `replay` answers with it."""

    def __init__(self, model: Model, plan: Plan) -> None:
        self._model = model
        self._parts = tuple({module: make() for module, make in parts.items()} for parts in plan.parts)
        self._attended = tuple(Attended() for _ in plan.parts)
        self._plan = plan
        self._layer = 0
        self._recording = False
        self._sizes = [0] * len(plan.parts)

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
        for part in self._known(layer):
            part.view = view
        return steps.block(layer, hidden)

    def _known(self, layer: int) -> list[Part | Attended]:
        return [*self._parts[layer].values(), self._attended[layer]]

    def _forward(self, part: Part) -> Callable[[Tensor], Tensor]:
        return lambda given: part.record(given) if self._recording else stored(part, given)

    def _attend(self, call: Call) -> None:
        if call.module in self._plan.attentions:
            attended = self._attended[self._layer]
            given = (call.query, call.key, call.value)
            call.settle(attended.record(call) if self._recording else stored(attended, *given))
