"""Layers or heads as an author writes them, `4`, `[4, 20]`, `4-9` or `all`, as integers in that order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["choose", "misread", "window"]

_RANGE = re.compile(r"(\d{1,6})(?:\s*[-–]\s*(\d{1,6}))?")


def misread(entries: Sequence[str], noun: str = "layer") -> Iterator[str]:
    """Yield what is wrong with entries, whichever model they are for."""
    for entry in entries:
        found = _RANGE.fullmatch(entry)
        if entry != "all" and not found:
            yield f"{entry} is not a {noun}, a range such as 4-9, or all"
        elif found and found[2] and int(found[2]) < int(found[1]):
            yield f"{entry} runs backwards (did you mean {found[2]}-{found[1]}?)"


def choose(entries: Sequence[str], count: int, model: str, noun: str = "layer") -> list[int]:
    """Return the layers (or heads) that are meant, each once and in the order they are named, of 0 to `count` − 1.

    Raises `BuildError` for one that the model does not have.

    >>> choose(["20", "4-6"], 30, "smollm2")
    [20, 4, 5, 6]
    """
    chosen: dict[int, None] = {}
    last_one = count - 1
    for entry in entries:
        found = _RANGE.fullmatch(entry)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, last_one)
        if last > last_one:
            near = last_one if first > last_one or first == last else f"{first}-{last_one}"
            there = f"{noun}s 0 to {last_one}" if last_one else f"{noun} 0 alone"
            raise BuildError(f"unknown {noun}s: {entry} (model {model} has {there}; did you mean {near}?)")
        chosen.update(dict.fromkeys(range(first, last + 1)))
    return list(chosen)


def window(layer: int, size: int, n_layers: int) -> list[int]:
    """Return the layers of a window, as many before the one in its middle as after it, as far as there are any.

    Where the size is even, one more before it: as in ROME (Meng et al. 2022, https://arxiv.org/abs/2202.05262).

    >>> window(5, 3, 12), window(5, 2, 12), window(11, 4, 12)
    ([4, 5, 6], [4, 5], [9, 10, 11])
    """
    return list(range(max(0, layer - size // 2), min(n_layers, layer + (size + 1) // 2)))
