"""Rollout and flow by following paths one by one, and where an answer has the rows of a method."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import torch

from builder.figure import Answer, RunSpec
from builder.model import Model

METHODS = ("value_norms", "raw", "rollout", "flow")
PAIR = RunSpec(model="", prompt="1, 1", pair="The Union", generate=0)


def rows(answer: Answer, method: str, *, excluded: bool = False) -> dict[str, Any]:
    """Return a method's rows from wherever they are published."""
    name = method.replace("_", "-") + ("-rest" if excluded else "")
    return dict(answer.pieces.get(name, answer.data))


def eager(model: Model, ids: torch.Tensor) -> np.ndarray:
    """Return transformers' own attention weights, heads averaged by hand: [layers, T, T]."""
    with torch.no_grad():
        attentions = model.network(ids[None], output_attentions=True).attentions
    return np.array([sum(head.double().numpy() for head in layer[0]) / layer.shape[1] for layer in attentions])


def naive_rollout(attention: np.ndarray) -> np.ndarray:
    """Add up, path by path: what layer ℓ gives token k is half its own share, and half of what others had of k."""
    size = attention.shape[-1]
    share = [[1.0 if q == k else 0.0 for k in range(size)] for q in range(size)]
    for layer in attention:
        share = [
            [share[q][k] / 2 + sum(layer[q][j] * share[j][k] for j in range(size)) / 2 for k in range(size)]
            for q in range(size)
        ]
    return np.array(share)


def naive_flow(attention: np.ndarray, source: int, sink: int) -> float:
    """Push along shortest paths with something left until there is none (Edmonds & Karp 1972), in float64."""
    layers, size = len(attention), attention.shape[-1]
    left: dict[tuple[int, int], dict[tuple[int, int], float]] = {}
    for level, layer in enumerate(attention, 1):
        for q in range(size):
            for k in range(size):
                width = (layer[q][k] + (q == k)) / 2
                left.setdefault((level, q), {})[level - 1, k] = width
                left.setdefault((level - 1, k), {}).setdefault((level, q), 0.0)
    start, end, total = (layers, source), (0, sink), 0.0
    while True:
        came: dict[tuple[int, int], tuple[int, int] | None] = {start: None}
        queue = deque([start])
        while queue and end not in came:
            at = queue.popleft()
            for to, width in left[at].items():
                if width > 1e-12 and to not in came:
                    came[to] = at
                    queue.append(to)
        if end not in came:
            return total
        path, at = [], end
        while (before := came[at]) is not None:
            path.append((before, at))
            at = before
        narrowest = min(left[a][b] for a, b in path)
        for a, b in path:
            left[a][b] -= narrowest
            left[b][a] += narrowest
        total += narrowest
