"""Tiny models for tests: real classes of transformers with few, redrawn weights, saved as real checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from builder.site import ModelSource

if TYPE_CHECKING:
    from builder.model import Model

Source = Callable[[str], ModelSource]
"""What the fixture `tiny_source` is: a model's name → where it lies."""

Load = Callable[[str], "Model"]
"""What the fixture `tiny` is: a model's name → the model."""
