"""What lies in a site and is not used: texts that no build reads, and works that nobody cites."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.check import check
from builder.errors import BuildError
from builder.library import Library
from builder.site import find_site


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site without articles."""
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "pyproject.toml").write_text("[tool.fanlight]\nsearch = false\nsocial_cards = false\n")
    (tmp_path / "content/waves").mkdir(parents=True)
    return tmp_path


def test_a_text_beside_articles_is_told(root: Path) -> None:
    """As Quarto, Hugo, and disks on which case makes no difference call it; notes beside an article are its own."""
    for name in ("waves/index.md", "tides/Article.md", "post.qmd", "README.md", "_draft.md", "right/notes.md"):
        (root / "content" / name).parent.mkdir(exist_ok=True)
        (root / "content" / name).write_text("Words.\n")
    (root / "content/right/article.md").write_text("---\ntitle: Right\n---\nWords.\n")
    found = [finding for finding in check(find_site(root)).findings if finding.message.startswith("unused text")]
    assert [(finding.path and finding.path.name, finding.severity) for finding in found] == [
        ("post.qmd", "warning"),
        ("Article.md", "warning"),
        ("index.md", "warning"),
    ]
    assert found[2].message == "unused text: index.md is no article (did you mean content/waves/article.md?)"


def test_where_there_is_no_article_what_comes_near_is_named(root: Path) -> None:
    """A first build fails with the way out."""
    (root / "content/waves/index.md").write_text("Words.\n")
    with pytest.raises(
        BuildError, match=r"no content/SLUG/article.md \(did you mean content/waves/article.md, for ind"
    ):
        Library(find_site(root)).files()


def test_of_many_works_that_nobody_cites_the_first_are_named(root: Path) -> None:
    """Who keeps a whole library in `bib/` is not told of each."""
    (root / "bib").mkdir()
    (root / "bib/all.bib").write_text("\n".join(f"@misc{{k{n}, title={{T}}}}" for n in range(1200)))
    (root / "content/waves/article.md").write_text("---\ntitle: Waves\n---\nAs in [@k7].\n")
    found = [finding.message for finding in check(find_site(root)).findings if "unused" in finding.message]
    assert len(found) == 21
    assert "unused entry: no article cites k0" in found
    assert "unused entries: 1,179 more of 1,200" in found
