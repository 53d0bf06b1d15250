"""Tiny models for tests: real classes of transformers with few, redrawn weights, saved as real checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from builder.site import ModelSource

if TYPE_CHECKING:
    from builder.model import Model

Source = Callable[[str], ModelSource]
"""What the fixture `tiny_source` is: a model's name → where it lies."""

Load = Callable[[str], "Model"]
"""What the fixture `tiny` is: a model's name → the model."""

Copy = Callable[[str], Path]
"""What the fixture `copy` is: a model's name → a folder with its checkpoint, to break."""
