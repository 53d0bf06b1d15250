"""Tests of what the built-in kinds of figures compute: by axioms, by naive references and by known answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from builder.figure import Answer

Part = Callable[[str, str], Any]
"""What the fixture `part` is: a kind's name and a module's → the module."""

Ask = Callable[..., Answer]
"""What the fixture `ask` is: a kind's name, a model, a `RunSpec` and parameters → the answer."""
