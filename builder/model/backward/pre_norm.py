"""`PreNorm`: the block that most decoders are made of, there and back, written out as products over all positions.

    y = x + W_o attend(turn(W_qkv norm(x)))
    z = y + W_down (act(W_gate norm(y)) ⊙ W_up norm(y))        # or W_down act(W_up norm(y))

Xiong 2020, https://arxiv.org/abs/2002.04745; Shazeer 2020, https://arxiv.org/abs/2002.05202. Where it fits, nothing of
the block runs again on copies, and what is added, turned and multiplied is written once. `turn` is a `Turn` of
queries and keys, or nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

import torch

from .parts import Slopes
from .rows import Single
from .turn import paired

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor, nn

    from .attention import Attended
    from .mask import Mask
    from .parts import Activation, Linear, Norm, Part, View
    from .roles import Roles
    from .rows import Rows, Spread
    from .scratch import Scratch
    from .turn import Turn

__all__ = ["PreNorm", "Weights"]

_Of = TypeVar("_Of")


class Weights(NamedTuple):
    """The matrices of a block, [out, in]."""

    attention: Tensor
    """Of queries, keys and values, one below the other."""
    output: Tensor
    inward: tuple[Tensor, ...]
    down: Tensor


class PreNorm:
    """Such a block at some texts."""

    def __init__(self, roles: Roles, parts: Mapping[nn.Module, Part], attended: Attended, scratch: Scratch) -> None:
        """Take what its parts know, and memory for the pieces of the work."""
        self.roles, self.attended = roles, attended
        self.shared, self.group = roles.widths[1] // roles.d_head, roles.widths[0] // roles.widths[1]
        """How many heads of keys there are, and how many queries share one."""
        self.kept: tuple[Tensor, ...] = ()
        """The scale [A, L, 1] of the first norm; of the second one that, and what it gave before its gain [A, L, d];
        what the MLP's hidden vector is multiplied with on the way back, once or, where it is gated, twice [A, L, h]."""
        self._slopes: tuple[Slopes, Slopes] | None = None
        self._norm, self._mlp_norm = cast("Norm", parts[roles.norm]), cast("Norm", parts[roles.mlp_norm])
        self._activation = cast("Activation", parts[roles.activation])
        self._n_projections = len(roles.projections)
        modules = (*roles.projections, roles.output, *roles.inward, roles.down)
        self._linears = [cast("Linear", parts[module]) for module in modules]
        self._scratch = scratch

    @property
    def matrices(self) -> list[Tensor]:
        """Those of its linear maps, [out, in]."""
        return [linear.weight for linear in self._linears]

    def forth(self, entered: Tensor, mask: Mask, turn: Turn | None) -> Tensor:
        """States [A, L, d] that enter the block → that leave it; what the way back needs of them is kept."""
        texts, (*projections, output), (*inward, down) = entered.shape[:2], *self._apart(self._linears)
        stream = entered.reshape(-1, entered.shape[-1])
        given = self._like("given", stream)
        scale = self._norm.forth(stream, self._like("product", stream), given)
        vectors = [self._linear(f"vectors {i}", given, linear) for i, linear in enumerate(projections)]
        heads = self._attend([vector.view(*texts, -1) for vector in vectors], mask, turn)
        between = output.forth(heads, self._like("between", stream), onto=stream)
        normed = torch.empty_like(between)
        mlp_scale = self._mlp_norm.forth(between, normed, given)
        gate, *ups = (self._linear(f"hidden {i}", given, linear) for i, linear in enumerate(inward))
        hidden, slope = self._activation.both(gate)
        slopes = [slope]
        if ups:  # a gate and what it lets through
            slopes = [slope.mul_(ups[0]), hidden]
            hidden = ups[0].mul_(hidden)
        left = down.forth(hidden, onto=between)
        self.kept = tuple(kept.view(*texts, -1) for kept in (scale, mlp_scale, normed, *slopes))
        return left.view_as(entered)

    def _attend(self, vectors: list[Tensor], mask: Mask, turn: Turn | None) -> Tensor:
        """Queries, keys and values [A, L, ...], or all in one → what heads bring together [A · L, heads · d_head]."""
        roles = self.roles
        apart = vectors if len(vectors) > 1 else torch.split(vectors[0], roles.widths, -1)
        found = []
        for number, vector in enumerate(apart):
            of_heads = vector.view(*vector.shape[:2], self.shared, -1, roles.d_head).transpose(1, 2)
            into = vector.new_empty(of_heads.shape)
            if turn is not None and number < 2:
                turn.forth_paired(of_heads, into)
            else:
                into.copy_(of_heads)
            found.append(into)
        query, key, value = found
        heads = self.attended.attend(query, key[:, :, :, 0], value[:, :, :, 0], mask, roles.scale)
        return heads.flatten(2).flatten(0, 1)

    def forget(self) -> None:
        """Let go of what was kept."""
        self.kept, self._slopes = (), None

    def slopes(self, entered: Tensor) -> tuple[Slopes, Slopes]:
        """Return those of the two norms, from what entered the block [A, L, d]; made for all pieces at once."""
        if self._slopes is None:
            normed = self._norm.centre(entered) * self.kept[0]
            self._slopes = self._norm.slopes(self.kept[0], normed), self._mlp_norm.slopes(*self.kept[1:3])
        return self._slopes

    def weights(self, matrices: Sequence[Tensor]) -> Weights:
        """Return its matrices, or copies of them, until the next block's; those that are turned are `paired`."""
        (*projections, output), (*inward, down) = self._apart(matrices)
        attention = projections[0]
        if self.roles.turns or len(projections) > 1:
            apart = projections if len(projections) > 1 else torch.split(attention, self.roles.widths)
            attention = self._scratch.take("matrices", attention, sum(map(len, apart)), attention.shape[1])
            copies = torch.split(attention, [len(each) for each in apart])
            for number, (matrix, copy) in enumerate(zip(apart, copies, strict=True)):
                if number < 2 and self.roles.turns:
                    shape = (-1, self.roles.d_head, matrix.shape[1])
                    paired(matrix.view(shape), -2, out=copy.view(shape))
                else:
                    copy.copy_(matrix)
        return Weights(attention, output, tuple(inward), down)

    def back(self, behind: Tensor, entered: Tensor, rows: Rows, weights: Weights, turn: Turn | None) -> Tensor:
        """Cotangents [n, d] of what the block hands on → of `entered` [A, L, d], in their place; both are `rows`."""
        of_norm, of_mlp = self.slopes(entered)
        between = self._mlp_back(behind, weights, of_mlp, rows)
        heads = self._product("hidden", between, weights.output)
        found = self._scratch.take("inner", behind, len(behind), len(weights.attention))
        self.attended.pull(rows.split(heads), rows.split(found), rows, self._scratch, turn)
        given = self._product("given", found, weights.attention)
        product = self._like("inner", behind)
        parts = map(rows.split, (given, between, behind, product))
        for slopes, part, onto, out, room in zip(self._each(rows, of_norm), *parts, strict=True):
            self._norm.pull(part, slopes, onto=onto, out=out, product=room)
        return behind

    def start(
        self, behind: Tensor, at: Tensor, entered: Tensor, view: View, weights: Weights, turn: Turn | None
    ) -> Tensor:
        """As `back`, of cotangents [N, d] at one position each, `at` [N]; of all others they are 0.

        N is texts · copies; those that come are of all positions, [N, L, d].
        """
        order = torch.arange(len(behind), device=at.device)
        texts = order // view.copies
        of_norm, of_mlp = self.slopes(entered)
        single = Single(texts + (view.texts.start or 0), at)
        between = self._mlp_back(behind, weights, of_mlp, single)
        of_query, others = self.attended.start(between @ weights.output, texts, at, view, turn)
        query, other = torch.split(weights.attention, [of_query.shape[-1], others.shape[-1]])
        given = self._product("given", others.flatten(0, 1), other).view(len(behind), view.length, -1)
        given[order, at] += of_query @ query
        apart = given.view(-1, view.copies, *given.shape[1:])
        found = self._norm.pull(apart, Slopes(*(view.of(each)[:, None] for each in of_norm))).flatten(0, 1)
        found[order, at] += between
        return found

    def _mlp_back(self, behind: Tensor, weights: Weights, norm: Slopes, spread: Spread) -> Tensor:
        """Cotangents [n, d] of the stream after the MLP → of the stream before it."""
        hidden = self._product("hidden", behind, weights.down)
        *gates, last = (spread.spread(kept, self._scratch, f"gates {i}") for i, kept in enumerate(self.kept[3:]))
        found = None
        for slopes, matrix in zip(gates, weights.inward, strict=False):
            inner = self._like("inner", hidden)
            for part, slope, out in zip(spread.split(hidden), slopes, spread.split(inner), strict=True):
                torch.mul(part, slope, out=out)
            found = self._product("given", inner, matrix)
        for part, slope in zip(spread.split(hidden), last, strict=True):
            part.mul_(slope)
        matrix = weights.inward[-1]
        found = self._product("given", hidden, matrix) if found is None else found.addmm_(hidden, matrix)
        between, product = self._like("between", behind), self._like("hidden", behind)
        parts = map(spread.split, (found, behind, between, product))
        for each, part, onto, out, room in zip(self._each(spread, norm), *parts, strict=True):
            self._mlp_norm.pull(part, each, onto=onto, out=out, product=room)
        return between

    def _apart(self, linears: Sequence[_Of]) -> tuple[Sequence[_Of], Sequence[_Of]]:
        """Return what is of attention and what of the MLP."""
        end = len(self.roles.projections) + 1
        return linears[:end], linears[end:]

    def _linear(self, name: str, rows: Tensor, linear: Linear) -> Tensor:
        """Return what a linear map makes of rows [n, in], in the memory of that name."""
        return linear.forth(rows, self._scratch.take(name, rows, len(rows), len(linear.weight)))

    def _product(self, name: str, rows: Tensor, matrix: Tensor) -> Tensor:
        """Return rows [n, out] · matrix [out, in] in the memory of that name."""
        return torch.mm(rows, matrix, out=self._scratch.take(name, rows, len(rows), matrix.shape[1]))

    def _like(self, name: str, tensor: Tensor) -> Tensor:
        return self._scratch.take(name, tensor, *tensor.shape)

    def _each(self, spread: Spread, slopes: Slopes) -> Iterator[Slopes]:
        """Yield the slopes of each part of rows."""
        apart = (spread.spread(slope, self._scratch, f"slopes {i}") for i, slope in enumerate(slopes))
        return (Slopes(*parts) for parts in zip(*apart, strict=True))
