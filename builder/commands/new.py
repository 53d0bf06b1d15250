"""`fanlight new`: a site of one's own in a new folder."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from .exits import Exit

if TYPE_CHECKING:
    import argparse

    from ..terminal import Terminal

ABOUT = "make a site of your own in a new folder"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder and the title."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="the folder; it is made, or must be empty")
    parser.add_argument("--title", help="the site's title; otherwise the folder's name")


def run(options: argparse.Namespace, terminal: Terminal) -> Exit:
    """Write the files of a new site, and say which."""
    from ..new import new_site
    from ..new.workflows import unreleased

    for path in new_site(options.folder, title=options.title):
        terminal.say(f"  {path}")
    if note := unreleased():
        terminal.say(f"note: {note}")
    here = options.folder.resolve() == Path.cwd()
    terminal.say(f"made a site; next: {'' if here else f'cd {quote(str(options.folder))} && '}fanlight serve")
    return Exit.WELL
