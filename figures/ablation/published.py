"""Effects as the figure publishes them: numbers of a few digits, tables of lists, tokens by their number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.model.tokens import Vocabulary
from builder.rounding import significant

from .neurons import without_neurons

if TYPE_CHECKING:
    from .neurons import Factors
    from .text import Effects, Text

__all__ = ["Told", "picked", "short", "told_factors", "turned"]


def turned(rows: list[dict[str, list[Any]]]) -> dict[str, list[list[Any]]]:
    """Return tables of lists for a list of tables."""
    return {name: [row[name] for row in rows] for name in rows[0]}


def picked(rows: list[dict[str, list[Any]]], at: int, modules: tuple[Any, ...]) -> dict[str, list[Any]]:
    """Return one of each row's effects; None where the layer has no such module."""
    return {
        name: [row[name][at] if module is not None else None for row, module in zip(rows, modules, strict=True)]
        for name in rows[0]
    }


def short(value: float, digits: int = 5) -> float:
    """Return a number of so many digits, and nothing for what is lost in the rounding of float32."""
    return significant(value, digits) if abs(value) > 1e-5 or digits < 5 else 0.0


class Told(Vocabulary):
    """Effects as they are published, and the tokens that are named in them."""

    def told(self, clean: Effects, effects: Effects, which: slice = slice(None)) -> dict[str, list[Any]]:
        """Return effects as they are published."""
        lost = clean.values - effects.values[which]
        return {
            "lost": [short(v) for v in lost.tolist()],
            "probabilities": [short(p, 4) for p in effects.probabilities[which].tolist()],
            "says": [self[int(v)] for v in effects.first[which].tolist()],
        }


def told_factors(text: Text, factors: Factors, vocabulary: Told) -> dict[str, Any]:
    """Return what is lost without each factor's neurons, and without as many others, and what the factors are."""
    clean = text.clean
    without = vocabulary.told(clean, without_neurons(text, factors.members, factors.widths))
    others = vocabulary.told(clean, without_neurons(text, factors.drawn, factors.widths))
    return {
        **without,
        "drawn": others["lost"],
        "neurons": factors.members.sum(1).tolist(),
        "weights": [[short(w, 3) for w in row] for row in factors.weights.tolist()],
    }
