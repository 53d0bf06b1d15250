"""The summaries of all heads of a part, as a page shows them: four digits, and only those that mean something there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.rounding import significant

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["MEASURES", "Summaries"]

MEASURES = ("entropy", "distance", "first", "previous", "induction")


class Summaries:
    """Each measure of each layer, the layers one after another.

    `ids` [T] are the tokens of self-attention. Without them, as between two texts, only entropy and the share on the
    first token are told, as they are of a text of one token; induction only where a token comes again.
    """

    def __init__(self, ids: Tensor | None) -> None:
        self._ids = ids
        self._told: dict[str, list[list[float]]] = {}

    def add(self, weights: Tensor) -> None:
        """Take the weights [H, Q, K] of a layer in."""
        from builder.model import heads

        ids = self._ids
        single = ids is not None and len(ids) < 2
        told = {"entropy": heads.entropy(weights)}
        if ids is not None and not single:
            told["distance"] = heads.distance(weights)
        if not single:
            told["first"] = heads.first_token(weights, own=ids is not None)
        if ids is not None and not single:
            told["previous"] = heads.previous_token(weights)
            score = heads.induction(weights, ids)
            if score is not None:
                told["induction"] = score
        for name, numbers in told.items():
            self._told.setdefault(name, []).append([significant(n) for n in numbers.tolist()])

    def told(self) -> dict[str, list[list[float]]]:
        """Return the measures by name: a row a layer, in it a number a head."""
        return self._told
