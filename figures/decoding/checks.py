"""What proves the tables and the forks: the model's own softmax, transformers' own filters, one plain forward pass."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from builder.figure import Check
from builder.model.precision import double

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.model import Run

    from .forks import Fork

__all__ = ["checks"]


def checks(
    run: Run, data: Mapping[str, Any], candidates: Sequence[Sequence[int]], forks: Sequence[Sequence[Fork]]
) -> dict[str, Check]:
    """Return checks of what is published; those that cost much are made at the step in the middle."""
    eps = torch.finfo(run.model.network.dtype).eps
    tolerance = 1e-3 if eps < 1e-6 else 4 * eps**0.5  # in nats, over a fork; half of the digits of a short format
    t = len(candidates) // 2
    found = {
        "probabilities against the model's softmax": Check(_softmax_apart(run, data, candidates), 2e-5),
        "tokens left against transformers' own filters, one step": Check(_counts_apart(run, data, t), 1),
    }
    some = sorted({0, t, len(forks) - 1})
    gaps = [_fork_apart(run, run.targets[step], forks[step]) for step in some if forks[step]]
    if gaps:
        apart, behind = (max(values) for values in zip(*gaps, strict=True))
        found["log-probability of forks against one forward pass, three steps"] = Check(apart, tolerance)
        found["forks that are not greedy, by logits, three steps"] = Check(behind, tolerance)
    return found


def _softmax_apart(run: Run, data: Mapping[str, Any], candidates: Sequence[Sequence[int]]) -> float:
    """Return the largest difference of published probabilities at all temperatures from the softmax in float64."""
    worst, z = 0.0, double(run.logits)
    chosen = torch.tensor(candidates, device=z.device)
    for at, temperature in enumerate(data["temperatures"]):
        truth = (z / temperature).softmax(-1).gather(-1, chosen).cpu()
        sums = torch.tensor([row[at] for row in data["levels"][-1]["log_sums"]], dtype=torch.float64)
        logits = torch.tensor(data["logits"], dtype=torch.float64)
        worst = max(worst, float(((logits / temperature - sums[:, None]).exp() - truth).abs().max()))
    return worst


def _counts_apart(run: Run, data: Mapping[str, Any], t: int) -> float:
    """Return by how many tokens a published count differs from what transformers leaves; sums are rounded there too."""
    worst, n, size = 0, len(data["logits"][t]), len(data["top_ps"]) - 1
    temperatures = data["temperatures"]
    logits = double(run.logits[t : t + 1])
    ids = run.ids[None].to(logits.device)
    for level in data["levels"]:
        for at in sorted(
            {0, len(temperatures) // 2, len(temperatures) - 1, temperatures.index(data["initial"]["temperature"])}
        ):
            scores = TemperatureLogitsWarper(float(temperatures[at]))(ids, logits)
            if level["top_k"]:
                scores = TopKLogitsWarper(level["top_k"])(ids, scores)
            counts = level["counts"][t][at]
            for p, top_p in enumerate(data["top_ps"][:-1]):
                left = int(TopPLogitsWarper(top_p)(ids, scores).isfinite().sum())
                ours = counts[p - size + len(counts)] if p >= size - len(counts) else min(left, n)
                worst = max(worst, abs(left - ours))
    return float(worst)


def _fork_apart(run: Run, position: int, forks: Sequence[Fork]) -> tuple[float, float]:
    """Return how far forks' log-probabilities are from a forward pass without a cache, and how far from the best."""
    apart = behind = 0.0
    prefix = run.ids[:position]
    for fork in forks:
        ids = torch.cat([prefix, torch.tensor(fork.ids, device=prefix.device)])
        with torch.no_grad():
            logits = double(run.model.head_logits(run.model.forward_ids(ids[None])[0, position - 1 : -1]))
        own = logits.gather(-1, ids[position:, None].to(logits.device))[:, 0]
        apart = max(apart, abs(float((own - logits.logsumexp(-1)).sum()) - fork.logprob))
        behind = max(behind, *(float(gap) for gap in (logits.amax(-1) - own)[1:]), 0.0)
    return apart, behind if math.isfinite(behind) else float("nan")
