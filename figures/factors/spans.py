"""Layers as an author writes them: `all`, one, or a range; numbers, and never sorted as texts."""

from __future__ import annotations

import re

from builder.errors import BuildError

__all__ = ["form", "read_span"]

_SPAN = re.compile(r"(\d+)(?:\s*[-–]\s*(\d+))?")


def form(text: str) -> str | None:
    """Return what is wrong with a span before any model is known, or None."""
    if text == "all":
        return None
    found = _SPAN.fullmatch(text)
    if not found:
        return f"{text} is neither all nor a layer nor a range such as 4-9"
    first, last = found[1], found[2] or found[1]
    if int(first) > int(last):
        return f"{text} runs backwards (did you mean {last}-{first}?)"
    return None


def read_span(text: str, n_layers: int) -> list[int]:
    """Return the layers of a span. Raises `BuildError` for one that the model does not have."""
    if text == "all":
        return list(range(n_layers))
    found = _SPAN.fullmatch(text)
    assert found
    first, last = int(found[1]), int(found[2] or found[1])
    if last >= n_layers:
        right = f"{first}-{n_layers - 1}" if first < n_layers - 1 else f"{n_layers - 1}"
        raise BuildError(f"unknown layers: {text}; the model's are 0 to {n_layers - 1} (did you mean {right}?)")
    return list(range(first, last + 1))
