"""Positions at which two tokenizers have read equally far into one text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.errors import BuildError

if TYPE_CHECKING:
    from builder.model import Run

__all__ = ["aligned"]


def aligned(run: Run, other: Run) -> tuple[list[int], list[int]]:
    """Return equally many positions of both runs: where their tokens end at the same byte of the text.

    Raises `BuildError` where the two do not spell the same text: it cannot be told which tokens belong together.
    """
    mine, its = _ends(run), _ends(other)
    if mine[1] != its[1]:
        raise BuildError(
            f"unsupported versus: {other.model.name} does not spell this text as {run.model.name} does, so their "
            "tokens cannot be matched"
        )
    common = sorted(mine[0].keys() & its[0].keys())
    return [mine[0][end] for end in common], [its[0][end] for end in common]


def _ends(run: Run) -> tuple[dict[int, int], bytes]:
    """Return the position of the token that ends at each byte, and the text; what was put around it is left out."""
    pieces, ids = run.model.pieces, run.ids.tolist()
    special = [token in pieces.special for token in ids]
    first = special.index(False) if False in special else len(ids)
    last = len(ids) - special[::-1].index(False) if False in special else first
    chunks = [pieces[token] for token in ids[first:last]]
    prompt = run.spec.prompt
    if chunks and not prompt[:1].isspace():
        chunks[0] = chunks[0].removeprefix(b" ")  # SentencePiece's own space before a text
    ends: dict[int, int] = {}
    size = 0
    for position, chunk in enumerate(chunks, first):
        size += len(chunk)
        ends[size] = position  # of tokens of no bytes, the last
    return ends, b"".join(chunks)
