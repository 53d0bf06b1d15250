"""The strongest lines of a layer, for pages without scripts and for alt texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.rounding import significant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

LEAST = 0.02
"""The least weight that is drawn, as in `lines.js`."""

LEFT = 10 / 255
"""What must be left of a row without its first token, as in `weights.js`."""


def strongest(data: Mapping[str, Any], weights: np.ndarray, most: int) -> list[dict[str, Any]]:
    """Return at most so many edges of what `data["shown"]` says, strongest first.

    `weights` are the layer's, [heads, queries, keys]. See `analysis.analyse` for what an edge is.
    """
    import numpy as np

    shown, tokens = data["shown"], data["tokens"]
    part = data["parts"][shown["part"]]
    if data["exclude_first"]:
        rest = weights.copy()
        rest[..., 0] = 0
        left = rest.sum(-1, keepdims=True)
        weights = np.divide(rest, left, out=np.zeros_like(rest), where=left >= LEFT)
    rows, columns = (_starts(tokens[start:end]) for start, end in (part["queries"], part["keys"]))
    sums = np.add.reduceat(weights, columns, axis=2)
    counts = np.add.reduceat((weights.sum(-1, keepdims=True) > 0).astype(float), rows, axis=1)
    merged = np.add.reduceat(sums, rows, axis=1) / counts.clip(min=1)
    found = [
        (float(merged[h, i, j]), h, part["queries"][0] + rows[i], part["keys"][0] + columns[j])
        for h, i, j in np.argwhere(merged >= LEAST).tolist()
        if shown["heads"] is None or h in shown["heads"]
    ]
    if shown["token"] is not None:
        at = 2 if shown["side"] == "from" else 3
        offset, starts = (part["queries"][0], rows) if shown["side"] == "from" else (part["keys"][0], columns)
        start = offset + max(s for s in starts if s <= shown["token"] - offset)
        found = [edge for edge in found if edge[at] == start]
    found.sort(key=lambda edge: (-edge[0], edge[1:]))
    return [
        {"from": query, "to": key, "head": head, "weight": significant(weight)}
        for weight, head, query, key in found[:most]
    ]


def _starts(tokens: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return where each piece of text begins; a token of span 0 belongs to the one before it."""
    return [i for i, token in enumerate(tokens) if i == 0 or token.get("span", 1)]
