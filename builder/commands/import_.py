"""`fanlight import`: an article out of a page of Distill's template, or out of a Jekyll post."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..spoken import counted
from .exits import Exit
from .options import open_site

if TYPE_CHECKING:
    import argparse

    from ..terminal import Terminal

ABOUT = "make an article out of a page of Distill's template, or out of a Jekyll post"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is read, and where to."""
    parser.add_argument("source", metavar="FILE", type=Path, help="the page (.html) or the post (.md)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--into", metavar="DIR", type=Path, help="the article's folder (else content/SLUG)")
    where.add_argument("--slug", help="the article's name in addresses (else the file's)")
    parser.add_argument("--force", action="store_true", help="write over an article that is there")


def run(options: argparse.Namespace, terminal: Terminal) -> Exit:
    """Write the article's files, and say what is left to look at."""
    from ..importing import import_article

    site = open_site(options, terminal)
    done = import_article(options.source, site, into=options.into, slug=options.slug, force=options.force)
    terminal.show(done.problems, count=False)
    told = f", {counted(len(done.problems), 'thing')} to look at" if done.problems else ""
    terminal.say(f"{counted(len(done.files), 'file')} in {terminal.seen(done.folder)}{told}")
    return Exit.WELL
