"""`Roles`: which modules of a block do what in the usual one (`pre_norm`), told by what they read and gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch

from .parts import Activation, Linear, Norm, Part
from .turn import read_turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from torch import Tensor, nn

    from ..interface import AttentionCall
    from .turn import Turn

__all__ = ["Roles", "find_roles"]


class Roles(NamedTuple):
    """The modules of such a block."""

    norm: nn.Module
    projections: tuple[nn.Module, ...]
    """Of queries, keys and values; or one of all three, in this order."""
    output: nn.Module
    mlp_norm: nn.Module
    activation: nn.Module
    inward: tuple[nn.Module, ...]
    """What the activation reads, and what it is multiplied with where it is a gate."""
    down: nn.Module
    """The MLP's last matrix."""
    turns: bool
    mask: str | None
    """The name by which the block is told what is added to scores."""
    widths: list[int]
    """How many numbers all queries of a position are, all keys and all values."""
    d_head: int
    """How many numbers one of them is."""
    scale: float
    """What scores are multiplied with."""

    @property
    def width(self) -> int:
        """How many numbers are made of a row of cotangents and held at once.

        Two of the MLP's hidden vectors, three of the stream's, and one of queries, keys and values.
        """
        stream, hidden = sorted(cast("Tensor", self.down.weight).shape)  # one way round or the other
        return 3 * stream + 2 * hidden + sum(self.widths)


def find_roles(
    kinds: Mapping[nn.Module, type[Part]],
    seen: Mapping[nn.Module, tuple[Tensor, Tensor]],
    call: AttentionCall,
    told: Mapping[str, Any],
) -> Roles | None:
    """Return the modules of a block, told by what they read and gave, with its call of attention; None if it differs.

    `told` is what the block was given beside the stream. What is left open (the sums, above all) is to be tried on
    the whole.
    """
    try:
        return _find(kinds, seen, call, told)
    except LookupError:
        return None


def _find(
    kinds: Mapping[nn.Module, type[Part]],
    seen: Mapping[nn.Module, tuple[Tensor, Tensor]],
    call: AttentionCall,
    told: Mapping[str, Any],
) -> Roles:
    def one(kind: type[Part], fits: Callable[[Tensor, Tensor], bool]) -> nn.Module:
        return _first(module for module, its in kinds.items() if its is kind and fits(*seen[module]))

    def of(module: nn.Module) -> Tensor:
        return seen[module][1]

    turn = read_turn(told)
    vectors = [each.transpose(1, 2).flatten(2) for each in (call.query, call.key, call.value)]
    projections = _projections(kinds, seen, vectors, call.query.shape[-1], turn)
    first = seen[projections[0]][0]
    norm = one(Norm, lambda _, returned: returned.equal(first))
    output = one(Linear, lambda given, _: _same(given, call.output.flatten(2)))
    between = seen[norm][0] + of(output)
    mlp_norm = one(Norm, lambda given, _: _same(given, between))
    readers = [m for m, kind in kinds.items() if kind is Linear and seen[m][0].equal(of(mlp_norm))]
    activation = one(Activation, lambda given, _: any(given.equal(of(module)) for module in readers))
    gate = _first(module for module in readers if of(module).equal(seen[activation][0]))
    ups = [module for module in readers if module is not gate]
    if len(ups) > 1:
        raise LookupError
    hidden = of(activation) * of(ups[0]) if ups else of(activation)
    down = one(Linear, lambda given, _: _same(given, hidden))
    names = [name for name, each in told.items() if _is(each, call.mask)]
    return Roles(
        norm,
        projections,
        output,
        mlp_norm,
        activation,
        (gate, *ups),
        down,
        turns=turn is not None,
        mask=None if call.mask is None else names[0],
        widths=[vector.shape[-1] for vector in vectors],
        d_head=call.query.shape[-1],
        scale=float(call.options["scaling"]),
    )


def _projections(
    kinds: Mapping[nn.Module, type[Part]],
    seen: Mapping[nn.Module, tuple[Tensor, Tensor]],
    vectors: list[Tensor],
    d_head: int,
    turn: Turn | None,
) -> tuple[nn.Module, ...]:
    """Return what gave queries, keys and values [A, L, heads · d_head]; `LookupError` where nothing did."""

    def turned(vector: Tensor) -> Tensor:
        return vector if turn is None else turn.forth(vector.view(*vector.shape[:-1], -1, d_head)).flatten(2)

    if turn is not None and 2 * turn.phases.shape[-1] != d_head:
        raise LookupError  # a part of each head is turned
    linears = [module for module, kind in kinds.items() if kind is Linear]
    widths = [vector.shape[-1] for vector in vectors]
    for module in linears:
        returned = seen[module][1]
        if returned.shape[-1] == sum(widths):
            query, key, value = torch.split(returned, widths, -1)
            if all(map(_same, (turned(query), turned(key), value), vectors)):
                return (module,)

    def gave(vector: Tensor, change: Callable[[Tensor], Tensor]) -> nn.Module:
        fitting = (m for m in linears if seen[m][1].shape == vector.shape)
        return _first(m for m in fitting if _same(change(seen[m][1]), vector))

    query, key, value = vectors
    return gave(query, turned), gave(key, turned), gave(value, lambda given: given)


def _first(modules: Iterable[nn.Module]) -> nn.Module:
    for module in modules:
        return module
    raise LookupError


def _is(told: Any, mask: Tensor | None) -> bool:
    return isinstance(told, torch.Tensor) and mask is not None and told.shape == mask.shape and told.equal(mask)


def _same(mine: Tensor, theirs: Tensor) -> bool:
    return mine.shape == theirs.shape and torch.allclose(mine, theirs, rtol=1e-5, atol=1e-5 * float(theirs.abs().max()))
