"""An answer that people share, and the places at which they do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builder.cache import Cache, open_shared
from builder.figure import Result, RunSpec
from builder.plan import Question

QUESTION = Question("activations", "code", "weights", RunSpec("m", "A </prompt>"), {"layers": ("all",)}, {})
PIECES = {"layer-1": {"text": "</script>"}, "layer-2": {}}


def answer(question: Question = QUESTION, **changed: Any) -> Result:
    """Return an answer to the question with two pieces, as an engine would."""
    said = {
        "fingerprint": question.model,
        "code": question.code,
        "params": dict(question.params),
        "prompt": question.run.prompt,
        **changed,
    }
    return Result(question.address, question.kind, {"x": 0.1}, {}, json.loads(json.dumps(said)), tuple(PIECES))


def number(n: int) -> Question:
    """Return the n-th of many questions."""
    return replace(QUESTION, run=RunSpec("m", f"Prompt {n}"))


@pytest.fixture(params=["folder", "file", "local", "memory"])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A place as a site's settings name it: a path, or an address that fsspec opens."""
    if request.param != "memory":
        folder = tmp_path / "a place with spaces"
        folder.mkdir()
        yield str(folder) if request.param == "folder" else f"{request.param}://{folder}"
        return
    from fsspec.implementations.memory import MemoryFileSystem

    yield f"memory://{tmp_path.name}"
    MemoryFileSystem.store.clear()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder that is shared."""
    folder = tmp_path / "shared"
    folder.mkdir()
    return folder


def cache_of(name: str, written: str, tmp_path: Path) -> Cache:
    """Return the cache of somebody who shares a place with others."""
    return Cache(tmp_path / name, shared=open_shared(written, tmp_path))


class Gone:
    """A place that refuses, and counts how often it was asked."""

    name = "s3://bucket"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def read(self, *_: object) -> dict[str, bytes]:
        """Refuse."""
        self.asked.append("read")
        raise ConnectionError("connection refused")

    def write(self, *_: object) -> None:
        """Refuse."""
        self.asked.append("write")
        raise PermissionError(13, "Permission denied")
