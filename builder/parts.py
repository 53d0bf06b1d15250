"""`Part`: a piece of a figure that prose may name; `Spark`: that piece as a word-sized graphic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Part", "Spark", "layer_parts", "numbered_parts", "token_parts"]


@dataclass(frozen=True)
class Part:
    """What a view knows a piece of its figure by, and the number of its colour (from 1), if it has one of its own.

    `[the commas]{factor=2 of=fig-count}` paints the words in colour 2; pointed at, the view gets `show({factor: 2})`.
    """

    value: int | str
    colour: int | None = None


@dataclass(frozen=True)
class Spark:
    """A word-sized graphic: `values` from 0, the bottom, to 1, and a `label` that says the same in words."""

    values: tuple[float, ...]
    label: str
    shape: Literal["line", "bars"] = "line"
    colour: int | None = None
    mark: int | None = None
    """Which of the values stands out."""


def numbered_parts(count: int) -> dict[str, Part]:
    """Return parts `1` to `count`, each in the colour of its number: factors, clusters."""
    return {str(number): Part(number, number) for number in range(1, count + 1)}


def layer_parts(names: Iterable[str]) -> dict[str, Part]:
    """Return layers by name, each known by its row."""
    return {name: Part(row) for row, name in enumerate(names)}


def token_parts(tokens: Sequence[Mapping[str, Any]], positions: Iterable[int] | None = None) -> dict[str, Part]:
    """Return tokens by position and by text without its spaces: the first output token of that text, else the first.

    `positions` are those that the figure knows, all by default.
    """
    known = list(range(len(tokens)) if positions is None else positions)
    named: dict[str, Part] = {}
    for i in sorted(known, key=lambda i: (tokens[i]["type"] != "output", i)):
        text = str(tokens[i]["text"]).strip()
        if text and not text.isdecimal():  # a number is a position
            named.setdefault(text, Part(i))
    return {**named, **{str(i): Part(i) for i in known}}
