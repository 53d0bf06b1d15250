"""`fanlight check`: all that is wrong with a site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..spoken import counted
from .exits import Exit
from .options import open_site

if TYPE_CHECKING:
    import argparse

    from ..terminal import Terminal

ABOUT = "report all that is wrong with the site, without running a model or writing a page"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is looked at, and what fails."""
    add = parser.add_argument
    add("-D", "--drafts", action="store_true", help="drafts too")
    add("-W", "--strict-warnings", action="store_true", help="fail if there are warnings")
    add("--external", action="store_true", help="also ask other hosts whether links to them work; this never fails")
    add("--json", action="store_true", help="as JSON, for programs")
    add("-o", "--output", metavar="DIR", type=Path, help="where the built site lies (else the setting `output`)")


def run(options: argparse.Namespace, terminal: Terminal) -> Exit:
    """Say what was found; an error is the author's."""
    from ..check import check

    checked = check(open_site(options, terminal), external=options.external)
    findings = [*checked.findings, *checked.outside]
    failed = checked.count("error") or (options.strict_warnings and checked.count("warning"))
    if options.json:
        import dataclasses
        import json

        rows = [{**dataclasses.asdict(row), "path": row.path and terminal.seen(row.path)} for row in findings]
        terminal.answer(json.dumps(rows, indent=2))
    else:
        terminal.show(findings)
        asked = f", {counted(checked.n_links, 'link')} to other hosts" if options.external else ""
        terminal.say(f"checked {counted(checked.n_articles, 'article')}{asked}")
    return Exit.AUTHOR if failed else Exit.WELL
