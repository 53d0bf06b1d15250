"""The arguments of the command line, and what was meant by those that do not exist."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import __version__
from .commands import COMMANDS
from .errors import nearest

__all__ = ["parse"]


class _Parser(argparse.ArgumentParser):
    """An argument parser that knows what was meant by an option or a command it does not know."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})

    def refuse_unknown(self, words: Sequence[str]) -> None:
        """Exit with what is nearest to the first of the words that nobody understood, if there is one."""
        for word in words:
            if word.startswith("-"):
                known = [option for action in self._actions for option in action.option_strings]
                self.error(f"unknown option: {word}{nearest(word.partition('=')[0], known)}")
            self.error(f"unknown argument: {word}")


def parse(argv: list[str]) -> argparse.Namespace:
    """Return the options of one command, whose name is `command`.

    Raises `SystemExit`, as argparse does: 0 after `--help` and `--version`, 2 for what is not understood.
    """
    parser, commands = _make_parsers()
    if argv and not argv[0].startswith("-") and argv[0] not in commands:
        parser.error(f"unknown command: {argv[0]}{nearest(argv[0], commands)}")
    options, unknown = parser.parse_known_args(argv)
    chosen = commands[options.command]
    chosen.refuse_unknown(unknown)
    if getattr(options, "frozen", False) and getattr(options, "refresh", None):
        chosen.error("--refresh computes and --frozen forbids it; give one of them")
    if getattr(options, "scheduler", None) and options.jobs:
        chosen.error("--scheduler has workers of its own and -j has others; give one of them")
    return options


def _guides() -> Path:
    """Return the folder of the guides: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    return (package if (package / "content").is_dir() else package.parent) / "content"


def _make_parsers() -> tuple[_Parser, dict[str, _Parser]]:
    """Return the parser of the command line, and those of its commands by name."""
    parser = _Parser(
        prog="fanlight",
        description="Make explorable articles about language models.",
        epilog=f"How to write them: {_guides() / 'guide' / 'article.md'}\nand beside it kinds, extending, scaling.",
        formatter_class=argparse.RawDescriptionHelpFormatter,  # which leaves a path in one piece
    )
    parser.add_argument("--version", action="version", version=f"fanlight {__version__}")
    group = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    parsers: dict[str, _Parser] = {}
    for name, command in COMMANDS.items():
        about = command.ABOUT
        added = parsers[name] = group.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.")
        volume = added.add_mutually_exclusive_group()
        volume.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")
        volume.add_argument("-v", "--verbose", action="store_true", help="say every step, and show whole tracebacks")
        command.add_arguments(added)
    return parser, parsers
