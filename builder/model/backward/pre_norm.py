"""`PreNorm`: the way back of the block that most decoders are made of, written out as products over all positions.

    y = x + W_o attend(turn(W_qkv norm(x)))
    z = y + W_down (act(W_gate norm(y)) ⊙ W_up norm(y))        # or W_down act(W_up norm(y))

Xiong 2020, https://arxiv.org/abs/2002.04745; Shazeer 2020, https://arxiv.org/abs/2002.05202. Where it fits, nothing of
the block runs again on copies, and what is added, turned and multiplied is written once. `turn` are rotary position
embeddings in halves (Su 2021, https://arxiv.org/abs/2104.09864), or nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch

from .parts import Activation, Linear, Norm, Part, View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from torch import Tensor, nn

    from ..interface import Call
    from .attention import Attended

__all__ = ["PreNorm", "Roles", "Turn", "Weights", "find_roles", "read_turn"]


class Turn(NamedTuple):
    """Cosines and sines of rotary position embeddings, the first half of each, which is the second half too."""

    cos: Tensor
    """[L, 1, 1, d_head / 2]"""
    sin: Tensor

    def back(self, found: Tensor, into: Tensor) -> None:
        """Undo the turn of cotangents [..., L, shared, group, d_head] of what was turned; write what comes of it."""
        (a, b), (of_a, of_b) = found.chunk(2, -1), into.chunk(2, -1)
        torch.mul(a, self.cos, out=of_a).addcmul_(b, self.sin)
        torch.mul(b, self.cos, out=of_b).addcmul_(a, self.sin, value=-1)

    def of(self, length: int, factor: float) -> Turn:
        """Return that of the first positions, and multiply too."""
        return Turn(self.cos[:length] * factor, self.sin[:length] * factor)


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
    turns: bool


class Weights(NamedTuple):
    """The matrices of a block, [out, in]."""

    query: Tensor
    key: Tensor
    value: Tensor
    output: Tensor
    inward: tuple[Tensor, ...]
    down: Tensor


class PreNorm:
    """Such a block at some texts."""

    def __init__(self, roles: Roles, parts: Mapping[nn.Module, Part], attended: Attended) -> None:
        self.attended = attended
        self.kept: tuple[Tensor, ...] = ()
        """The scale [A, L, 1] of the first norm; of the second one that, and what it gave before its gain [A, L, d];
        what the MLP's hidden vector is multiplied with on the way back, once or, where it is gated, twice [A, L, h]."""
        self._normed: Tensor | None = None
        self._norm, self._mlp_norm = cast("Norm", parts[roles.norm]), cast("Norm", parts[roles.mlp_norm])
        self._inward, self._activation = parts[roles.inward[-1]], parts[roles.activation]
        self._n_projections = len(roles.projections)
        modules = (*roles.projections, roles.output, *roles.inward, roles.down)
        self.matrices = [cast("Linear", parts[module]).weight for module in modules]
        """Those of its linear maps, [out, in]."""

    def settle(self) -> None:
        """Keep what the way back needs of what the parts were told."""
        returned, slope = self._activation.kept
        slopes = [slope]
        if len(self.matrices) - self._n_projections > 3:  # a gate and what it lets through
            slopes = [slope.mul_(self._inward.kept[0]), returned]
        self.kept = (self._norm.kept[1], *self._mlp_norm.kept[1:], *slopes)

    def forget(self) -> None:
        """Let go of what was kept."""
        self.kept, self._normed = (), None

    def normed(self, entered: Tensor) -> Tensor:
        """Return what the first norm makes of what enters the block [A, L, d], before its gain."""
        if self._normed is None:
            self._normed = self._norm.centre(entered) * self.kept[0]
        return self._normed

    def weights(self, matrices: Sequence[Tensor]) -> Weights:
        """Return what its matrices, or copies of them, are; one of all three projections in pieces."""
        projections, (output, *inward, down) = matrices[: self._n_projections], matrices[self._n_projections :]
        if len(projections) == 1:
            queries, keys = self.attended.kept[:2]
            sizes = [queries.shape[1] * queries.shape[3:].numel(), *2 * [keys.shape[1] * keys.shape[3]]]
            projections = torch.split(projections[0], sizes)
        query, key, value = projections
        return Weights(query, key, value, output, tuple(inward), down)

    def back(self, behind: Tensor, entered: Tensor, view: View, weights: Weights, turn: Turn | None) -> Tensor:
        """Cotangents [N, L, d] of what the block hands on → of `entered` [A, L, d], in their place.

        N is texts · copies.
        """
        normed, scale, *mlp = (view.of(kept)[:, None] for kept in (self.normed(entered), *self.kept))
        apart = behind.view(-1, view.copies, *behind.shape[1:])
        between = self._mlp_back(apart, weights, *mlp)
        heads = between.flatten(0, 2) @ weights.output
        found = self.attended.pull(heads.view(*behind.shape[:2], -1), view)
        given = self._projected(found, weights[:3], turn).view(apart.shape)
        self._norm.pull(given, scale, normed, onto=between, out=apart)
        return behind

    def start(
        self, behind: Tensor, at: Tensor, entered: Tensor, view: View, weights: Weights, turn: Turn | None
    ) -> Tensor:
        """As `back`, of cotangents [N, d] at one position each, `at` [N]; of all others they are 0."""
        rows = torch.arange(len(behind), device=at.device)
        texts = rows // view.copies
        normed, scale, *mlp = (view.of(kept) for kept in (self.normed(entered), *self.kept))
        between = self._mlp_back(behind, weights, *(kept[texts, at] for kept in mlp))
        of_query, *others = self.attended.start(between @ weights.output, texts, at, view)
        given = self._projected(others, weights[1:3], turn, queries=False).view(len(behind), view.length, -1)
        here = turn and Turn(turn.cos[at], turn.sin[at])
        given[rows, at] += self._projected([of_query], weights[:1], here)
        apart = given.view(-1, view.copies, *given.shape[1:])
        found = self._norm.pull(apart, scale[:, None], normed[:, None]).flatten(0, 1)
        found[rows, at] += between
        return found

    def _mlp_back(self, behind: Tensor, weights: Weights, scale: Tensor, normed: Tensor, *slopes: Tensor) -> Tensor:
        """Cotangents [..., d] of the stream after the MLP → of the stream before it."""
        hidden = (behind.flatten(0, -2) @ weights.down).view(*behind.shape[:-1], -1)
        found = None
        for slope, matrix in zip(slopes, weights.inward, strict=True):
            last = matrix is weights.inward[-1]
            inner = (hidden.mul_(slope) if last else hidden * slope).flatten(0, -2)
            found = inner @ matrix if found is None else found.addmm_(inner, matrix)
        assert found is not None
        return self._mlp_norm.pull(found.view(behind.shape), scale, normed, onto=behind)

    def _projected(
        self, cotangents: Sequence[Tensor], matrices: Sequence[Tensor], turn: Turn | None, *, queries: bool = True
    ) -> Tensor:
        """Take what attention makes of queries, keys, values [..., shared, group, d_head] to what they are made of.

        `cotangents` begin with queries or with keys. Return [positions, d].
        """
        given = None
        for number, (found, matrix) in enumerate(zip(cotangents, matrices, strict=True), 0 if queries else 1):
            into = found.new_empty(found.shape)  # in the order of its dimensions, whatever that of `found`
            if number == 2:
                into.copy_(found)
            elif turn is None:
                torch.mul(found, self.attended.scale, out=into)
            else:
                turn.back(found, into)
            flat = into.view(-1, len(matrix))
            given = flat @ matrix if given is None else given.addmm_(flat, matrix)
        assert given is not None
        return given


