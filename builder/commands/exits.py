"""`Exit`: how a command ends, as the status of its process."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Exit"]


class Exit(IntEnum):
    """Statuses that scripts can tell apart."""

    WELL = 0
    AUTHOR = 1
    """Something in the site is wrong."""
    USAGE = 2
    """The command line is."""
    OURS = 3
    """Fanlight is."""
    INTERRUPTED = 130
