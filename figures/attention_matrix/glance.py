"""A matrix as a page without scripts shows it: row by row where the text is short, else its strongest weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.rounding import significant

if TYPE_CHECKING:
    import numpy as np

    from builder.model.attention import AttentionPart

__all__ = ["glance", "without_first"]

LEFT = 10 / 255
"""What must be left of a row without its first token: of less, the steps of the published weights would be most."""

FEW, MANY = 3, 16
"""How many edges are published: for an alt text, and in the place of a large matrix."""

LEAST = 0.01


def without_first(matrix: np.ndarray) -> np.ndarray:
    """Return a matrix [Q, K] without its first column, each row rescaled to 1; 0 where next to nothing is left."""
    import numpy as np

    rest = matrix.copy()
    rest[:, 0] = 0
    left = rest.sum(-1, keepdims=True)
    found: np.ndarray = np.divide(rest, left, out=np.zeros_like(rest), where=left >= LEFT)
    return found


def glance(matrix: np.ndarray, part: AttentionPart, short: int) -> dict[str, Any]:
    """Return `rows` of a matrix [Q, K] in thousandths, None of a long text, and its strongest `edges` by position."""
    import numpy as np

    is_short = max(matrix.shape) <= short
    (first, _), (start, _) = part.queries, part.keys
    skipped = 2 if part.causal else 0  # rows that have no choice, the first token aside
    places = [(q + skipped, k + 1) for q, k in np.argwhere(matrix[skipped:, 1:] >= LEAST).tolist()]
    places.sort(key=lambda place: -matrix[place])
    edges = [
        {"from": first + q, "to": start + k, "weight": significant(matrix[q, k])}
        for q, k in places[: FEW if is_short else MANY]
    ]
    thousandths = np.rint(matrix * 1000).astype(int).tolist()
    rows = [row[: q + 1] if part.causal else row for q, row in enumerate(thousandths)]
    return {"rows": rows if is_short else None, "edges": edges}