def read_turn(arguments: Mapping[str, Any]) -> Turn | None:
    """Return the turn that a block is told, `position_embeddings`; None where that is none in halves."""
    given = arguments.get("position_embeddings")
    if not isinstance(given, tuple) or len(given) != 2 or any(len(each.shape) != 3 for each in given):
        return None
    cos, sin = given
    halves = [each.chunk(2, -1) for each in (cos, sin)]
    same = all(bool((each == each[:1]).all()) for each in (cos, sin)) and all(a.equal(b) for a, b in halves)
    return Turn(*(a[0, :, None, None].contiguous() for a, _ in halves)) if same else None


def find_roles(
    kinds: Mapping[nn.Module, type[Part]],
    seen: Mapping[nn.Module, tuple[Tensor, Tensor]],
    call: Call,
    turn: Turn | None,
) -> Roles | None:
    """Return the modules of a block, told by what they read and gave, with its call of attention; None if it differs.

    What is left open (the sums, above all) is to be tried on the whole.
    """
    try:
        return _find(kinds, seen, call, turn)
    except LookupError:
        return None


def _find(
    kinds: Mapping[nn.Module, type[Part]],
    seen: Mapping[nn.Module, tuple[Tensor, Tensor]],
    call: Call,
    turn: Turn | None,
) -> Roles:
    def one(kind: type[Part], fits: Callable[[Tensor, Tensor], bool]) -> nn.Module:
        return _first(module for module, its in kinds.items() if its is kind and fits(*seen[module]))

    def of(module: nn.Module) -> Tensor:
        return seen[module][1]

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
    return Roles(norm, projections, output, mlp_norm, activation, (gate, *ups), down, turn is not None)


def _projections(
    kinds: Mapping[nn.Module, type[Part]],
    seen: Mapping[nn.Module, tuple[Tensor, Tensor]],
    vectors: list[Tensor],
    d_head: int,
    turn: Turn | None,
) -> tuple[nn.Module, ...]:
    """Return what gave queries, keys and values [A, L, heads · d_head]; `LookupError` where nothing did."""

    def turned(vector: Tensor) -> Tensor:
        if turn is None:
            return vector
        apart = vector.view(*vector.shape[:2], -1, 1, d_head)
        into = torch.empty_like(apart)
        Turn(turn.cos, -turn.sin).back(apart, into)
        return into.flatten(2)

    if turn is not None and 2 * turn.cos.shape[-1] != d_head:
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


def _same(mine: Tensor, theirs: Tensor) -> bool:
    return mine.shape == theirs.shape and torch.allclose(mine, theirs, rtol=1e-5, atol=1e-5 * float(theirs.abs().max()))
