"""A site that is the current folder, and a pipeline of the tests' own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty site that is also the current folder."""
    (tmp_path / "content/a").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.fanlight]\n")
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Any], Any]], list[Any]]:
    """Put a function in place of the pipeline; returns the list of what builders are made with."""

    def replace(build: Callable[[Any], Any]) -> list[Any]:
        made: list[Any] = []

        class Builder:
            def __init__(self, site: Any, **options: Any) -> None:
                made.append((site, options))
                self.site = site
                self.listener = options["listener"]

            def build(self) -> Any:
                return build(self)

        module = ModuleType("builder.build")
        module.Builder = Builder  # type: ignore[attr-defined]
        module.survey = lambda site, frozen=False: SimpleNamespace(figures=build(site), problems=())  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "builder.build", module)
        return made

    return replace
