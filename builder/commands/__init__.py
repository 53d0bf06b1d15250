"""The commands, a file each: which options it has, what it does, and what it says of that.

Everything a command needs is imported when it runs: `fanlight --help` answers at once, and a build that finds all its
answers stored never loads torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from . import build, check, clean, import_, new, publish, serve, status

if TYPE_CHECKING:
    import argparse

    from ..terminal import Terminal
    from .exits import Exit

__all__ = ["COMMANDS", "Command"]


class Command(Protocol):
    """A module of this folder."""

    ABOUT: str
    """What it does, as a line of `fanlight --help`."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what may follow the command's name."""

    def run(self, options: argparse.Namespace, terminal: Terminal) -> Exit:
        """Do it, and return how it ended. Raises `BuildError` for what an author can mend."""


COMMANDS: dict[str, Command] = {
    "new": new,
    "import": import_,
    "build": build,
    "serve": serve,
    "status": status,
    "check": check,
    "publish": publish,
    "clean": clean,
}
