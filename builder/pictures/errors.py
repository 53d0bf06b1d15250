"""`PictureError`: why a file is no picture that a page can show."""

from __future__ import annotations

__all__ = ["PictureError"]


class PictureError(ValueError):
    """Its text is the message of a problem; `line` is of the file, where that has lines."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line
