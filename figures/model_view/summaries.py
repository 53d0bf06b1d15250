"""The summaries of all heads of a part, as a page shows them: four digits, and only those that mean something there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["MEASURES", "summarise"]

MEASURES = ("entropy", "distance", "first", "previous", "induction")


def summarise(layers: Sequence[Tensor], ids: Tensor | None) -> dict[str, list[list[float]]]:
    """Return each measure of each layer's weights [H, Q, K]: a row a layer, in it a number a head.

    `ids` [T] are the tokens of self-attention. Without them, as between two texts, only entropy and the share on the
    first token are told, as they are of a text of one token; induction only where a token comes again.
    """
    from builder.model import heads

    single = ids is not None and len(ids) < 2
    told = {"entropy": [heads.entropy(weights) for weights in layers]}
    if ids is not None and not single:
        told["distance"] = [heads.distance(weights) for weights in layers]
    if not single:
        told["first"] = [heads.first_token(weights, own=ids is not None) for weights in layers]
    if ids is not None and not single:
        told["previous"] = [heads.previous_token(weights) for weights in layers]
        scores = [heads.induction(weights, ids) for weights in layers]
        if all(score is not None for score in scores):
            told["induction"] = [score for score in scores if score is not None]
    return {name: [[float(f"{n:.4g}") for n in numbers.tolist()] for numbers in rows] for name, rows in told.items()}
