"""Tests of the index that readers search: what is in it, when it is made again, and where there is none."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builder.errors import BuildError
from builder.listing import search
from builder.listing.search import can_search, find_program, search_files
from builder.site import Site
from builder.summary import Summary

PAGE = """<!doctype html><html lang="en"><head><title>Ignored</title></head><body><header>Navigation</header><main>
<article><h1>{title}</h1><div class="article-body"><p>Words about {title}.</p>
<span class="katex">katexwords</span><figure><div class="figure-body">tablewords</div></figure></div></article>
</main></body></html>"""

installed = pytest.mark.skipif(find_program() is None, reason="the extra `search` is not installed")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Return a site with a cache of its own."""
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / "cache"))
    return Site(tmp_path / "site", tmp_path / "site" / "_site")


def summary(n: int, digest: str = "d") -> Summary:
    """Return an article."""
    return Summary(slug=f"a{n}", page=f"a{n}/index.html", title=f"neurons {n}", digest=f"{digest}{n}")


def reader(asked: list[str]) -> Callable[[Summary], str]:
    """Return what reads pages and notes which."""

    def read(article: Summary) -> str:
        asked.append(article.slug)
        return PAGE.format(title=article.title)

    return read


def content(files: dict[str, Path]) -> dict[str, bytes]:
    """Return the files' bytes."""
    return {path: file.read_bytes() for path, file in files.items()}


@installed
def test_the_index_holds_what_the_search_loads_and_no_more(site: Site) -> None:
    """Its program, its words, a piece for each article, and its licence; no user interface of others."""
    files = search_files([summary(n) for n in range(3)], site, reader([]))
    names = {path.removeprefix("pagefind/") for path in files}
    assert {"pagefind.js", "pagefind-entry.json", "wasm.en.pagefind", "LICENSE.txt"} <= names
    assert len([name for name in names if name.startswith("fragment/")]) == 3
    assert not [name for name in names if "ui" in name]


@installed
def test_formulas_tables_and_navigation_are_not_searched(site: Site) -> None:
    """Only the words of an article."""
    import gzip

    files = search_files([summary(0)], site, reader([]))
    (fragment,) = (file for path, file in files.items() if "/fragment/" in path)
    text = gzip.decompress(fragment.read_bytes()).decode()
    assert "Words about neurons 0" in text
    for left_out in ("katexwords", "tablewords", "Navigation"):
        assert left_out not in text


@installed
def test_the_same_pages_make_the_same_index(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Byte for byte, in another cache too."""
    articles = [summary(n) for n in range(20)]
    first = content(search_files(articles, site, reader([])))
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / "another"))
    assert content(search_files(articles, site, reader([]))) == first


@installed
def test_the_index_is_made_again_when_an_article_changed(site: Site) -> None:
    """Not else; an old one does where a preview must not wait. The last two are kept."""
    asked: list[str] = []
    read = reader(asked)
    search_files([summary(0)], site, read)
    search_files([summary(0)], site, read)
    assert asked == ["a0"]
    search_files([summary(0, "edited")], site, read, old=True)
    assert asked == ["a0"]
    search_files([summary(0, "edited")], site, read)
    assert asked == ["a0", "a0"]
    for edit in range(3):
        search_files([summary(0, f"edited {edit}")], site, read)
    (folder,) = (site.root.parent / "cache" / "search").iterdir()
    assert len([kept for kept in folder.iterdir() if kept.is_dir()]) == 2


@installed
def test_what_was_being_made_when_a_build_was_killed_is_removed(site: Site) -> None:
    """A copy of all pages; not what another build is making now."""
    search_files([summary(0)], site, reader([]))
    (folder,) = (site.root.parent / "cache" / "search").iterdir()
    for name in (".left", ".now"):
        (folder / name / "site").mkdir(parents=True)
    os.utime(folder / ".left", (1e9, 1e9))
    search_files([summary(0, "edited")], site, reader([]))
    assert sorted(path.name for path in folder.glob(".*")) == [".now"]


def test_a_site_may_have_no_search(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its setting, or because the extra is not there."""
    monkeypatch.setattr(search, "find_program", lambda: Path("pagefind"))
    assert can_search(site)
    off: dict[str, Any] = {"search": False}
    assert not can_search(Site(site.root, site.output, **off))
    monkeypatch.setattr(search, "find_program", lambda: None)
    assert not can_search(site)


def test_what_the_program_says_is_told(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With what to do about it, and nothing of it is kept."""
    program = tmp_path / "pagefind"
    program.write_text("#!/bin/sh\necho out of ink >&2\nexit 3\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(search, "find_program", lambda: program)
    with pytest.raises(BuildError, match=r"broken search: pagefind says 'out of ink'.*search = false"):
        search_files([summary(0)], site, reader([]))
    (folder,) = (tmp_path / "cache" / "search").iterdir()
    assert not list(folder.iterdir())
