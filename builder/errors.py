"""What an author is told: a `Problem` has a place in a file, a `BuildError` carries one or more of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

__all__ = ["BuildError", "Problem", "nearest", "relative_to"]


@dataclass(frozen=True)
class Problem:
    """One thing to mend, and where: `content/x/article.md:41:7: unknown citation: olson2022`.

    The message begins with one of *missing, invalid, unknown, duplicate, unsupported, broken*, names the
    value, and ends with the nearest right one where there is one (see `nearest`). Lines and columns count
    from 1. A warning does not fail a build.
    """

    message: str
    path: Path | None = None
    line: int | None = None
    column: int | None = None
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = "".join(f"{part}:" for part in (self.path, self.line, self.column) if part is not None)
        mark = "warning: " if self.severity == "warning" else ""
        return f"{place} {mark}{self.message}" if place else f"{mark}{self.message}"


class BuildError(Exception):
    """Something the author, not we, can mend. `problems` holds at least one; only the command line prints them."""

    def __init__(
        self,
        message: str | None = None,
        path: Path | None = None,
        line: int | None = None,
        column: int | None = None,
        *,
        problems: Iterable[Problem] = (),
    ) -> None:
        own = (Problem(message, path, line, column),) if message is not None else ()
        self.problems: tuple[Problem, ...] = own + tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[object, ...]:
        """Errors cross process boundaries when batches run in a pool."""
        return _restore, (self.problems,)


def _restore(problems: tuple[Problem, ...]) -> BuildError:
    return BuildError(problems=problems)


def nearest(value: str, choices: Iterable[str]) -> str:
    """Return ` (did you mean X?)` for the choice nearest to `value`, or the empty string.

    >>> nearest("olson2022", ["olsson2022", "vig2019"])
    ' (did you mean olsson2022?)'
    """
    known = sorted(set(choices))
    folded = {choice.casefold(): choice for choice in known}
    found = difflib.get_close_matches(value.casefold(), folded, n=1, cutoff=0.6)
    return f" (did you mean {folded[found[0]]}?)" if found else ""


def relative_to(problem: Problem, root: Path) -> Problem:
    """Return the problem with its path as seen from `root`, where it lies below it."""
    if problem.path is None or not problem.path.is_relative_to(root):
        return problem
    return replace(problem, path=problem.path.relative_to(root))
