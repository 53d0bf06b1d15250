"""The contrast: the token that stands against each output token, why this and not that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.model.answers import one_token

if TYPE_CHECKING:
    from builder.model import Run

__all__ = ["foil"]


def foil(run: Run, contrast: str | None) -> int | None:
    """Return the id of the contrast, encoded as what could follow the prompt.

    Raises `BuildError` where it is several tokens; it says which, and which one token is nearest.
    """
    return None if contrast is None else one_token(run, contrast, "contrast")
