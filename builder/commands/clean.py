"""`fanlight clean`: remove what builds made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..spoken import counted
from .exits import Exit
from .options import open_site

if TYPE_CHECKING:
    import argparse

    from ..terminal import Terminal

ABOUT = "remove the site that builds made"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what else goes."""
    add = parser.add_argument
    add("-o", "--output", metavar="DIR", type=Path, help="where it lies (else the setting `output`)")
    add("--all", action="store_true", help="also answers, formulas, pictures and cards of all your sites")
    add("--models", action="store_true", help="also the models that were converted, of all your sites")


def run(options: argparse.Namespace, terminal: Terminal) -> Exit:
    """Remove, and say how much."""
    from ..clean import clean

    for what, n_files in clean(open_site(options, terminal), results=options.all, models=options.models):
        terminal.say(f"removed {counted(n_files, 'file')} from {terminal.seen(what)}")
    return Exit.WELL
