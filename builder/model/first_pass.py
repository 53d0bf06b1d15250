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
from .interface import AttentionCall, attending
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
    """By layer, [T, n_neurons] as the network has them, of layers of which that was kept."""
    attention: dict[int, Captured]
    """Of the layers that attend, by their number among these: all of them, or none."""


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
    # of others a pass of its own says which layer is which; asked before anybody listens: it is tried on other texts
    with_attention = "attention" in expected and model.chained
    kept: list[Tensor] = []

    def keep(layer: int, tensor: Tensor) -> Tensor:
        if not kept:  # the first one says in which format the network keeps its stream
            kept.append(tensor.new_empty(n_layers + 1, *tensor.shape[1:], device=ids.device))
        return kept[0][layer + 1].copy_(tensor[0])

    neurons: dict[int, Tensor] = {}
    attention: dict[int, Captured] = {}
    downward = structure.down_projections if "neurons" in expected else ()
    attending_layers = sum(module is not None for module in structure.attentions)
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        stack.enter_context(recording(structure.blocks, keep))
        stack.enter_context(_keeping_neurons(downward, neurons))
        if with_attention:
            stack.enter_context(attending(model.network, _keeper(attention, attending_layers)))
        final = model.forward_ids(ids[None])
    whole = len(attention) == attending_layers
    return FirstPass(kept[0], final[0], neurons, attention if whole else {})


@contextlib.contextmanager
def _keeping_neurons(modules: Sequence[nn.Module | None], kept: dict[int, Tensor]) -> Iterator[None]:
    """Within: what down projections read is kept by layer, where as much of all layers fits `SHORT`.

    Not of a module that stands in several layers: it reads once in each, and does not say in which.
    """

    def reader(layer: int) -> Callable[..., None]:
        def read(_module: nn.Module, args: tuple[object, ...]) -> None:
            tensor = first_tensor(args)
            if tensor is not None and tensor.nbytes * len(modules) <= SHORT:
                kept[layer] = tensor.reshape(-1, tensor.shape[-1])

        return read

    own = [(layer, m) for layer, m in enumerate(modules) if m is not None and modules.count(m) == 1]
    handles = [module.register_forward_pre_hook(reader(layer)) for layer, module in own]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _keeper(kept: dict[int, Captured], count: int) -> Callable[[AttentionCall], None]:
    """Return what keeps calls of attention by their number, those of which `count` fit `SHORT`."""
    number = iter(range(1 << 62))

    def record(call: AttentionCall) -> None:
        call.proceed()
        found = Captured(call.weights, call)
        at = next(number)
        if found.nbytes * count <= SHORT:
            kept[at] = found

    return record
