"""`fanlight serve`: the site in the browser, rebuilt as it is written."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from .exits import Exit
from .options import add_build_options, make_builder, open_site

if TYPE_CHECKING:
    from ..build import Builder
    from ..progress import Listener
    from ..site import Site
    from ..terminal import Terminal

ABOUT = "show the site in the browser and rebuild it as you write"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add those of a build, and where to show it."""
    add_build_options(parser)
    parser.add_argument("-p", "--port", type=_port, help="the port on 127.0.0.1 (else 8000 or the next free)")
    parser.add_argument("--open", action="store_true", help="open the site in a browser")


def run(options: argparse.Namespace, terminal: Terminal) -> Exit:
    """Serve until somebody interrupts."""
    from ..preview.server import serve

    def builder(site: Site, listener: Listener) -> Builder:
        made = make_builder(site, options, listener, keep_models=True)
        options.refresh = []  # once, and not again whenever the settings change
        return made

    served = serve(
        lambda: open_site(options, terminal),
        builder,
        terminal,
        port=options.port,
        open_browser=options.open,
    )
    if served.is_building:  # its thread cannot be stopped, only left behind; all it writes, it writes atomically
        import multiprocessing

        terminal.rest()
        for process in multiprocessing.active_children():  # those of -j, which would wait for work for ever
            process.terminate()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(Exit.INTERRUPTED)
    return Exit.INTERRUPTED


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"invalid port: {text!r} is no number from 0 to 65535")
    return int(text)
