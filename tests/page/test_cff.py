"""`CITATION.cff`: beside the page of an article that asks for it, for as long as it does."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.build import Builder
from builder.site import find_site


def test_the_file_lies_beside_the_page_that_links_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Built again it stays, and it goes when it is no longer wanted."""
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "pyproject.toml").write_text('[tool.fanlight]\nbase_url = "https://x.org/y/"\n', encoding="utf-8")
    article, built = tmp_path / "content" / "a" / "article.md", tmp_path / "_site" / "a"
    article.parent.mkdir(parents=True)
    front = "---\ntitle: A title\nauthors: [Ada Lovelace]\ncitation: {{cff: {}}}\n---\nText.\n"
    article.write_text(front.format("true"), encoding="utf-8")
    for _ in range(2):
        Builder(find_site(tmp_path)).build()
        assert "url: https://x.org/y/a/\n" in (built / "CITATION.cff").read_text(encoding="utf-8")
    assert 'href="CITATION.cff" download' in (built / "index.html").read_text(encoding="utf-8")
    article.write_text(front.format("false"), encoding="utf-8")
    Builder(find_site(tmp_path)).build()
    assert not (built / "CITATION.cff").exists()
    assert "CITATION.cff" not in (built / "index.html").read_text(encoding="utf-8")
