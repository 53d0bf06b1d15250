"""The residual stream at each token before and after a layer, as strips that fit a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.rounding import significant

from .vectors import pack_vectors

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from builder.model import AnyRun

__all__ = ["CELLS", "pooled", "states"]

CELLS = 96
"""The most cells that a strip has: of a wider stream, each cell is the strongest of some neighbouring numbers."""


def states(run: AnyRun, layer: int) -> dict[str, Any] | None:
    """Return `{size, before, after, norms}` of a layer, each state packed [T, cells]; None where they are not known.

    `size` is how many numbers share a cell; `norms` are the two states' lengths, each [T].
    """
    outputs: Tensor | None = getattr(run, "block_outputs", None)
    embeddings: Tensor | None = getattr(run, "embeddings", None)
    if outputs is None or embeddings is None or layer >= len(outputs):
        return None
    before = (outputs[layer - 1] if layer else embeddings).cpu().numpy()
    after = outputs[layer].cpu().numpy()
    if before.shape != after.shape:
        return None
    size = -(-after.shape[-1] // CELLS)
    return {
        "size": size,
        **{name: pack_vectors(pooled(state, size)) for name, state in (("before", before), ("after", after))},
        "norms": [[significant(norm) for norm in (state**2).sum(-1) ** 0.5] for state in (before, after)],
    }


def pooled(values: np.ndarray, size: int) -> np.ndarray:
    """Return of each `size` neighbouring numbers of [T, d] the one that is furthest from 0: [T, ceil(d / size)]."""
    import numpy as np

    padded = np.pad(values, ((0, 0), (0, -values.shape[1] % size))).reshape(len(values), -1, size)
    return np.take_along_axis(padded, np.abs(padded).argmax(-1)[..., None], -1)[..., 0]
