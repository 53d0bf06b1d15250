"""`Finding`: what `fanlight check` says of a place: a problem, or a note; and columns for both."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

from .errors import Problem

__all__ = ["Finding", "as_finding", "with_columns"]


@dataclass(frozen=True)
class Finding:
    """A problem, as `Problem` is one, or a note: what may well be meant so, and never fails anything."""

    message: str
    path: Path | None = None
    line: int | None = None
    column: int | None = None
    severity: Literal["error", "warning", "note"] = "warning"

    def as_problem(self) -> Problem:
        """Return it as a problem, a note as a warning."""
        severity: Literal["error", "warning"] = "error" if self.severity == "error" else "warning"
        return Problem(self.message, self.path, self.line, self.column, severity)


Told = TypeVar("Told", bound=Problem | Finding)


def as_finding(problem: Problem, severity: Literal["error", "warning", "note"] | None = None) -> Finding:
    """Return a problem as a finding, of another severity if one is given."""
    return Finding(problem.message, problem.path, problem.line, problem.column, severity or problem.severity)


def with_columns(problems: Iterable[Told]) -> list[Told]:
    """Return problems with a column where they have a line and none: that of the word in the line that is meant.

    It is the value that the message names (`unknown model: tny`), else the name of what is wrong (`invalid prompt: …`),
    else the first character of the line. A line that cannot be read has no column.
    """
    files: dict[Path, list[str]] = {}
    found = []
    for problem in problems:
        if problem.path is None or problem.line is None or problem.column is not None:
            found.append(problem)
            continue
        if problem.path not in files:
            files[problem.path] = _read(problem.path)
        lines = files[problem.path]
        text = lines[problem.line - 1] if 0 < problem.line <= len(lines) else ""
        found.append(replace(problem, column=_column(problem.message, text)) if text.strip() else problem)
    return found


def _column(message: str, text: str) -> int:
    head, _, rest = message.partition(": ")
    value = re.split(r" \(did you mean |\n", rest)[0]
    subject = head.partition(" ")[2]
    last = value.rpartition(" ")[2].lstrip("@#")
    for word in (value, value.split(" (")[0], value.split(" ")[0], value.rpartition(".")[2], last, subject):
        at = _find(word.rstrip(",;"), text)
        if at is not None:
            return at + 1
    return len(text) - len(text.lstrip()) + 1


def _find(word: str, text: str) -> int | None:
    """Return where a word stands in a line, as a whole; options are written with `-` or `_`."""
    if not word:
        return None
    pattern = re.escape(word).replace("_", "[-_]")
    found = re.search(rf"(?<![\w-]){pattern}(?![\w-])", text)
    return None if found is None else found.start()


def _read(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
