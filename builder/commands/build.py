"""`fanlight build`: run the models, and write the site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..spoken import counted
from .exits import Exit
from .options import add_build_options, make_builder, open_site

if TYPE_CHECKING:
    import argparse

    from ..terminal import Terminal

ABOUT = "build the site that the current folder lies in"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is built, of what, and by whom."""
    add_build_options(parser)


def run(options: argparse.Namespace, terminal: Terminal) -> Exit:
    """Build, and say where the first page lies."""
    site = open_site(options, terminal)
    built = make_builder(site, options, terminal.listener(), keep_models=False).build()
    terminal.show(built.problems)
    answers = f"{counted(built.computed, 'answer')} computed, {built.cached} stored"
    page = "index.html" if "index.html" in built.pages else built.pages[0]
    where = terminal.seen(site.output / page)
    terminal.say(f"{counted(len(built.pages), 'page')}, {answers}, in {built.seconds:.2f} s: {where}")
    return Exit.WELL
