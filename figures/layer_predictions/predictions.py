"""The likeliest tokens as the model itself has them, and from where on a place is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from builder.model import Run


def top_shares(run: Run, targets: Sequence[int], top: int) -> Iterator[tuple[slice, Tensor]]:
    """Yield the `top` largest probabilities [n, top] float64 about each target by the model's own logits, in blocks."""
    for block, logits in run.blocks_of_logits(targets):
        values = logits.topk(top).values
        total = (logits - values[:, :1]).exp_().sum(-1, keepdim=True)
        yield block, (values - values[:, :1]).cpu().double().exp() / total.cpu().double()


def since(ranks: list[int], bound: int) -> int | None:
    """Return the row from which on every rank is within `bound`; None where the last one is not."""
    row = len(ranks)
    while row and ranks[row - 1] <= bound:
        row -= 1
    return row if row < len(ranks) else None
