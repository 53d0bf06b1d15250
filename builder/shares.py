"""Shares: what each earlier token gives to each target, in ragged rows that sum to 1, as several kinds publish them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .parts import Spark
from .spoken import counted, share, token

__all__ = ["share_bars"]


def share_bars(data: Mapping[str, Any], at: int, label_of: Callable[[int], str]) -> Spark:
    """Return a target's row of `scores` as bars, or of another token what it gives to each target.

    `label_of` says in words what the row of a target says, by its number.
    """
    tokens, targets = data["tokens"], data["targets"]
    if at in targets:
        t = targets.index(at)
        row, label = data["scores"][t], label_of(t)
    else:
        row = [scores[at] if at < len(scores) else 0.0 for scores in data["scores"]]
        label = f"Share of {token(tokens[at])} in each of {counted(len(row), 'token')}: at most {share(max(row))}"
    peak = max(row) or 1.0
    return Spark(tuple(score / peak for score in row), label, "bars", mark=row.index(max(row)))
