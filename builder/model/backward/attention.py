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

FLOATS = 1 << 18
"""How many numbers of the attention's cotangents [heads, queries, copies, keys] are made at once: 1 MB, a cache."""
FEWEST = 16
"""Queries in a block at least: products of fewer rows are slow."""


class Attended:
    """The attention of one layer; it keeps tensors of texts [A, ...], the heads that share keys and values together."""

    def __init__(self) -> None:
        self.view = View(slice(None), 0, 1)
        self.kept: tuple[Tensor, ...] = ()
        self.scale = 1.0
        self.causal = False

    def record(self, call: Call) -> Tensor:
        """Attend, and keep what is needed; return [A, L, heads, d_head]."""
        a, heads, length, d = call.query.shape
        shared = call.key.shape[1]
        self.scale = float(call.options["scaling"])
        query = call.query.detach().reshape(a, shared, heads // shared, length, d)
        key, value = call.key.detach().contiguous(), call.value.detach().contiguous()
        weights = torch.matmul(query.flatten(2, 3) * self.scale, key.transpose(2, 3)).view(*query.shape[:4], length)
        if call.mask is not None:
            mask = call.mask[..., :length]
            weights += mask[:, :, None] if mask.shape[1] == 1 else mask.reshape(len(mask), shared, -1, *mask.shape[2:])
        weights = torch.softmax(weights, -1, out=weights)
        output: Tensor = torch.matmul(weights.flatten(2, 3), value).view(query.shape)
        self.causal = not bool(weights.triu(1).any())
        self.kept = (query, key, value, weights, output)
        return output.flatten(1, 2).transpose(1, 2)

    def value(self) -> Tensor:
        """Return [copies or texts, length, heads, d_head]."""
        output: Tensor = self.kept[4][self.view.texts, :, :, : self.view.length].flatten(1, 2).transpose(1, 2)
        return output if self.view.copies == 1 else output.expand(self.view.copies, *output.shape[1:])

    def back(self, cotangent: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """[N, L, heads, d_head] → of queries [N, heads, L, d_head], and of keys and values [N, shared, L, d_head]."""
        found = (each.transpose(2, 3).flatten(0, 1) for each in self.pull(cotangent, self.view))
        of_query, of_key, of_value = found
        return of_query * self.scale, of_key * self.scale, of_value

    def pull(self, cotangent: Tensor, view: View) -> tuple[Tensor, Tensor, Tensor]:
        """[N, L, heads, d_head] → what it makes of queries, keys and values, each [texts, copies, L, heads, d_head].

        The first two are still to be multiplied with `scale`. Memory of all three lies in another order than that.
        """
        texts, length, copies = view
        query, key, value, weights, output = (kept[texts] for kept in self.kept)
        query, weights, output = query[..., :length, :], weights[..., :length, :length], output[..., :length, :]
        key, value = key[..., :length, :].flatten(0, 1), value[..., :length, :].flatten(0, 1)
        x, shared, group, _, d = query.shape
        # [x · shared, group, L, copies, d]: a query's copies side by side, so that every product below is one
        given = (
            cotangent.reshape(x, copies, length, shared, group, d).permute(0, 3, 4, 2, 1, 5).contiguous().flatten(0, 1)
        )
        query, weights, output = query.flatten(0, 1), weights.flatten(0, 1), output.flatten(0, 1)
        sums = (given * output[..., None, :]).sum(-1)
        of_query = torch.empty_like(given)
        of_key = given.new_zeros(x * shared, copies, length, d)
        of_value = given.new_zeros(x * shared, length, copies * d)
        step = max(FEWEST, FLOATS // (x * shared * group * copies * length))
        for start in range(0, length, step):
            rows = slice(start, min(start + step, length))
            n, end = rows.stop - start, rows.stop if self.causal else length
            here, seen = given[:, :, rows].flatten(1, 3), weights[:, :, rows, :end]
            scores = torch.bmm(here, value[:, :end].transpose(1, 2)).view(-1, group, n, copies, end)
            scores.sub_(sums[:, :, rows, :, None]).mul_(seen[:, :, :, None])
            of_query[:, :, rows] = torch.bmm(scores.flatten(1, 3), key[:, :end]).view(-1, group, n, copies, d)
            found = torch.bmm(scores.view(-1, group * n, copies * end).transpose(1, 2), query[:, :, rows].flatten(1, 2))
            of_key[:, :, :end] += found.view(-1, copies, end, d)
            of_value[:, :end] += torch.bmm(seen.flatten(1, 2).transpose(1, 2), here.view(-1, group * n, copies * d))
        return (
            of_query.view(x, shared * group, length, copies, d).permute(0, 3, 2, 1, 4),
            of_key.view(x, shared, copies, length, d).permute(0, 2, 3, 1, 4),
            of_value.view(x, shared, length, copies, d).permute(0, 3, 2, 1, 4),
        )


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
