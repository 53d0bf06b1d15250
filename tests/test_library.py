"""A library reads the site's own files: a link that leads out of the site brings nothing in."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.errors import BuildError
from builder.library import Library
from builder.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site with one article, beside a folder with somebody's notes."""
    root = tmp_path / "site"
    (root / "content/one").mkdir(parents=True)
    (root / "content/one/article.md").write_text("---\ntitle: One\n---\nWords.\n")
    (root / "bib").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/article.md").write_text("Mine alone.\n")
    return Site(root, root / "_site")


def refused(site: Site) -> list[str]:
    """Return what is told, as seen from the site."""
    with pytest.raises(BuildError) as raised:
        Library(site).files()
    return [str(problem).replace(f"{site.root}/", "") for problem in raised.value.problems]


def test_links_that_leave_the_site_are_told_together(site: Site, tmp_path: Path) -> None:
    """An article, the folder of one, a bibliography: whoever clones a site builds it with their own disk around it."""
    (site.content / "two").mkdir()
    (site.content / "two/article.md").symlink_to(tmp_path / "outside/article.md")
    (site.content / "three").symlink_to("../../outside")
    (site.root / "bib/all.bib").symlink_to(tmp_path / "outside/article.md")
    assert refused(site) == [
        "content/three/article.md: invalid article: content/three/article.md leaves the site",
        "content/two/article.md: invalid article: content/two/article.md leaves the site",
        "bib/all.bib: invalid bibliography: bib/all.bib leaves the site",
    ]


def test_what_is_hidden_in_the_site_is_no_article(site: Site) -> None:
    """The configuration of Git may hold a password, in CI above all."""
    (site.root / ".git").mkdir()
    (site.root / ".git/config").write_text("token")
    (site.content / "two").mkdir()
    (site.content / "two/article.md").symlink_to("../../.git/config")
    assert refused(site) == ["content/two/article.md: invalid article: content/two/article.md is hidden"]


def test_a_link_within_the_site_is_an_article(site: Site) -> None:
    """Drafts may lie elsewhere in it, and the site itself behind a link."""
    (site.root / "drafts").mkdir()
    (site.root / "drafts/two.md").write_text("Words.\n")
    (site.content / "two").mkdir()
    (site.content / "two/article.md").symlink_to("../../drafts/two.md")
    assert [file.parent.name for file in Library(site).files()] == ["one", "two"]
    (site.root.parent / "there").symlink_to("site")
    there = Site(site.root.parent / "there", site.output)
    assert [file.parent.name for file in Library(there).files()] == ["one", "two"]
