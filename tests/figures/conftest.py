"""Fixtures for tests of analyses: a kind's modules, and what they answer about a text."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from builder.figure import Answer, RunSpec
from builder.folders import built_in
from builder.kind import Kind, load_kinds

from . import Ask, Part

TEXT = RunSpec(model="tiny", prompt="1, 1, 1, 1,\nThe Union", generate=8)


@pytest.fixture(scope="session")
def kinds() -> dict[str, Kind]:
    """The built-in kinds."""
    return load_kinds([built_in("figures")])


@pytest.fixture(scope="session")
def part(kinds: dict[str, Kind]) -> Part:
    """`part("saliency", "gradients")`: that module of that kind."""

    def load(kind: str, name: str) -> Any:
        package = kinds[kind].analysis.__name__.rpartition(".")[0]  # type: ignore[attr-defined]
        return importlib.import_module(f"{package}.{name}")

    return load


@pytest.fixture(scope="session")
def ask(kinds: dict[str, Kind]) -> Ask:
    """`ask("saliency", model, prompt=…, method=…)`: the answer about a run of that model."""

    def answer(kind: str, model: Any, spec: RunSpec = TEXT, **params: Any) -> Answer:
        analysis = kinds[kind].analysis
        return analysis.analyse(model.run(spec), analysis.Params(**params))

    return answer
