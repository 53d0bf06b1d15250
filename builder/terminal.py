"""`Terminal`: how the command line says problems, tables and progress: with colours and bars, or as plain lines."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from .errors import Problem
from .finding import Finding, with_columns
from .progress import Listener, Silent

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["Plain", "Rich", "Terminal", "table", "visible"]

COUNTED = {"error": "red", "warning": "yellow", "note": "dim"}
COLOURS = {"red": "31", "yellow": "33", "green": "32", "bold": "1", "dim": "2"}

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Terminal:
    """The two streams of a command. `quiet` leaves errors only; `verbose` adds tracebacks and every step."""

    def __init__(
        self,
        root: Path | None = None,
        *,
        quiet: bool = False,
        verbose: bool = False,
        out: TextIO | None = None,
        err: TextIO | None = None,
    ) -> None:
        self.root = root
        self.quiet = quiet
        self.verbose = verbose
        self.out = out or sys.stdout
        self.err = err or sys.stderr
        self._rich: Rich | None = None

    def say(self, text: str, colour: str = "") -> None:
        """Write a line for the user, unless quiet."""
        if not self.quiet:
            self._write(self.out, self.paint(visible(text), colour) if colour else visible(text))

    def answer(self, text: str) -> None:
        """Write what was asked for (a table, JSON), quiet or not."""
        self._write(self.out, text)

    def complain(self, text: str) -> None:
        """Write a line to the error stream, quiet or not."""
        self._write(self.err, visible(text))

    def show(self, problems: Iterable[Problem | Finding], *, count: bool = True) -> None:
        """Write problems, one a line, by file and line, and how many there are; quiet leaves warnings out."""
        told = [problem for problem in problems if problem.severity == "error" or not self.quiet]
        shown = sorted(set(with_columns(told)), key=_place)
        for problem in shown:
            self._write(self.err, self._line(problem))
        if count and shown:
            n = Counter(str(problem.severity) for problem in shown)
            parts = [f"{n[kind]} {kind}{'s' if n[kind] > 1 else ''}" for kind in COUNTED if n[kind]]
            worst = next(kind for kind in COUNTED if n[kind])
            self._write(self.err, self.paint(", ".join(parts), COUNTED[worst], self.err))

    def listener(self) -> Listener:
        """Return who is told of a build's progress: a bar on a terminal, lines elsewhere, nobody if quiet."""
        if self.quiet:
            return Silent()
        if _is_terminal(self.err) and not self.verbose:
            self._rich = Rich(self.err)
            return self._rich
        return Plain(self.err)

    def rest(self) -> None:
        """Take the progress bar away, and give the cursor back."""
        if self._rich is not None:
            self._rich.stop()

    def seen(self, path: Path) -> str:
        """Return a path as a user in the current folder would write it, so that editors can open it."""
        here = Path.cwd()
        if path.is_relative_to(here):
            return str(path.relative_to(here))
        if self.root is not None and path.is_relative_to(self.root):
            return os.path.relpath(path, here)
        return str(path)

    def paint(self, text: str, colour: str, stream: TextIO | None = None) -> str:
        """Return text in a colour, where the stream shows colours."""
        if not _has_colours(stream or self.out):
            return text
        return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m"

    def _line(self, problem: Problem | Finding) -> str:
        place = self.seen(problem.path) if problem.path is not None else ""
        place = "".join(f"{part}:" for part in (place, problem.line, problem.column) if part or part == 0)
        word, _, rest = visible(problem.message).replace("\n", "\n    ").partition(" ")
        if problem.severity != "error":
            word = f"{problem.severity}: {word}"
        text = f"{self.paint(word, COUNTED[problem.severity], self.err)} {rest}".rstrip()
        return f"{self.paint(visible(place), 'bold', self.err)} {text}" if place else text

    def _write(self, stream: TextIO, text: str) -> None:
        self.rest()  # a bar would run over what is printed next
        try:
            stream.write(f"{text}\n")
        except UnicodeEncodeError:  # a terminal that is not UTF-8 shows what it cannot print as \u escapes
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()


class Plain:
    """A line for every job: logs, editors, CI."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._total = self._done = 0

    def started(self, n_jobs: int) -> None:
        """Begin to count."""
        self._total, self._done = n_jobs, 0

    def running(self, text: str, where: str = "") -> None:
        """Write what is being done."""
        if text:
            self.message(f"{text}{_at(where)} …")

    def finished(self, text: str, where: str = "") -> None:
        """Write what is done, and how much of all."""
        self._done += 1
        self.message(f"[{self._done}/{self._total}] {text}{_at(where)}")

    def left(self, seconds: float) -> None:
        """Leave it: a line for every job says how it goes on."""

    def message(self, text: str) -> None:
        """Write a line."""
        self._stream.write(visible(text) + "\n")
        self._stream.flush()


class Rich:
    """A bar with what is running; it is there only while something is computed, and rich imported only then."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._left = 0
        self._running: dict[str, str] = {}

    def started(self, n_jobs: int) -> None:
        """Show the bar."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self.stop()
        self._left = n_jobs
        self._running = {}
        self._bar = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}", markup=False),
            TextColumn("{task.description}", markup=False),  # prompts and labels are not markup
            console=Console(file=self._stream),
            transient=True,
        )
        self._task = self._bar.add_task("starting", total=n_jobs, left="")
        self._bar.start()

    def running(self, text: str, where: str = "") -> None:
        """Say what is being done beside the bar, by each worker."""
        self._running[where] = text
        if not text:
            del self._running[where]
        self._update()

    def finished(self, text: str, where: str = "") -> None:
        """Move the bar; it goes away when all is done."""
        self._left -= 1
        if where:
            self._running.pop(where, None)
        else:
            self._running[where] = text
        self._update(advance=1)
        if self._left <= 0:
            self.stop()

    def left(self, seconds: float) -> None:
        """Say about how long it will take."""
        from .estimate.table import duration

        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, left=f"about {duration(seconds)} left")

    def _update(self, advance: int = 0) -> None:
        if self._bar is not None and self._task is not None:
            parts = [f"{text}{_at(where)}" for where, text in sorted(self._running.items())]
            self._bar.update(self._task, advance=advance, description=visible("; ".join(parts)))

    def message(self, text: str) -> None:
        """Write a line, above the bar if it is there."""
        if self._bar is not None:
            self._bar.console.print(visible(text), markup=False, highlight=False)
        else:
            self._stream.write(visible(text) + "\n")

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
        self._bar = self._task = None


def table(rows: Sequence[Sequence[str]], head: Sequence[str]) -> list[str]:
    """Return the lines of a table with columns as wide as they need to be, the last one as it is."""
    cells = [[visible(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def visible(text: str) -> str:
    """Return text with control characters spelt out: what an article says must not steer the terminal."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _at(where: str) -> str:
    return f" ({where})" if where else ""


def _place(problem: Problem | Finding) -> tuple[str, int, int, str]:
    return str(problem.path or ""), problem.line or 0, problem.column or 0, problem.message


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _has_colours(stream: TextIO) -> bool:
    """Follow https://no-color.org and https://force-color.org."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or _is_terminal(stream)
