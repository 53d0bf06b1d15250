"""`Attended`: softmax(scale · q kᵀ + mask) v, whose way back is done in few passes over [heads, L, L], and half of it.

Queries come in blocks. What a causal mask makes 0 beyond a block is left out, forward and back; keys and values are not
repeated for the queries that share them, and the sums that the softmax's way back needs are taken over d_head numbers
instead of L (as in Dao 2022, https://arxiv.org/abs/2205.14135).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from .mask import read_mask
from .parts import View
from .rows import Rows
from .scratch import Scratch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from ..interface import AttentionCall
    from .mask import Mask
    from .turn import Turn

__all__ = ["Attended", "attends_plainly"]

QUERIES = 64
"""How many queries are in a block: fewer make small products, more leave out less of what is 0."""


class Block(NamedTuple):
    """Neighbouring queries, and how they look at the first `end` keys."""

    start: int
    stop: int
    end: int
    query: Tensor
    """[A, shared, n · group, d_head]"""
    weights: Tensor
    """[A, shared, n · group, end]"""

    def of(self, rows: Rows, seen: Seen) -> tuple[slice, Tensor, Seen]:
        """Return which of the first positions of some texts these are, their weights, and what else there is of them.

        Texts and the heads that share keys lie in one dimension.
        """
        stop, end = min(self.stop, rows.length), min(self.end, rows.length)
        n = (stop - self.start) * (self.query.shape[2] // (self.stop - self.start))
        weights, query, key, value, output = (each[rows.texts].flatten(0, 1) for each in (self.weights, *seen))
        of = Seen(query[:, :n], key[:, :end], value[:, :end], output[:, :n])
        return slice(self.start, stop), weights[:, :n, :end], of


class Seen(NamedTuple):
    """A block's queries, what they look at, in one piece of memory, and what comes of it."""

    query: Tensor
    """[A, shared, n · group, d_head]"""
    key: Tensor
    """[A, shared, end, d_head]"""
    value: Tensor
    output: Tensor
    """[A, shared, n · group, d_head]"""


