"""`Attended`: softmax(scale · q kᵀ + mask) v, whose way back is done in few passes over [heads, L, L], and half of it.

What a causal mask makes 0 is left out, keys and values are not repeated for the queries that share them, and the sums
that the softmax's way back needs are taken over d_head numbers instead of L (as in Dao 2022,
https://arxiv.org/abs/2205.14135).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from .parts import View

if TYPE_CHECKING:
    from torch import Tensor

    from ..interface import Call

__all__ = ["Attended", "attends_plainly"]

FLOATS = 1 << 19
"""How many numbers of the attention's cotangents [heads, queries, copies, keys] are made at once: 2 MB."""
FEWEST = 16
"""Queries in a block at least: products of fewer rows are slow."""


class Attended:
    """The attention of one layer; it keeps tensors of texts [A, ...], the heads that share keys and values together."""

    def __init__(self) -> None:
        self.view = View(slice(None), 0, 1)
        self.kept: tuple[Tensor, ...] = ()
        self.scale = 1.0
        self._output: Tensor | None = None
        self.causal = False

    def record(self, call: Call) -> Tensor:
        """Attend, and keep what is needed; return [A, L, heads, d_head]."""
        a, heads, length, d = call.query.shape
        shared = call.key.shape[1]
        group = heads // shared
        self.scale = float(call.options["scaling"])
        # [A, shared, L, group, ...]: what belongs to a query lies in one piece
        query = call.query.detach().reshape(a, shared, group, length, d).transpose(2, 3).contiguous()
        key, value = call.key.detach().contiguous(), call.value.detach().contiguous()
        weights = torch.matmul(query.flatten(2, 3) * self.scale, key.transpose(2, 3)).view(*query.shape[:4], length)
        if call.mask is not None:
            mask = call.mask[..., :length]
            own = mask.shape[1] > 1  # each head's
            weights += (
                mask.reshape(len(mask), shared, group, *mask.shape[2:]).transpose(2, 3) if own else mask[:, :, :, None]
            )
        weights = torch.softmax(weights, -1, out=weights)
        output = torch.matmul(weights.flatten(2, 3), value).view(query.shape)
        self.causal = not bool(weights.amax(3).triu(1).any())  # of all heads: none is below 0
        self.kept = (query, key, value, weights)
        return _by_position(output)

    @property
    def output(self) -> Tensor:
        """[A, shared, L, group, d_head], made again when it is asked for first: it costs little and takes a tenth."""
        if self._output is None:
            weights, value = self.kept[3], self.kept[2]
            self._output = torch.matmul(weights.flatten(2, 3), value).view(self.kept[0].shape)
        return self._output

    def forget(self) -> None:
        """Let go of what was kept."""
        self.kept, self._output = (), None

    def value(self) -> Tensor:
        """Return [copies or texts, length, heads, d_head]."""
        output = _by_position(self.output[self.view.texts, :, : self.view.length])
        return output if self.view.copies == 1 else output.expand(self.view.copies, *output.shape[1:])

    def back(self, cotangent: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """[N, L, heads, d_head] → of queries [N, heads, L, d_head], and of keys and values [N, shared, L, d_head]."""
        of_query, of_key, of_value = (
            found.flatten(0, 1).flatten(2, 3).transpose(1, 2) for found in self.pull(cotangent, self.view)
        )
        return of_query * self.scale, of_key * self.scale, of_value

    def pull(self, cotangent: Tensor, view: View) -> tuple[Tensor, Tensor, Tensor]:
        """[N, L, heads, d_head] → what it makes of queries, keys and values.

        Of queries [texts, copies, L, shared, group, d_head], of keys and values the same with a group of one, all in
        another order in memory. The first two are still to be multiplied with `scale`.
        """
        texts, length, copies = view
        query, key, value, weights, output = (kept[texts].flatten(0, 1) for kept in (*self.kept, self.output))
        group, d = query.shape[-2:]
        x = len(cotangent) // copies
        given = cotangent.reshape(x, copies, length, -1, group, d).permute(0, 3, 2, 4, 1, 5).flatten(0, 1).contiguous()
        sums = (given * output[:, :length, :, None]).sum(-1, keepdim=True)
        of_query = torch.empty_like(given)
        of_key = given.new_zeros(len(given), copies, length, d)
        of_value = given.new_zeros(len(given), length, copies * d)
        step = max(FEWEST, FLOATS // (len(given) * group * copies * length))
        step = 1 << step.bit_length() - 1  # texts of other lengths then have blocks of the same shape
        for start in range(0, length, step):
            rows = slice(start, min(start + step, length))
            n, end = rows.stop - start, rows.stop if self.causal else length
            here, seen = given[:, rows], weights[:, rows, :, :end]
            scores = torch.bmm(here.flatten(1, 3), value[:, :end].transpose(1, 2)).view(*here.shape[:-1], end)
            scores.sub_(sums[:, rows]).mul_(seen[:, :, :, None])
            of_query[:, rows] = torch.bmm(scores.flatten(1, 3), key[:, :end]).view(here.shape)
            back = scores.view(len(given), n * group, copies * end).transpose(1, 2)
            of_key[:, :, :end] += torch.bmm(back, query[:, rows].flatten(1, 2)).view(-1, copies, end, d)
            of_value[:, :end] += torch.bmm(seen.flatten(1, 2).transpose(1, 2), here.flatten(1, 2).flatten(2, 3))
        return (
            of_query.view(x, -1, length, group, copies, d).permute(0, 4, 2, 1, 3, 5),
            of_key.view(x, -1, copies, length, 1, d).permute(0, 2, 3, 1, 4, 5),
            of_value.view(x, -1, length, 1, copies, d).permute(0, 4, 2, 1, 3, 5),
        )

    def start(self, cotangent: Tensor, texts: Tensor, at: Tensor, view: View) -> tuple[Tensor, Tensor, Tensor]:
        """As `pull`, of cotangents [N, heads · d_head] of one query each, `at` [N] in the texts of that number [N].

        Return what they make of the query [N, shared, group, d_head], and of keys and values [N, L, shared, 1, d_head].
        """
        key, value = (kept[view.texts, :, : view.length] for kept in self.kept[1:3])
        if len(key) > 1:
            key, value = key[texts], value[texts]
        kept = (self.kept[0], self.kept[3], self.output)
        query, weights, output = (each[view.texts][texts, :, at] for each in kept)
        weights = weights[..., : view.length]
        given = cotangent.view(query.shape)
        scores = given @ value.transpose(-1, -2)
        scores.sub_((given * output).sum(-1, keepdim=True)).mul_(weights)
        of_key, of_value = scores.transpose(-1, -2) @ query, weights.transpose(-1, -2) @ given
        return scores @ key, of_key.transpose(1, 2)[:, :, :, None], of_value.transpose(1, 2)[:, :, :, None]


def _by_position(output: Tensor) -> Tensor:
    """[A, shared, L, group, d_head] → [A, L, heads, d_head]"""
    return output.transpose(1, 2).flatten(2, 3)


@torch.no_grad()
def attends_plainly(call: Call, eager: Any) -> bool:
    """Whether a layer's attention is what `Attended` computes: no cap, no sinks, no dropout, nothing added.

    Tried on queries four times as long, with which a cap would be seen.
    """
    options = call.options
    scale = options.get("scaling")
    if call.args or options.get("softcap") is not None or not isinstance(scale, (int, float)):
        return False
    if call.query.dtype not in (torch.float32, torch.float64) or call.query.shape[2] != call.key.shape[2]:
        return False
    theirs = eager(call.module, 4 * call.query, call.key, call.value, call.mask, **options)[0]
    call.query = 4 * call.query
    try:
        mine = Attended().record(call)
    except (RuntimeError, ValueError):
        return False
    finally:
        call.query = call.query / 4
    return mine.shape == theirs.shape and torch.allclose(mine, theirs, rtol=1e-4, atol=1e-5 * float(theirs.abs().max()))
