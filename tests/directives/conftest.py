"""An article's folder."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an article's folder with a picture in it."""
    folder = tmp_path / "content" / "ranks"
    folder.mkdir(parents=True)
    (folder / "rank.png").write_bytes(b"\x89PNG")
    return folder
