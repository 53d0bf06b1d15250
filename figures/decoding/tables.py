"""Steps of decoding, read from logits: the candidates, and sums over the vocabulary for every stop of the sliders.

The order is transformers': logits are divided by the temperature, then top-k keeps those that are not below the k-th,
equals of it included, then top-p keeps the fewest of them whose probabilities reach p (Holtzman 2020,
https://arxiv.org/abs/1904.09751), one at least. Tokens are ordered by logit, which no temperature changes, equals by
their number: the first N are kept, and a candidate's probability is exp(z / T) over the sum of theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from transformers import TopKLogitsWarper, TopPLogitsWarper

from builder.model.precision import double
from builder.rounding import significant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

__all__ = ["Steps", "drawn", "read_levels", "read_steps"]

DIGITS = 5
"""Of logarithms of sums and of shares: 1e-5 of a probability."""


class Steps(NamedTuple):
    """What S steps chose from; logits are relative to the likeliest token's, 0 or below."""

    ids: list[list[int]]
    """[S, n], the likeliest first."""
    logits: list[list[float]]
    """[S, n], as float32 says them: two are equal only where the model's are."""
    tied: list[int]
    """[S], how many tokens beyond the last of these have its logit."""
    places: list[int]
    """[S], where the token of the text stands in that order, from 1."""
    own: list[float]
    """[S], its logit."""


def read_steps(logits: Tensor, ids: Tensor, n: int) -> Steps:
    """Read logits [S, vocab] and the tokens [S] that the text goes on with."""
    found = Steps([], [], [], [], [])
    for z, own in zip(logits, ids.tolist(), strict=True):
        values, order = z.sort(descending=True, stable=True)
        found.ids.append(order[:n].tolist())
        found.logits.append([_float32(v) for v in (values[:n] - values[0]).tolist()])
        found.tied.append(int((z == values[n - 1]).sum()) - int((values[:n] == values[n - 1]).sum()))
        found.places.append(int((order == own).nonzero()[0]) + 1)
        found.own.append(_float32(float(z[own] - values[0])))
    return found


def read_levels(
    logits: Tensor, n: int, temperatures: Sequence[float], top_ps: Sequence[float], top_ks: Sequence[int]
) -> list[dict[str, Any]]:
    """Return what cannot be summed up from n logits, for each top-k that keeps more of them (0: all).

    Of each step t: `kept[t]` tokens, `log_sums[t][T]` = log Σ exp(z / T) over them; `counts[t][T]` for the last of
    `top_ps`, those at which more than n tokens are left: how many; `excess[t][T]` says by how many hundred-thousandths
    of the sum they pass p. Of the whole vocabulary also `entropies[t][T]`, in nats.
    """
    levels: list[dict[str, Any]] = [
        {"top_k": k, "kept": [], "log_sums": [], "counts": [], "excess": []} for k in top_ks
    ]
    levels[-1]["entropies"] = []
    heats = torch.tensor(temperatures, dtype=torch.float64)[:, None]
    shares = torch.tensor(top_ps, dtype=torch.float64)
    for z in logits:
        values = z.cpu().double().sort(descending=True).values
        scaled = (values - values[0]) / heats  # [temperatures, vocab]
        weights = scaled.exp()
        sums = weights.cumsum(-1)
        for level in levels:
            k = level["top_k"]
            kept = len(values) if k == 0 else int((values >= values[k - 1]).sum())
            total = sums[:, kept - 1 : kept]
            last = torch.searchsorted(sums[:, :kept].contiguous(), total * shares).clamp(max=kept - 1)  # of those left
            past = (sums.gather(1, last) / total - shares).mul(1e5).round().int().tolist()
            more = [[place + 1 for place in row if place >= n] for row in last.tolist()]
            level["kept"].append(kept)
            level["log_sums"].append([round(v, DIGITS) for v in total[:, 0].log().tolist()])
            level["counts"].append(more)
            level["excess"].append([row[len(row) - len(m) :] for row, m in zip(past, more, strict=True)])
        entropies = sums[:, -1].log() - (weights * scaled).sum(-1) / sums[:, -1]
        levels[-1]["entropies"].append([round(max(v, 0.0), 4) for v in entropies.tolist()])
    return levels


def drawn(logits: Tensor, ids: Tensor, settings: Mapping[str, Any]) -> tuple[list[float], list[int]]:
    """Return how likely each token [S] was with the settings it was written with, and how many could be drawn.

    By transformers' own filters, in float64: a second way, which the figure begins with.
    """
    scores = double(logits) / settings["temperature"]
    if 0 < settings["top_k"] < scores.shape[-1]:
        scores = TopKLogitsWarper(settings["top_k"])(None, scores)
    if settings["top_p"] < 1:
        scores = TopPLogitsWarper(settings["top_p"])(None, scores)
    own = scores.softmax(-1).gather(-1, ids[:, None].to(scores.device))[:, 0]
    return [significant(p) for p in own.tolist()], scores.isfinite().sum(-1).tolist()


def _float32(value: float) -> float:
    """Return the shortest decimal that is this float32."""
    import numpy as np

    return float(str(np.float32(value)))
