"""`is_inside`: whether what lies in a folder that others write into lies there, and leads nowhere else.

A clone's answers and those of a shared folder come from others, who may have put a link there: to a key of whoever
reads it, to a folder that is not theirs to write into, or to a pipe, which is waited for without end.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["is_inside", "leads_out"]


def is_inside(file: Path, folder: Path) -> bool:
    """Whether a regular file lies in `folder` once links are followed. Raises `OSError` where that cannot be known."""
    return file.is_file() and not leads_out(file, folder)


def leads_out(path: Path, folder: Path) -> bool:
    """Whether a path, of which nothing need be there yet, leaves `folder` once links are followed."""
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))  # `resolve` raises for a loop
