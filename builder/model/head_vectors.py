"""`HeadVectors`: the queries, keys and values that a layer's heads attend with, and the weights that these give."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from .placement import present

if TYPE_CHECKING:
    from .interface import AttentionCall

__all__ = ["HeadVectors", "read_heads"]


class HeadVectors(NamedTuple):
    """What a layer's heads attend with. Grouped heads share keys and values; here each has its own copy of them."""

    query: Tensor
    """[heads, Q, d_head] float32, as the attention function gets them: rotated, normed."""
    key: Tensor
    """[heads, K, d_head] float32"""
    value: Tensor
    """[heads, K, d_value] float32"""
    output: Tensor
    """[heads, Q, d_value] float32: weights @ value, before the output projection."""
    scale: float
    """What q·k is multiplied with."""
    softcap: float | None
    """Where the model has one: scores go through softcap · tanh(score / softcap) before the bias is added."""
    bias: Tensor
    """[1 or heads, Q, K] float32, added to the scores: 0, position biases (T5), the lowest of numbers where masked."""
    sinks: Tensor | None
    """[heads] float32, or None: the score of a place that is no token and takes attention too (gpt-oss)."""
    n_kv_heads: int

    @property
    def scores(self) -> Tensor:
        """[heads, Q, K]: what the softmax is taken of."""
        scores = self.query @ self.key.mT * self.scale
        if self.softcap is not None:
            scores = self.softcap * (scores / self.softcap).tanh()
        return scores + self.bias

    @property
    def weights(self) -> Tensor:
        """[heads, Q, K]: softmax(scale · q·kᵀ + bias), the attention that these vectors give."""
        scores = self.scores
        if self.sinks is None:
            return scores.softmax(-1)
        sinks = self.sinks[:, None, None].expand(-1, scores.shape[1], 1)
        return torch.cat([scores, sinks], -1).softmax(-1)[..., :-1]


def read_heads(call: AttentionCall) -> HeadVectors:
    """Return what the heads of a call of attention attended with, of the first text."""
    module, options = call.module, call.options
    query = call.query[0].float()
    groups = query.shape[0] // call.key.shape[1]
    scaling, softcap = options.get("scaling"), options.get("softcap")
    bias = torch.zeros(1, 1, 1, 1, device=query.device)
    for added in (call.mask, options.get("position_bias")):
        bias = bias if added is None else bias + added.float()
    with present(module):
        sinks = getattr(module, "sinks", None)
    return HeadVectors(
        query=query,
        key=call.key[0].float().repeat_interleave(groups, 0),
        value=call.value[0].float().repeat_interleave(groups, 0),
        output=call.output[0].float().transpose(0, 1),
        scale=float(scaling) if scaling is not None else query.shape[-1] ** -0.5,
        softcap=float(softcap) if softcap else None,
        bias=bias[0].expand(-1, query.shape[1], call.key.shape[2]),
        sinks=sinks.detach().float() if isinstance(sinks, Tensor) else None,
        n_kv_heads=call.key.shape[1],
    )
