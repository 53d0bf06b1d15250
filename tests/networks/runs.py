"""Texts to run, runs that nobody has asked anything yet, and what they run again when they are asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from builder.figure import RunSpec
from builder.site import ModelSource

if TYPE_CHECKING:
    import pytest

    from builder.model import Model, Run

TEXT = RunSpec(model="", prompt="one two three one two", generate=3)


def spec(prompt: str = "1, 1, <html>", **options: object) -> RunSpec:
    """Return a question about a text; five tokens are generated unless said."""
    return RunSpec(**{"model": "any", "prompt": prompt, "generate": 5, **options})


def load(folder: Path, **options: str) -> Model:
    """Load the checkpoint in a folder as a decoder."""
    from builder.model import Model
    from builder.sources import fetch

    return Model.load(fetch(ModelSource("tiny", str(folder), **options), Path("/")))


def new_run(model: Model, *expected: str) -> Run:
    """Return a run that knows what it will be asked; a model hands out again what is still in use elsewhere."""
    run = model.reread(model.run(TEXT))
    run.expected = frozenset(expected)
    return run


def blocks_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list to which each block is added that runs by itself from now on."""
    ran: list[int] = []
    assert run.steps is not None
    block = run.steps.block
    monkeypatch.setattr(run.steps, "block", lambda layer, hidden: (ran.append(layer), block(layer, hidden))[1])
    return ran
