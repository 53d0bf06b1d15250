"""`fanlight status`: which answers there are, and what those that are missing will take."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

from .exits import Exit
from .options import count, open_site

if TYPE_CHECKING:
    import argparse

    from ..site import Site
    from ..terminal import Terminal

ABOUT = "say for each computed figure whether its answer is fresh, stale or missing"
COLOURS = {"fresh": "green", "stale": "yellow", "missing": "red"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is told, and how."""
    add = parser.add_argument
    add("--json", action="store_true", help="as JSON, for programs")
    add("--estimate", action="store_true", help="say what the missing answers will take: tokens, memory, time")
    add("-j", "--jobs", metavar="N", type=count, help="with --estimate: how long N workers would take")
    add("-D", "--drafts", action="store_true", help="drafts too")
    add("--frozen", action="store_true", help="ask nobody outside this machine")


def run(options: argparse.Namespace, terminal: Terminal) -> Exit:
    """Answer with a table, or as JSON."""
    site = open_site(options, terminal)
    (_estimate if options.estimate else _survey)(site, options, terminal)
    return Exit.WELL


def _survey(site: Site, options: argparse.Namespace, terminal: Terminal) -> None:
    from ..build import survey
    from ..terminal import table

    found = survey(site, frozen=options.frozen)
    figures = found.figures
    terminal.show(found.problems)
    if options.json:
        rows = [{**dataclasses.asdict(figure), "path": terminal.seen(figure.path)} for figure in figures]
        terminal.answer(json.dumps(rows, indent=2))
        return
    if not figures:
        terminal.say("no computed figures")
        return
    head = ("figure", "kind", "state", "why", "where")
    cells = [(f"{f.article}#{f.label}", f.kind, f.state, f.why, f"{terminal.seen(f.path)}:{f.line}") for f in figures]
    lines = table(cells, head)
    terminal.answer(terminal.paint(lines[0], "dim"))
    for figure, line in zip(figures, lines[1:], strict=True):
        state = terminal.paint(figure.state, COLOURS[figure.state])
        at = line.index(f"  {figure.state}", len(f"{figure.article}#{figure.label}")) + 2
        terminal.answer(line[:at] + state + line[at + len(figure.state) :])


def _estimate(site: Site, options: argparse.Namespace, terminal: Terminal) -> None:
    from ..estimate import estimate
    from ..terminal import table

    expected = estimate(site, frozen=options.frozen, workers=options.jobs)
    terminal.show(expected.problems)
    if options.json:
        told = {name: value for name, value in dataclasses.asdict(expected).items() if name != "problems"}
        terminal.answer(json.dumps(told, indent=2))
        return
    from ..estimate.table import HEAD, remarks, rows

    if not expected.models:
        terminal.say("nothing to compute: all figures are answered" if expected.figures else "no computed figures")
        return
    head, *lines = table(rows(expected), HEAD)
    terminal.answer(terminal.paint(head, "dim"))
    for line in lines:
        terminal.answer(line)
    terminal.say("")
    for number, line in enumerate(remarks(expected)):
        terminal.say(line, "" if number == 0 else "dim")
