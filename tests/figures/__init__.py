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
