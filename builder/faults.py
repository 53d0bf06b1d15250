"""`noting`: what a kind can make nothing of, though it was stored as an answer, becomes a problem of the figure."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jinja2 import TemplateNotFound, TemplateSyntaxError

from .errors import BuildError, Problem
from .figure import FigureSpec

__all__ = ["noting"]

_OTHERS = (BuildError, MemoryError, OSError, TemplateNotFound, TemplateSyntaxError)
"""What no answer is to blame for."""


@contextmanager
def noting(problems: list[Problem], figure: FigureSpec, *, is_stored: bool) -> Iterator[None]:
    """Turn what a figure's kind raises within into a problem of the figure; what is within ends there.

    An answer that others share, or that a clone holds, says of itself what it answers and may have any form. Of one
    that this build computed everything is raised as it is: then the kind is at fault.
    """
    try:
        yield
    except _OTHERS:
        raise
    except Exception as error:
        if not is_stored:
            raise
        if any((problem.path, problem.line) == (figure.path, figure.line) for problem in problems):
            return  # what is broken breaks at every word about it
        kind, label = str(figure.kind.value) if figure.kind else "its kind", figure.anchor
        message = (
            f"broken result: {label} is stored in a form that {kind} cannot show ({_place(error, kind)}); "
            f"compute it anew with `fanlight build --refresh {label}`"
        )
        problems.append(Problem(message, figure.path, figure.line))


def _place(error: Exception, kind: str) -> str:
    """Say what was raised, and where in the kind: should that be at fault after all, its author looks there."""
    frames = traceback.extract_tb(error.__traceback__)  # templates have some, too
    last = ([frame for frame in frames if Path(frame.filename).parent.name == kind] or list(frames))[-1]
    return f"{type(error).__name__}: {error}, {Path(last.filename).name}:{last.lineno}"
