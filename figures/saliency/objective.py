"""`Objective`: the number f whose gradient is taken for an output token, and its derivative by the logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Objective", "softmax"]


@dataclass(frozen=True)
class Objective:
    """What is explained about a token t: its logit z_t, log p_t or p_t, or z_t − z_foil where there is a foil.

    The contrast (Yin & Neubig 2022, https://arxiv.org/abs/2202.10419) is the same for logits and log-probabilities,
    which differ by a constant. For a token that is its own foil f is 0 everywhere.
    """

    target: Literal["logit", "logprob", "probability"] = "logit"
    foil: int | None = None

    @property
    def is_linear(self) -> bool:
        """Whether f is a sum of logits, so that its derivative is the same whatever they are."""
        return self.foil is not None or self.target == "logit"

    def value(self, logits: Tensor, ids: Tensor) -> Tensor:
        """Return f [N] of tokens `ids` [N] from logits [N, vocab]."""
        own = logits.gather(-1, ids[:, None])[:, 0]
        if self.foil is not None:
            return own - logits[:, self.foil]
        if self.target == "probability":
            return (own - logits.logsumexp(-1)).exp()
        return own - logits.logsumexp(-1) if self.target == "logprob" else own

    def derivative(self, logits: Tensor, ids: Tensor) -> Tensor:
        """Return ∂f/∂z [N, vocab], in closed form.

        For log p it is one-hot − p, with 1 − p_t taken as the sum of the other probabilities: the difference itself
        loses all its digits as p_t → 1. For p it is that times p_t.
        """
        own = ids[:, None]
        if self.foil is None and self.target != "logit":
            p = softmax(logits)
            others = p.scatter(-1, own, 0)
            derivative = (-others).scatter_(-1, own, others.sum(-1, keepdim=True))
            return derivative * p.gather(-1, own) if self.target == "probability" else derivative
        derivative = torch.zeros_like(logits).scatter_(-1, own, 1)
        if self.foil is not None:
            derivative[:, self.foil] -= 1
        return derivative


def softmax(logits: Tensor) -> Tensor:
    """Return the softmax over the last axis; torch's own is off by 1e-5 in float32 on smollm2, this by 3e-7."""
    powers = (logits - logits.amax(-1, keepdim=True)).exp()
    return powers / powers.sum(-1, keepdim=True)
