"""Watched strings → tokens: each must be one token of the model, and an author is told which ones are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.errors import BuildError, Problem
from builder.model.answers import encoded
from builder.spoken import counted, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.model import Run

__all__ = ["single_tokens"]


def single_tokens(run: Run, watch: Sequence[str]) -> list[int]:
    """Return the token of each string, encoded as what could follow the prompt.

    Raises `BuildError` with a problem for every string that is several tokens, none, or one that is watched already.
    """
    found: list[int] = []
    problems: list[Problem] = []
    for text in watch:
        ids = encoded(run, text)
        if len(ids) != 1:
            problems.append(Problem(_several(run, text, ids)))
        elif not _is(run, ids[0], text):
            problems.append(Problem(f"unknown watch: {text!r} is no token of model {run.model.name}"))
        elif ids[0] in found:
            problems.append(Problem(f"duplicate watch: {text!r} is the same token as {watch[found.index(ids[0])]!r}"))
        found.append(ids[0] if len(ids) == 1 else -1)
    if problems:
        raise BuildError(problems=problems)
    return found


def _is(run: Run, token: int, text: str) -> bool:
    """Whether the token stands for the text, and is not what a tokenizer says for anything that it does not know."""
    return run.model.pieces[token].strip() == text.encode().strip()


def _several(run: Run, text: str, ids: list[int]) -> str:
    name = run.model.name
    if not ids:
        return f"unknown watch: {text!r} is no token of model {name}"
    pieces = [run.model.token_text(piece) for piece in ids]
    bare = text.strip()
    near = [text[1:] if text.startswith(" ") else f" {text}", f" {bare}", bare, f" {bare.capitalize()}", pieces[0]]
    offered = [other for other in dict.fromkeys(near) if other not in {text, ""} and _is_one(run, other)]
    hint = f" (did you mean {' or '.join(repr(other) for other in offered[:3])}?)" if offered else ""
    parts = listed([repr(piece) for piece in pieces])
    return f"invalid watch: {text!r} is {counted(len(ids), 'token')} of model {name}: {parts}{hint}"


def _is_one(run: Run, text: str) -> bool:
    ids = encoded(run, text)
    return len(ids) == 1 and run.model.pieces[ids[0]] == text.encode()
