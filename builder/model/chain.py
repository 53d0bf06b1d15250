"""A decoder's forward pass taken apart: what leads into its first block, each block by itself, what follows the last.

    steps = model.chain(embeddings)       # [A, L, d]; no block runs yet. Only where `model.chained`
    hidden = steps.enter(embeddings)      # [A, L, d_model], what enters block 0
    for layer in range(model.n_layers):
        hidden = steps.block(layer, hidden)
    final = steps.leave(hidden)           # [A, L, d], what the head reads, as forward_embeddings(embeddings) gives it
    steps.entered                         # the states on that way, without gradients: block l reads entered[l]

All three are differentiable, and none changes what it is given. Arguments of the blocks (masks, rotations) are those
that the network gives them for texts of this number and length: they depend on nothing else, which `find_chain` proves.
So `block` takes any states [A, L, d_model], and those of n texts where `embeddings` are those of n or of one.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .trace import first_tensor, replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .structure import Structure

__all__ = ["Steps", "find_chain", "named"]

PLAIN = (type(None), bool, int, float, str, torch.dtype, torch.device)
"""What an argument may be beside a tensor: in any other object a block could leave something for the next one."""


@dataclass(frozen=True)
class _BlockCall:
    """How the network calls a block: all but the residual stream."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    named: bool
    """Whether the stream is `hidden_states=` and not the first argument."""

    def on(self, block: Any, hidden: Tensor) -> Tensor:
        """Call a block on another stream; return what it hands on."""
        if self.named:
            returned = block(*self.args, **self.kwargs | {"hidden_states": hidden})
        else:
            returned = block(hidden, *self.args[1:], **self.kwargs)
        found = first_tensor(returned)
        if found is None:
            raise TypeError(f"{type(block).__name__} returns no tensor")
        return found


class Steps:
    """The steps of a forward pass over input embeddings [A, L, d], or over others of that shape."""

    def __init__(self, structure: Structure, embeddings: Tensor) -> None:
        self._structure = structure
        self._embeddings = embeddings.detach()
        self._calls: list[_BlockCall] = []
        with torch.no_grad(), _skipping(structure, lambda call, _hidden: self._calls.append(call)):
            structure.base(inputs_embeds=self._embeddings, use_cache=False)
        if len(self._calls) != len(structure.blocks):
            raise TypeError("a block runs never or twice")

    @cached_property
    def entered(self) -> tuple[Tensor, ...]:
        """What enters each block, one [A, L, d_model] a layer, without gradients."""
        with torch.no_grad():
            states = [self.enter(self._embeddings)]
            for layer in range(len(self._calls) - 1):
                states.append(self.block(layer, states[-1]))
        return tuple(states)

    def enter(self, embeddings: Tensor) -> Tensor:
        """Input embeddings [A, L, d] → what enters block 0: scaled, with positions, normed, whatever the model does."""
        entered: list[Tensor] = []
        with _skipping(self._structure, lambda _call, hidden: entered.append(hidden)):
            self._structure.base(inputs_embeds=embeddings, use_cache=False)
        return entered[0]

    def block(self, layer: int, hidden: Tensor) -> Tensor:
        """What enters a block [A, L, d_model] → what it hands on."""
        return self._calls[layer].on(self._structure.blocks[layer], hidden)

    def arguments(self, layer: int) -> dict[str, Any]:
        """What the network gives a block beside the stream, `named`."""
        return named(self._calls[layer].args, self._calls[layer].kwargs)

    def leave(self, hidden: Tensor) -> Tensor:
        """What the last block hands on [A, L, d_model] → what the head reads [A, L, d]."""
        with _skipping(self._structure, lambda _call, _hidden: None, last=hidden):
            final: Tensor = self._structure.base(inputs_embeds=self._embeddings, use_cache=False).last_hidden_state
        return final.to(self._embeddings.device)


