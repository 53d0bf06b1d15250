"""How the command line says things: colours, control characters, progress, tables."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from builder.errors import Problem
from builder.terminal import Plain, Rich, Terminal, table, visible


class Tty(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_a_terminal_gets_colours_and_a_file_does_not(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR switches them off."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    problem = Problem("unknown citation: x", site / "a.md", 4)

    def shown(stream: io.StringIO) -> str:
        Terminal(site, err=stream).show([problem], count=False)
        return stream.getvalue()

    assert shown(Tty()) == "\x1b[1ma.md:4:\x1b[0m \x1b[31munknown\x1b[0m citation: x\n"
    assert shown(io.StringIO()) == "a.md:4: unknown citation: x\n"
    monkeypatch.setenv("NO_COLOR", "1")
    assert shown(Tty()) == "a.md:4: unknown citation: x\n"


def test_an_article_does_not_steer_the_terminal(site: Path) -> None:
    """Control characters in messages, file names and prompts are spelt out."""
    stream = io.StringIO()
    terminal = Terminal(site, err=stream)
    terminal.show([Problem("unknown citation: \x1b]0;owned\x07\u202e", site / "\x1b[2J.md", 1)], count=False)
    assert stream.getvalue() == "\\x1b[2J.md:1: unknown citation: \\x1b]0;owned\\x07\\u202e\n"
    assert visible("é 言語\n\tok") == "é 言語\n\tok"


def test_a_problem_of_several_lines_is_one_problem(site: Path) -> None:
    """Its other lines are set in, so that none can pass for a problem of its own."""
    stream = io.StringIO()
    Terminal(site, err=stream).show([Problem("invalid YAML: found\na.md:1: nothing", site / "a.md", 4)], count=False)
    assert stream.getvalue() == "a.md:4: invalid YAML: found\n    a.md:1: nothing\n"


def test_what_a_terminal_cannot_print_does_not_stop_it() -> None:
    """An ASCII log shows escapes instead."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    Terminal(out=stream).say("é ok")
    stream.seek(0)
    assert stream.read() == "\\xe9 ok\n"


def test_progress_is_lines_where_there_is_no_terminal_and_nothing_if_quiet() -> None:
    """A line a job, with how much of all is done."""
    stream = io.StringIO()
    listener = Terminal(err=stream).listener()
    assert isinstance(listener, Plain)
    listener.started(2)
    listener.running("saliency for eu")
    listener.finished("saliency for eu")
    assert stream.getvalue() == "saliency for eu …\n[1/2] saliency for eu\n"
    quiet = Terminal(quiet=True, err=stream).listener()
    quiet.started(1)
    quiet.message("x")
    assert stream.getvalue().count("\n") == 2


def test_progress_is_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """It shows markup as text, and is gone before anything else is written."""
    monkeypatch.setenv("TERM", "xterm")
    stream = Tty()
    terminal = Terminal(out=stream, err=stream)
    listener = terminal.listener()
    assert isinstance(listener, Rich)
    listener.message("before")
    listener.started(2)
    listener.running("saliency for [red]eu[/red]")
    listener.finished("saliency for [red]eu[/red]")
    terminal.complain("broken")
    assert "[red]eu[/red]" in stream.getvalue()
    assert stream.getvalue().endswith("broken\n")
    listener.running("nothing is shown after an error")
    assert stream.getvalue().endswith("broken\n")


def test_a_table_is_as_wide_as_it_needs_to_be() -> None:
    """Columns line up."""
    assert table([("a", "bbb"), ("cc", "d")], ("x", "y")) == ["x   y", "a   bbb", "cc  d"]
