"""Attention flow: how much could reach a token at most, if attention weights were the widths of pipes.

Abnar & Zuidema 2020, https://arxiv.org/abs/2005.00928
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from .reached import Reached

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scipy.sparse import csr_matrix
    from torch import Tensor

__all__ = ["MOST_TOKENS", "attention_flow", "gap_to_cut"]

MOST_TOKENS = 128
"""Of a text. Each pair of tokens has a graph of L · T² edges of its own, so time grows by T⁴: with 30 layers, on one
core, 0.5 s for 30 tokens after 23, 5 s for 77 after 23, 20 s at this limit; and once more without token 0."""

UNIT = 2**-30
"""Capacities are multiples of it: scipy knows whole numbers. A flow is off by half of it for each edge of its cut."""


class Graph(NamedTuple):
    """Token i below layer ℓ (of layers × size + size nodes) is node ℓ · size + i; edges lead to what is looked at."""

    capacities: csr_matrix
    source: int
    sink: int


def attention_flow(edges: Tensor, rows: Sequence[int], *, causal: bool) -> Reached:
    """Return the maximum flow from each of the positions `rows`, after the last layer, to each token below the first.

    `edges` [L, T, T] = (A + I) / 2, heads averaged, are the capacities; `causal` where no token looks at a
    later one. Flows do not add up to 1: each is computed as if it were alone. None is more than what leaves its
    position, 1, or than what its token can hand on.
    """
    from scipy.sparse.csgraph import maximum_flow

    whole = _units(edges)
    flows = torch.zeros(len(rows), edges.shape[-1], dtype=edges.dtype)
    for n, row in enumerate(rows):
        for token in range(row + 1 if causal else edges.shape[-1]):
            graph = _graph(whole, row, token, causal=causal)
            flows[n, token] = maximum_flow(*graph).flow_value * UNIT
    return Reached(flows)


def gap_to_cut(edges: Tensor, row: int, token: int, *, causal: bool) -> float:
    """Return by how much the flow from a position to a token falls short of a cut, in float64: 0 proves it right.

    No flow is larger than any set of edges without which nothing gets through; such a set is found where the flow fills
    its edges.
    """
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    graph = _graph(_units(edges), row, token, causal=causal)
    found = maximum_flow(*graph)
    left = graph.capacities - found.flow
    left.data[left.data < 0] = 0
    left.eliminate_zeros()
    reached = np.zeros(left.shape[0], dtype=bool)
    reached[breadth_first_order(left, graph.source, return_predecessors=False)] = True
    size = left.shape[0] // (len(edges) + 1)
    first = token if causal else 0
    exact = edges[:, first : first + size, first : first + size].numpy()
    above, below = reached.reshape(-1, size)[1:], reached.reshape(-1, size)[:-1]
    cut = float((exact * (above[:, :, None] & ~below[:, None, :])).sum())
    return abs(float(found.flow_value) * UNIT - cut)


def _units(edges: Tensor) -> np.ndarray:
    return np.rint(edges.numpy() / UNIT).astype(np.int32)


def _graph(whole: np.ndarray, row: int, token: int, *, causal: bool) -> Graph:
    """Return the graph between a position and a token; of a causal model only the tokens between them matter."""
    from scipy.sparse import csr_matrix

    first, last = (token, row) if causal else (0, whole.shape[-1] - 1)
    part = whole[:, first : last + 1, first : last + 1]
    layer, query, key = np.nonzero(part)
    size, layers = part.shape[-1], len(part)
    nodes = size * (layers + 1)
    ends = ((layer + 1) * size + query, layer * size + key)
    capacities = csr_matrix((part[layer, query, key], ends), shape=(nodes, nodes))
    return Graph(capacities, layers * size + row - first, token - first)
