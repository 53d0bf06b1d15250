"""Layers as an author writes them, `4`, `[4, 20]`, `4-9` or `all`, as integers in that order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from builder.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["choose_layers", "misread"]

_RANGE = re.compile(r"(\d+)(?:\s*[-–]\s*(\d+))?")


def misread(entries: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with entries, whichever model they are for."""
    for entry in entries:
        found = _RANGE.fullmatch(entry)
        if entry != "all" and not found:
            yield f"{entry} is not a layer, a range such as 4-9, or all"
        elif found and found[2] and int(found[2]) < int(found[1]):
            yield f"{entry} runs backwards (did you mean {found[2]}-{found[1]}?)"


def choose_layers(entries: Sequence[str], n_layers: int, model: str) -> list[int]:
    """Return the layers that are meant, each once: the middle one where none is named.

    Raises `BuildError` for a layer that the model does not have.

    >>> choose_layers(["20", "4-6"], 30, "smollm2")
    [20, 4, 5, 6]
    """
    chosen: dict[int, None] = {}
    for entry in entries:
        found = _RANGE.fullmatch(entry)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, n_layers - 1)
        if last >= n_layers:
            raise BuildError(
                f"unknown layers: {entry} (model {model} has layers 0 to {n_layers - 1}; "
                f"did you mean {n_layers - 1 if first >= n_layers or first == last else f'{first}-{n_layers - 1}'}?)"
            )
        chosen.update(dict.fromkeys(range(first, last + 1)))
    return list(chosen) or [n_layers // 2]