class Attended:
    """The attention of one layer; it keeps tensors of texts [A, ...], the heads that share keys and values together."""

    def __init__(self) -> None:
        self.view = View(slice(None), 0, 1)
        self.scale = 1.0
        self.group = 1
        """How many queries share a key."""
        self.causal = False
        """Whether no position sees a later one."""
        self._blocks: tuple[Block, ...] = ()
        self._both: tuple[Tensor, ...] = ()
        self._seen: list[Seen] = []

    @property
    def kept(self) -> tuple[Tensor, ...]:
        """All that is held of a text; keys and values first."""
        return *self._both, *(block.query for block in self._blocks), *(block.weights for block in self._blocks)

    @property
    def d_head(self) -> int:
        """How many numbers a query, a key or a value is."""
        return int(self._both[0].shape[-1])

    @property
    def widths(self) -> list[int]:
        """How many numbers all queries of a position are, all keys and all values."""
        shared = self._both[0].shape[1]
        return [shared * self.group * self.d_head, *2 * [shared * self.d_head]]

    def record(self, call: AttentionCall) -> Tensor:
        """Attend, and keep what is needed; return [A, L, heads, d_head]."""
        a, heads, length, d = call.query.shape
        shared = call.key.shape[1]
        group = heads // shared
        # what belongs to a query lies in one piece
        query = call.query.detach().reshape(a, shared, group, length, d).transpose(2, 3)
        key, value = call.key.detach().contiguous(), call.value.detach().contiguous()
        mask = read_mask(call.mask, shared, group, length)
        return self.attend(query, key, value, mask, float(call.options["scaling"]))

    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Mask, scale: float) -> Tensor:
        """Attend with queries [A, shared, L, group, d_head], keys and values [A, shared, L, d_head]; all are kept.

        Return [A, L, heads, d_head].
        """
        a, shared, length, group, _ = query.shape
        self.scale, self.group, self.causal = scale, group, mask.causal
        blocks, outputs = [], []
        for start in range(0, length, QUERIES):
            stop = min(start + QUERIES, length)
            end = stop if mask.causal else length
            rows = query[:, :, start:stop].flatten(2, 3).contiguous()
            weights = torch.matmul(rows, key[:, :, :end].transpose(2, 3))
            scores = weights.view(a, shared, stop - start, group, end)
            if mask.added is None:
                scores.mul_(scale)
            else:
                torch.add(mask.added[:, :, start:stop, :, :end], scores, alpha=scale, out=scores)
            torch.softmax(weights, -1, out=weights)
            outputs.append(torch.matmul(weights, value[:, :, :end]))
            blocks.append(Block(start, stop, end, rows, weights))
        self._blocks, self._both, self._seen = tuple(blocks), (key, value), []
        return self._by_position(outputs)

    def forget(self) -> None:
        """Let go of what was kept."""
        self._blocks, self._both, self._seen = (), (), []

    def value(self) -> Tensor:
        """Return [copies or texts, length, heads, d_head]."""
        outputs = [seen.output[self.view.texts] for seen in self._see()]
        output = self._by_position(outputs)[:, : self.view.length]
        return output if self.view.copies == 1 else output.expand(self.view.copies, *output.shape[1:])

    def back(self, cotangent: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """[N, L, heads, d_head] → of queries [N, heads, L, d_head], and of keys and values [N, shared, L, d_head]."""
        n, length, heads, d = cotangent.shape
        copies, widths = self.view.copies, self.widths
        found = cotangent.new_empty(n, length, sum(widths))
        given, into = (
            each.view(-1, copies, length, each.shape[-1]).transpose(1, 2)
            for each in (cotangent.reshape(n, length, heads * d), found)
        )
        rows = Rows(self.view.texts, n // copies, length, [length] * copies, cotangent.device)
        self.pull((given,), (into,), rows, Scratch())
        of_query, of_key, of_value = (
            each.view(*each.shape[:-1], -1, d).transpose(1, 2) for each in torch.split(found, widths, -1)
        )
        return of_query, of_key, of_value

    def pull(
        self, given: Sequence[Tensor], into: Sequence[Tensor], rows: Rows, scratch: Scratch, turn: Turn | None = None
    ) -> None:
        """Cotangents [..., heads · d_head] → what they make of queries, keys and values, side by side, [..., `widths`].

        Both are parts of rows. Where there is a turn, queries and keys are paired, and what comes is of what they were
        before it; it must multiply with `scale` too.
        """
        length, copies, x = rows.length, rows.copies, rows.n_texts
        group, d, shared = self.group, self.d_head, self._both[0].shape[1]
        b, one = x * shared, given[0]
        apart = [part.view(*part.shape[:-1], shared, group, d) for part in given]
        of_query, of_key, of_value = (
            [part.view(*part.shape[:-1], shared, size, d) for part in parts]
            for parts, size in zip(
                zip(*(torch.split(part, self.widths, -1) for part in into), strict=True), (group, 1, 1), strict=True
            )
        )
        keys = scratch.take("keys'", one, b, copies, length, d)
        values = scratch.take("values'", one, b, length, copies * d)
        within = [(block, its) for block, its in zip(self._blocks, self._see(), strict=True) if block.start < length]
        for number, (block, its) in enumerate(reversed(within)):
            queries, weights, seen = block.of(rows, its)
            n, end = queries.stop - queries.start, weights.shape[-1]
            here = scratch.take("queries'", one, x, shared, n, group, copies, d)
            rows.read(apart, queries, here.permute(0, 2, 4, 1, 3, 5))
            given_here = here.view(b, n * group, copies, d)
            product = scratch.take("product", one, *given_here.shape)
            sums = torch.mul(given_here, seen.output[:, :, None], out=product).sum(-1, keepdim=True)
            scores = scratch.take("scores", one, b, n * group * copies, end)
            torch.bmm(here.view(b, -1, d), seen.value.transpose(1, 2), out=scores)
            scores.view(b, n * group, copies, end).sub_(sums).mul_(weights[:, :, None])
            found = torch.bmm(scores, seen.key, out=product.view(b, -1, d))
            found = found.view(x, shared, n, group, copies, d).permute(0, 2, 4, 1, 3, 5)
            self._put(rows, found, of_query, turn, queries)
            back = scores.view(b, n * group, copies * end).transpose(1, 2)
            if number == 0:  # the last queries see all keys
                torch.bmm(back, seen.query, out=keys.view(b, copies * length, d))
                torch.bmm(weights.transpose(1, 2), given_here.flatten(2, 3), out=values)
                continue
            some = scratch.take("some", one, b, copies * end, d)
            keys[:, :, :end] += torch.bmm(back, seen.query, out=some).view(b, copies, end, d)
            some = some.view(b, end, copies * d)
            values[:, :end] += torch.bmm(weights.transpose(1, 2), given_here.flatten(2, 3), out=some)
        everywhere = slice(0, length)
        found = keys.view(x, shared, copies, length, 1, d).permute(0, 3, 2, 1, 4, 5)
        self._put(rows, found, of_key, turn, everywhere)
        found = values.view(x, shared, length, copies, 1, d).permute(0, 2, 3, 1, 4, 5)
        for share in rows.write(found, everywhere, of_value):
            share.into.copy_(share.found)
        rows.clear(into)

    def start(
        self, cotangent: Tensor, texts: Tensor, at: Tensor, view: View, turn: Turn | None = None
    ) -> tuple[Tensor, Tensor]:
        """As `pull`, of cotangents [N, heads · d_head] of one query each, `at` [N] in the texts of that number [N].

        Return what they make of the query [N, its width], and of keys and values [N, L, their widths].
        """
        key, value = (kept[view.texts, :, : view.length] for kept in self._both)
        if len(key) > 1:
            key, value = key[texts], value[texts]
        given = cotangent.view(len(cotangent), key.shape[1], self.group, -1)
        query, output = given.new_empty(given.shape), given.new_empty(given.shape)
        weights = given.new_zeros(*given.shape[:3], view.length)
        ready = self._see()
        for number, (text, position) in enumerate(zip(texts.tolist(), at.tolist(), strict=True)):
            block, seen = self._blocks[position // QUERIES], ready[position // QUERIES]
            rows = slice(self.group * (position - block.start), self.group * (position - block.start + 1))
            end = min(block.end, view.length)
            for one, whole in ((query, seen.query), (output, seen.output), (weights[..., :end], block.weights)):
                one[number] = whole[view.texts][text, :, rows, : one.shape[-1]]
        scores = given @ value.transpose(-1, -2)
        scores.sub_((given * output).sum(-1, keepdim=True)).mul_(weights)
        into = given.new_empty(len(given), view.length, 2, key.shape[1], 1, key.shape[-1])
        of_query = torch.empty_like(query)
        self._unturn(scores @ key, at, of_query, turn)
        of_key, of_value = scores.transpose(-1, -2) @ query, weights.transpose(-1, -2) @ given
        self._unturn(of_key.transpose(1, 2)[:, :, :, None], slice(view.length), into[:, :, 0], turn)
        into[:, :, 1].copy_(of_value.transpose(1, 2)[:, :, :, None])
        return of_query.flatten(1), into.flatten(2)

    def _put(self, rows: Rows, found: Tensor, into: Sequence[Tensor], turn: Turn | None, positions: slice) -> None:
        """Write cotangents of queries or keys [texts, positions, copies, ...] as rows of what was turned."""
        for share in rows.write(found, positions, into):
            self._unturn(*share, turn, share.found.dim() - 3)

    def _unturn(
        self, found: Tensor, positions: slice | Tensor, into: Tensor, turn: Turn | None, between: int = 2
    ) -> None:
        if turn is None:
            torch.mul(found, self.scale, out=into)
        else:
            turn.back(found, into, positions, between)

    def _see(self) -> list[Seen]:
        """Return what each block sees; outputs are made again, for they cost little and take a tenth of memory."""
        if not self._seen:
            keys, values = self._both
            for block in self._blocks:
                key, value = (each[:, :, : block.end].contiguous() for each in (keys, values))
                self._seen.append(Seen(block.query, key, value, torch.matmul(block.weights, value)))
        return self._seen

    def _by_position(self, outputs: list[Tensor]) -> Tensor:
        """Outputs of all blocks, [A, shared, n · group, d_head] each → [A, L, heads, d_head]"""
        whole = torch.cat([each.view(*each.shape[:2], -1, self.group, each.shape[-1]) for each in outputs], 2)
        return whole.transpose(1, 2).flatten(2, 3)


@torch.no_grad()
def attends_plainly(call: AttentionCall, eager: Any) -> bool:
    """Whether a layer's attention is what `Attended` computes: no cap, no sinks, no dropout, nothing added, values as
    wide as keys.

    Tried on queries four times as long, with which a cap would be seen.
    """
    options = call.options
    scale = options.get("scaling")
    if call.args or options.get("softcap") is not None or not isinstance(scale, (int, float)):
        return False
    if call.query.dtype not in (torch.float32, torch.float64) or call.query.shape[2] != call.key.shape[2]:
        return False
    if call.value.shape[-1] != call.key.shape[-1]:
        return False
    theirs = eager(call.module, 4 * call.query, call.key, call.value, call.mask, **options)[0]
    call.query = 4 * call.query
    try:
        mine = Attended().record(call)
    except (RuntimeError, ValueError, TypeError):
        return False
    finally:
        call.query = call.query / 4
    return mine.shape == theirs.shape and torch.allclose(mine, theirs, rtol=1e-4, atol=1e-5 * float(theirs.abs().max()))
