"""Pages as readers get them: their ids, and where their links lead."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.check import check
from builder.check.rendered import read_page
from builder.site import find_site


@pytest.mark.parametrize("zeros", [0, 8, 5000])
def test_a_reference_to_a_character_may_be_of_any_length(zeros: int) -> None:
    """Python reads no number of more than 4,300 digits; a browser does."""
    assert read_page(f'<a href="&#{"0" * zeros}97;/">b</a>').links == ("a/",)


def test_a_picture_that_cannot_be_read_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not its place in the page too, where there is nothing for it."""
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "site"
    (root / "content/a").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[tool.fanlight]\nsearch = false\nsocial_cards = false\n")
    (root / "content/a/cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (root / "content/a/article.md").write_text("---\ntitle: A\n---\n![A cut.](cut.png)\n")
    errors = [finding for finding in check(find_site(root)).findings if finding.severity == "error"]
    assert [(finding.path and finding.path.name, finding.message[:16]) for finding in errors] == [
        ("cut.png", "invalid picture:")
    ]
