"""Tests of what the built-in kinds of figures compute: by axioms, by naive references and by known answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from builder.figure import Answer

Part = Callable[[str, str], Any]
"""What the fixture `part` is: a kind's name and a module's → the module."""

Ask = Callable[..., Answer]
"""What the fixture `ask` is: a kind's name, a model, a `RunSpec` and parameters → the answer."""


def apart(ours: list[list[float]], theirs: list[list[float]]) -> float:
    """Return the largest difference between two ragged tables of shares."""
    return max(abs(a - b) for row, other in zip(ours, theirs, strict=True) for a, b in zip(row, other, strict=True))


def alike(ours: Any, theirs: Any) -> bool:
    """Whether data are the same but for the last digit: memory and devices decide which of two exact ways is gone."""
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(alike(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, (list, tuple)):
        return len(ours) == len(theirs) and all(map(alike, ours, theirs))
    if isinstance(ours, float):
        return bool(abs(ours - theirs) <= 1e-4 * max(abs(ours), abs(theirs), 0.1))
    return bool(ours == theirs)
