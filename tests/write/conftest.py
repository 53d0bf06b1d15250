"""An output with nothing in it, and a cache of the tests' own."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep locks out of the user's cache."""
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Return where the site goes; nothing is there yet."""
    return tmp_path / "_site"
