"""What stands in a block: the modules that hand on what attention and what the MLP found, and the down projection."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from .calls import inside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .calls import ModuleCall

__all__ = ["Parts", "find_parts"]


class Parts(NamedTuple):
    """Modules of a block, each None where there is none."""

    attention: nn.Module | None
    mlp: nn.Module | None
    down_projection: nn.Module | None


def find_parts(block: ModuleCall, calls: list[ModuleCall]) -> Parts:
    """Return the modules of a block whose traced call is `block`.

    The attention is the outermost module around the softmax over positions, or the weights that are returned; the MLP
    the outermost one around the down projection that maps the stream to the stream, in a mixture of experts the child
    that does most. Where such a module adds more to its output than attention or MLP, its input as in Bloom, it is the
    last projection in it. Of a block without attention the MLP is None: nothing tells it from what mixes positions.
    """
    ran = list(inside(block, calls))
    down = _find_down(block, ran)
    projection = None if down is None else down.module
    heart = next((call for call in ran if call.attends), None)
    if heart is None:
        return Parts(None, None, projection)
    around = (call for call in ran if call.holds(heart) and not (down and call.holds(down)))
    attention = next(around, heart)
    return Parts(_last_word(block, ran, attention), _find_mlp(block, ran, attention, down), projection)


def _find_down(block: ModuleCall, ran: list[ModuleCall]) -> ModuleCall | None:
    """Return the projection in a block that reads the MLP's hidden vector: the last one from wide to narrow."""
    attentions = [call for call in ran if call.attends]  # their output projection is none of ours
    own = (c for c in _projections(block, ran) if not any(attention.holds(c) for attention in attentions))
    return max(own, key=lambda call: (_width(call.given), call.start), default=None)


def _find_mlp(
    block: ModuleCall, ran: list[ModuleCall], attention: ModuleCall, down: ModuleCall | None
) -> nn.Module | None:
    width = _width(block.tensor)
    apart = [call for call in ran if not call.holds(attention) and not attention.holds(call)]
    whole = [call for call in apart if _width(call.given) == width == _width(call.tensor)]
    if down is None:
        working = [call for call in whole if _maps(call.module) and any(inside(call, ran))]  # a norm is no MLP
        return max(working, key=lambda call: call.end - call.start).module if working else None
    found = next((call for call in whole if call.holds(down)), down)
    return down.module if _adds(found, down, found.inputs) else found.module


def _last_word(block: ModuleCall, ran: list[ModuleCall], attention: ModuleCall) -> nn.Module:
    """Return the module around attention, or the last projection in it where more is added to that one's output."""
    last = max(_projections(block, [c for c in ran if attention.holds(c)]), key=lambda c: c.start, default=None)
    if last is None or last.tensor is None or attention.tensor is None:
        return attention.module
    same = last.tensor.numel() == attention.tensor.numel() and torch.allclose(
        last.tensor.reshape(attention.tensor.shape), attention.tensor
    )
    return attention.module if same else last.module


def _adds(outer: ModuleCall, part: ModuleCall, others: Iterable[Tensor]) -> bool:
    """Whether what a call returns is what a part of it returned and another tensor, added."""
    if outer.tensor is None or part.tensor is None or outer.tensor.shape != part.tensor.shape:
        return False
    rest = outer.tensor - part.tensor
    return bool(rest.any()) and any(
        other.shape == rest.shape and torch.allclose(rest, other, atol=1e-5) for other in others
    )


def _projections(block: ModuleCall, ran: list[ModuleCall]) -> Iterator[ModuleCall]:
    """Yield the calls of linear maps to the stream: modules with a matrix `weight`, GPT-2's `Conv1D` too."""
    width = _width(block.tensor)
    for call in ran:
        weight = getattr(call.module, "weight", None)
        if not isinstance(weight, Tensor) or weight.dim() != 2 or call.given is None:
            continue
        if sorted(weight.shape) == sorted((_width(call.given), width)) and _width(call.tensor) == width:
            yield call


def _maps(module: nn.Module) -> bool:
    return any(parameter.dim() > 1 for parameter in module.parameters())


def _width(tensor: Tensor | None) -> int:
    return 0 if tensor is None or not tensor.dim() else tensor.shape[-1]
