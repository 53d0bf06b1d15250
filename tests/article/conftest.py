"""The folder of one article."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a site with the folder of one article."""
    (tmp_path / "bib").mkdir()
    (tmp_path / "content" / "ranks").mkdir(parents=True)
    return Site(tmp_path, tmp_path / "_site")
