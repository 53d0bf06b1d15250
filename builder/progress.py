"""`Listener`: who is told how a build gets on. The terminal's listeners live in `terminal.py`."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Listener", "Silent"]


class Listener(Protocol):
    """Told of a build's progress, always from the thread that builds."""

    def started(self, n_jobs: int) -> None:
        """`n_jobs` results have to be computed."""

    def running(self, text: str, where: str = "") -> None:
        """What is being done now, in a few words; `where` names the worker, if there are several.

        No words: that worker does nothing any more.
        """

    def finished(self, text: str, where: str = "") -> None:
        """One of the jobs is done."""

    def left(self, seconds: float) -> None:
        """About how long the rest will take, by what past runs took."""

    def message(self, text: str) -> None:
        """Something worth a line, now."""


class Silent:
    """A listener that does nothing."""

    def started(self, n_jobs: int) -> None:
        """Do nothing."""

    def running(self, text: str, where: str = "") -> None:
        """Do nothing."""

    def finished(self, text: str, where: str = "") -> None:
        """Do nothing."""

    def left(self, seconds: float) -> None:
        """Do nothing."""

    def message(self, text: str) -> None:
        """Do nothing."""
