"""The likeliest tokens at some positions after every layer, with their probabilities, and the place of one token."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from builder.model.lens import largest, rank

if TYPE_CHECKING:
    from collections.abc import Callable

FLOATS = 8_000_000  # logits held at once, 32 MB: as in builder/model/lens.py


class Predictions(NamedTuple):
    """What the lens reads at [rows, N] states."""

    top: Tensor
    """[rows, N, k] int64, the likeliest first; of equals the lower token."""
    shares: Tensor
    """[rows, N, k] float64: their probabilities."""
    ranks: Tensor
    """[rows, N] int64 of the token that is followed, 1 is the first place."""
    probabilities: Tensor
    """[rows, N] float64 of that token."""
    last: Tensor
    """[N, vocab] float32, the logits of the last row."""


@torch.no_grad()
def predictions(
    unembed: Callable[[Tensor], Tensor], states: Tensor, ids: Tensor, *, vocab_size: int, top: int
) -> Predictions:
    """Read states [rows, N, d] by `unembed` ([..., d] → [..., vocab]) and follow the tokens `ids` [N].

    nostalgebraist 2020, https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens
    """
    rows, n = states.shape[:2]
    tops = torch.empty(rows, n, top, dtype=torch.int64)
    shares = torch.empty(rows, n, top, dtype=torch.float64)
    ranks = torch.empty(rows, n, dtype=torch.int64)
    probabilities = torch.empty(rows, n, dtype=torch.float64)
    last: list[Tensor] = []
    size = max(1, FLOATS // vocab_size)
    for row in range(rows):
        for start in range(0, n, size):
            block = slice(start, start + size)
            logits = unembed(states[row, block]).float()
            own = logits.gather(-1, ids[block, None])
            best = largest(logits, top)
            tops[row, block] = best.cpu()
            shares[row, block] = softmax(logits, logits.gather(-1, best)).cpu()
            ranks[row, block] = rank(logits, own).cpu()
            probabilities[row, block] = softmax(logits, own)[:, 0].cpu()
            if row == rows - 1:
                last.append(logits)
    return Predictions(tops, shares, ranks, probabilities, torch.cat(last))


def softmax(logits: Tensor, own: Tensor) -> Tensor:
    """Return the softmax [N, m] of logits [N, vocab] at own logits [N, m], float64: e^−200 is still more than 0."""
    most = logits.amax(-1, keepdim=True)
    return (own - most).double().exp() / (logits - most).exp().sum(-1, keepdim=True).double()


def since(ranks: list[int], bound: int) -> int | None:
    """Return the row from which on every rank is within `bound`; None where the last one is not."""
    row = len(ranks)
    while row and ranks[row - 1] <= bound:
        row -= 1
    return row if row < len(ranks) else None
