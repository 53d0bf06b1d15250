"""The arguments of the command line, and what was meant by those that do not exist."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import __version__
from .errors import nearest

__all__ = ["parse"]

DEVICE = r"auto|cpu|mps|(cuda|xpu|hpu|npu)(:\d+)?"


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


def _make_parsers() -> tuple[_Parser, dict[str, _Parser]]:
    parser = _Parser(prog="fanlight", description="Make explorable articles about language models.")
    parser.add_argument("--version", action="version", version=f"fanlight {__version__}")
    group = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    commands: dict[str, _Parser] = {}

    def command(name: str, text: str) -> _Parser:
        added = commands[name] = group.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        volume = added.add_mutually_exclusive_group()
        volume.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")
        volume.add_argument("-v", "--verbose", action="store_true", help="say every step, and show whole tracebacks")
        return added

    new = command("new", "make a site of your own in a new folder")
    new.add_argument("folder", metavar="DIR", type=Path, help="the folder; it is made, or must be empty")
    new.add_argument("--title", help="the site's title; otherwise the folder's name")

    brought = command("import", "make an article out of a page of Distill's template, or out of a Jekyll post")
    brought.add_argument("source", metavar="FILE", type=Path, help="the page (.html) or the post (.md)")
    where = brought.add_mutually_exclusive_group()
    where.add_argument("--into", metavar="DIR", type=Path, help="the article's folder (else content/SLUG)")
    where.add_argument("--slug", help="the article's name in addresses (else the file's)")
    brought.add_argument("--force", action="store_true", help="write over an article that is there")

    _add_build_options(command("build", "build the site that the current folder lies in"))
    _add_build_options(command("serve", "show the site in the browser and rebuild it as you write"))
    commands["serve"].add_argument(
        "-p", "--port", type=_port, help="the port on 127.0.0.1 (else 8000 or the next free)"
    )
    commands["serve"].add_argument("--open", action="store_true", help="open the site in a browser")

    status = command("status", "tell of each computed figure whether its answer is fresh, stale or missing")
    status.add_argument("--json", action="store_true", help="as JSON, for programs")
    status.add_argument(
        "--estimate", action="store_true", help="tell what the missing answers will take: tokens, memory, time"
    )
    status.add_argument(
        "-j", "--jobs", metavar="N", type=_count, default=1, help="with --estimate: how long N workers would take"
    )
    status.add_argument("-D", "--drafts", action="store_true", help="drafts too")
    status.add_argument("--frozen", action="store_true", help="ask nobody outside this machine")

    check = command("check", "say all that is wrong with the site, without running a model or writing a page")
    check.add_argument("-D", "--drafts", action="store_true", help="drafts too")
    check.add_argument("-W", "--strict-warnings", action="store_true", help="fail if there are warnings")
    check.add_argument(
        "--external", action="store_true", help="also ask other hosts whether links to them work; this never fails"
    )
    check.add_argument("--json", action="store_true", help="as JSON, for programs")
    check.add_argument("-o", "--output", metavar="DIR", type=Path, help="where the built site lies (else _site)")

    publish = command("publish", "build the site afresh, check it, and push it to the branch that a host serves")
    _add_publish_options(publish)

    clean = command("clean", "remove the site that builds made")
    clean.add_argument("-o", "--output", metavar="DIR", type=Path, help="where it lies (else _site)")
    clean.add_argument("--all", action="store_true", help="also the stored answers and formulas, of all your sites")
    clean.add_argument("--models", action="store_true", help="also the models that were fetched and converted")
    return parser, commands


def _add_build_options(parser: _Parser) -> None:
    add = parser.add_argument
    add("-o", "--output", metavar="DIR", type=Path, help="write the site there (else _site)")
    add("-D", "--drafts", action="store_true", help="build drafts too")
    add("--base-url", metavar="URL", type=_base_url, help="where the site will be published")
    add("--frozen", action="store_true", help="compute nothing: publish from stored answers, without torch")
    add(
        "--refresh", metavar="LABEL", action="append", default=[], help="compute this figure anew, or `all`; repeatable"
    )
    add("--only", metavar="SLUG", action="append", default=[], help="build only this article; repeatable")
    add("-j", "--jobs", metavar="N", type=_count, default=0, help="compute in N processes (else in this one)")
    add("--device", type=_device, default="auto", help="auto, cpu, cuda, cuda:1, mps, …")
    _add_scheduler(parser)
    add("--no-strict", action="store_true", help="publish in spite of errors that a page survives")


def _add_publish_options(parser: _Parser) -> None:
    add = parser.add_argument
    add("--remote", default="origin", help="the remote to push to (else origin)")
    add("--branch", default="gh-pages", help="the branch to push to, which holds nothing else (else gh-pages)")
    add("-m", "--message", metavar="TEXT", help="what the commit says (else which commit the site was built from)")
    add("--dry-run", action="store_true", help="push nothing, and say what would be pushed")
    add("--allow-dirty", action="store_true", help="publish what is not committed, too")
    add("--frozen", action="store_true", help="compute nothing: publish from stored answers, without torch")
    add("--base-url", metavar="URL", type=_base_url, help="where the site will be published")
    add("--domain", "--cname", metavar="HOST", help="a domain of your own, written as CNAME; one that is there stays")
    add("-j", "--jobs", metavar="N", type=_count, default=0, help="compute in N processes (else in this one)")
    add("--device", type=_device, default="auto", help="auto, cpu, cuda, cuda:1, mps, …")
    _add_scheduler(parser)
    add(
        "--workflow",
        action="store_true",
        help="publish nothing, and write the GitHub workflows that publish and compute",
    )
    add("--force", action="store_true", help="push over what others pushed; with --workflow, write over files")


def _add_scheduler(parser: _Parser) -> None:
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", type=_scheduler, help="compute on a Dask cluster: tcp://HOST:PORT"
    )


def _base_url(text: str) -> str:
    from .site import read_base_url  # 10 ms, and `--help` has no use for it

    try:
        return read_base_url(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"invalid address: {error}") from error


def _scheduler(text: str) -> str:
    if not re.fullmatch(r"(tcp|tls)://([\w.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}", text):
        raise argparse.ArgumentTypeError(f"invalid address: {text!r} is not like tcp://127.0.0.1:8786 or tls://…")
    return text


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"invalid port: {text!r} is no number from 0 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"invalid number: {text!r}")
    return int(text)


def _device(text: str) -> str:
    if not re.fullmatch(DEVICE, text):
        close = nearest(text, ["auto", "cpu", "cuda", "mps", "xpu", "hpu", "npu"])
        raise argparse.ArgumentTypeError(f"unknown device: {text!r}{close}")
    return text