def named(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return all arguments of a call by name: those that have none by their number."""
    return {str(number): value for number, value in enumerate(args)} | kwargs


def find_chain(structure: Structure, embeddings: Tensor) -> bool:
    """Whether the blocks of a network are a chain, tried on the input embeddings [A, L, d] of some short texts.

    They are one where each runs once, in order; where nothing but the stream comes to a block from the embeddings or
    from an earlier block (shared keys, a first layer's values and inputs for each layer would); and where the steps
    give the network's own states, and its gradients.
    """
    try:
        return _is_chain(structure, embeddings)
    except (TypeError, ValueError, RuntimeError, AttributeError, IndexError, KeyError):
        return False


def _is_chain(structure: Structure, embeddings: Tensor) -> bool:
    calls: list[_BlockCall] = []
    streams: list[Tensor] = []
    x = embeddings.detach().clone().requires_grad_()
    with torch.enable_grad(), _watching(structure, calls, streams):
        final = structure.base(inputs_embeds=x, use_cache=False).last_hidden_state.to(x.device)
    if len(calls) != len(structure.blocks) or any(_depends((call.args, call.kwargs)) for call in calls):
        return False
    steps = Steps(structure, x)
    before = [state.clone() for state in steps.entered]
    with torch.enable_grad():
        y = embeddings.detach().clone().requires_grad_()
        hidden = steps.enter(y)
        for layer in range(len(structure.blocks)):
            hidden = steps.block(layer, hidden)
        left = steps.leave(hidden)
    # bit for bit on most machines; what products add up in another order is a rounding error
    eps = torch.finfo(final.dtype).eps
    states = zip((*steps.entered, left), (*streams, final), strict=True)
    if not all(_near(mine, theirs, 8 * eps) for mine, theirs in states):
        return False
    if not all(torch.equal(mine, same) for mine, same in zip(steps.entered, before, strict=True)):
        return False  # a block wrote over what it was given
    weights = torch.linspace(-1, 1, final.numel(), device=final.device).sin().reshape(final.shape).to(final.dtype)
    (theirs,) = torch.autograd.grad(final, x, weights)
    (mine,) = torch.autograd.grad(left, y, weights)
    return _near(mine, theirs, 64 * eps)


def _depends(value: Any) -> bool:
    """Whether anything in an argument may come from the embeddings, or carry something from block to block."""
    if isinstance(value, Tensor):
        return value.requires_grad
    if isinstance(value, dict):
        return any(_depends(inner) for inner in value.values())
    if isinstance(value, (tuple, list)):
        return any(_depends(inner) for inner in value)
    return not isinstance(value, PLAIN)


def _near(mine: Tensor, theirs: Tensor, tolerance: float) -> bool:
    if mine.shape != theirs.shape:
        return False
    apart = (mine - theirs.to(mine.device)).abs().max()
    return bool(apart <= tolerance * theirs.abs().max().to(mine.device).clamp(min=1e-6))


@contextlib.contextmanager
def _skipping(
    structure: Structure, see: Callable[[_BlockCall, Tensor], None], *, last: Tensor | None = None
) -> Iterator[None]:
    """Within: blocks hand on what they are given, and the last one `last`; `see` is told how each is called."""

    def skip(layer: int) -> Callable[..., Any]:
        kind = structure.block_outputs[layer]
        answer = last if layer == len(structure.blocks) - 1 else None

        def forward(*args: Any, **kwargs: Any) -> Any:
            hidden = _stream(args, kwargs)
            see(_read_call(args, kwargs), hidden)
            given = hidden if answer is None else answer
            return given if issubclass(kind, Tensor) else (given, None, None)

        return forward

    with contextlib.ExitStack() as stack:
        for layer, block in enumerate(structure.blocks):
            stack.enter_context(replaced(block, skip(layer)))
        yield


@contextlib.contextmanager
def _watching(structure: Structure, calls: list[_BlockCall], streams: list[Tensor]) -> Iterator[None]:
    """Within: how each block is called, and with what stream."""
    order = {id(block): layer for layer, block in enumerate(structure.blocks)}

    def enter(block: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if order[id(block)] != len(calls):
            raise TypeError("blocks run in another order")
        calls.append(_read_call(args, kwargs))
        streams.append(_stream(args, kwargs))

    handles = [block.register_forward_pre_hook(enter, with_kwargs=True) for block in structure.blocks]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _read_call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> _BlockCall:
    named = not args
    kept = {name: value for name, value in kwargs.items() if name != "hidden_states"}
    return _BlockCall((None, *args[1:]) if args else (), kept, named)


def _stream(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    found = args[0] if args else kwargs["hidden_states"]
    if not isinstance(found, Tensor):
        raise TypeError("a block is called on no tensor")
    return found
