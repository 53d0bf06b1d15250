"""f and the own logit of tokens, read from states: through the whole head, or through its rows that are asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from builder.model.placement import present

from .gradients import precise

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from .objective import Objective

__all__ = ["Reading"]

READ = 128
"""How many positions go through the head at once: their logits are 25 MB on smollm2."""


@dataclass(frozen=True)
class Reading:
    """How f is read. A difference of logits needs but two rows of a head that is linear, `linear`."""

    head: Callable[[Tensor], Tensor]
    """States [N, d] → logits [N, vocab]."""
    objective: Objective
    linear: nn.Linear | None = None

    @torch.no_grad()
    def f(self, states: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return f [N] and the own logits [N] of tokens `ids` [N] where the head reads states [N, d]."""
        read = self._by_head if self.linear is None else self._by_rows
        found = [read(*some) for some in zip(torch.split(states, READ), torch.split(ids, READ), strict=True)]
        f, logits = zip(*found, strict=True)
        return torch.cat(f), torch.cat(logits)

    def tried(self, states: Tensor, ids: Tensor) -> tuple[Reading, Tensor, Tensor]:
        """Return f and the head's own logits of tokens, and the way to read others: this, where both ways agree here.

        f is read as others will be, so that what is lost of it is a difference of like numbers.
        """
        slow = replace(self, linear=None)
        f, logits = slow.f(states, ids)
        if self.linear is not None and (self.objective.foil is not None or self.objective.target == "logit"):
            short, own = self.f(states, ids)
            # a logit is a sum over the width of the model, about as exact as the largest one is
            if bool((own - logits).abs().max() <= 1e-5 * logits.abs().max()):
                return self, short, logits
        return slow, f, logits

    def _by_head(self, states: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
        logits = precise(self.head(states))
        return self.objective.value(logits, ids), logits.gather(-1, ids[:, None])[:, 0]

    def _by_rows(self, states: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
        own = self._logits(states, ids)
        if self.objective.foil is None:
            return own, own
        return own - self._logits(states, torch.full_like(ids, self.objective.foil)), own

    def _logits(self, states: Tensor, ids: Tensor) -> Tensor:
        assert self.linear is not None
        with present(self.linear):  # which may lie on another device, or on the disk
            where = ids.to(self.linear.weight.device)
            rows = precise(self.linear.weight[where]).to(states.device)
            own = (precise(states) * rows).sum(-1)
            return own if self.linear.bias is None else own + precise(self.linear.bias[where]).to(own.device)
