"""The first pass over a text: the residual stream, and of a short text what figures are known to ask for next.

A pass over the blocks of a small model takes as long for forty tokens as its weights take to come from memory. So what
several passes would see is kept by the first, where there is little of it: of a long text a layer's attention or its
neurons come from the layer run again, when they are asked for.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from .capture import Captured
from .interface import Call, attending
from .trace import first_tensor, recording

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from torch import nn

    from . import Model

__all__ = ["FirstPass", "first_pass"]

SHORT = 32 << 20
"""Bytes of neurons or of attention that are kept, all layers together: of SmolLM2 those of 180 and of 95 tokens."""


class FirstPass(NamedTuple):
    """What a forward pass over ids [T] left."""

    stream: Tensor
    """[n_layers + 1, T, d_model], as the network has it: what enters each block, and what the last one hands on."""
    final: Tensor
    """[T, d], what the head reads."""
    neurons: dict[int, Tensor]
    """By layer, [T, n_neurons] as the network has them; none, or all that can be read."""
    attention: dict[int, Captured]
    """By the number of those that attend, in their order; none, or all of them."""


def first_pass(model: Model, ids: Tensor, expected: Collection[str] = ()) -> FirstPass:
    """Run token ids [T]; of what is `expected`, `neurons` or `attention`, what a short text has is kept."""
    try:
        return _run(model, ids, expected)
    except (LookupError, TypeError, ValueError):  # an attention of its own that knows no other name than its own
        if "attention" not in expected:
            raise
        return _run(model, ids, [name for name in expected if name != "attention"])


def _run(model: Model, ids: Tensor, expected: Collection[str]) -> FirstPass:
    structure, n_layers = model.structure, model.n_layers
    kept: list[Tensor] = []

    def keep(layer: int, tensor: Tensor) -> Tensor:
        if not kept:  # the first one says in which format the network keeps its stream
            kept.append(tensor.new_empty(n_layers + 1, *tensor.shape[1:], device=ids.device))
        return kept[0][layer + 1].copy_(tensor[0])

    neurons: dict[int, Tensor] = {}
    attention: dict[int, Captured] = {}
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        stack.enter_context(recording(structure.blocks, keep))
        if "neurons" in expected:
            stack.enter_context(_keeping_neurons(structure.down_projections, neurons))
        if "attention" in expected:
            record = _keeper(attention, sum(module is not None for module in structure.attentions))
            stack.enter_context(attending(model.network, record))
        final = model.forward_ids(ids[None])
    return FirstPass(kept[0], final[0], neurons, attention)


@contextlib.contextmanager
def _keeping_neurons(modules: Sequence[nn.Module | None], kept: dict[int, Tensor]) -> Iterator[None]:
    """Within: what down projections read is kept by layer, unless all of it is more than `SHORT`.

    A module that stands in several layers reads once in each, and does not say in which.
    """
    own = {module: layer for layer, module in enumerate(modules) if module is not None}
    if len(own) < len(modules):
        own = {}

    def reader(layer: int) -> Callable[..., None]:
        def read(_module: nn.Module, args: tuple[object, ...]) -> None:
            tensor = first_tensor(args)
            if tensor is not None and tensor.nbytes * len(modules) <= SHORT:
                kept[layer] = tensor.reshape(-1, tensor.shape[-1])

        return read

    handles = [module.register_forward_pre_hook(reader(layer)) for module, layer in own.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _keeper(kept: dict[int, Captured], count: int) -> Callable[[Call], None]:
    """Return what keeps calls of attention by their number, unless `count` of them are more than `SHORT`."""
    number = iter(range(1 << 62))

    def record(call: Call) -> None:
        call.proceed()
        found = Captured(call.weights, call)
        at = next(number)
        if found.nbytes * count <= SHORT:
            kept[at] = found

    return record
