"""K-means: neurons that fire on the same tokens, as scikit-learn finds them, the largest cluster first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.errors import BuildError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["SEED", "STARTS", "Clustering", "cluster", "nearer_to_another", "patterns"]

SEED = 0
STARTS = 10
"""K-means ends in a local minimum; of ten starts the best is kept, scikit-learn's own number until version 1.4."""


@dataclass(frozen=True)
class Clustering:
    """`labels` [n_neurons]: clusters from 1, the largest first, and 0 for a neuron that is in none.

    `inertia` is scikit-learn's: the sum of squared distances of rows to their clusters' means.
    """

    labels: np.ndarray
    inertia: float


def patterns(values: np.ndarray) -> np.ndarray:
    """Return where each neuron fires, however strongly: the positive part of its row of [n, T], scaled to length 1.

    A neuron that never is positive stays 0 everywhere.
    """
    import numpy as np

    positive = np.maximum(values, 0.0).astype(np.float64)
    lengths = np.linalg.norm(positive, axis=1, keepdims=True)
    found: np.ndarray = np.divide(positive, lengths, out=np.zeros_like(positive), where=lengths > 0)
    return found


def cluster(rows: np.ndarray, count: int, *, layer: int) -> Clustering:
    """Return `count` clusters of the rows [n_neurons, T]; rows that are 0 everywhere belong to none.

    Raises `BuildError` where fewer rows than that are different.

    Lloyd 1982, https://doi.org/10.1109/TIT.1982.1056489
    """
    import numpy as np
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    fire = rows.any(axis=1)
    different = len(np.unique(rows[fire], axis=0))
    if count > different:
        raise BuildError(
            f"invalid clusters: {count} is more than layer {layer} can be divided into, where {different} of the "
            f"{len(rows)} neurons fire differently{f' (did you mean {different}?)' if different else ''}"
        )
    # One thread: sums have one order on every machine, and threads that wait for each other on busy cores took 17 s
    # for 1,536 × 90 instead of 0.3 s.
    with threadpool_limits(1):
        means = KMeans(n_clusters=count, n_init=STARTS, random_state=SEED).fit(rows[fire])
    sizes = np.bincount(means.labels_, minlength=count)
    rank = np.empty(count, dtype=np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(1, count + 1)
    labels = np.zeros(len(rows), dtype=np.int64)
    labels[fire] = rank[means.labels_]
    return Clustering(labels, float(means.inertia_))


def nearer_to_another(rows: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Return the inertia of labelled rows, and the share of them that another cluster's mean is nearer to.

    Both anew, in float64 and a row at a time: nothing here is k-means'.
    """
    import numpy as np

    means = [rows[labels == number].mean(axis=0, dtype=np.float64) for number in range(1, int(labels.max()) + 1)]
    inertia, strays, members = 0.0, 0, 0
    for row, label in zip(rows, labels.tolist(), strict=True):
        if not label:
            continue
        distances = [float(((row - mean) ** 2).sum()) for mean in means]
        inertia += distances[label - 1]
        strays += min(distances) < distances[label - 1] * (1 - 1e-6)
        members += 1
    return inertia, strays / max(members, 1)
