"""`find_target`: where a link of an article leads within the site."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from ..article import Article
from ..errors import nearest
from ..local import LocalError, find_local

__all__ = ["Target", "find_target"]

PAGES = frozenset({
    ".atom", ".htm", ".html", ".mathml", ".mml", ".rdf", ".rss", ".shtml", ".svgz", ".xht", ".xhtml", ".xml", ".xsd",
    ".xsl", ".xslt",
})  # fmt: skip
"""Endings of files that hosts serve as pages: HTML, and XML, in which scripts run too. A drawing is read beforehand."""

_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")


@dataclass(frozen=True)
class Target:
    """A path in the site, or None for the page itself; `file` is what is to be put there, unless a page is there."""

    path: str | None
    fragment: str = ""
    slug: str | None = None
    file: Path | None = None


def find_target(href: str, article: Article, articles: Mapping[str, Path], html: str = "safe") -> Target | None:
    """Return where a link leads, None if out of the site.

    An article is linked to by its page (`../slug/`), its folder or its file (`../folder/article.md`); `../` is the
    index; any other file of the site is published beside the page. A path that begins with `/` begins at `content/`,
    or at the site's address. Raises `LocalError` if the link is broken or leaves the site, and for a page of the
    author's own unless `html` is `raw`: scripts in it would be the site's.
    """
    if _ELSEWHERE.match(href):
        return None
    address, _, fragment = href.partition("#")
    written = unquote(address.partition("?")[0])
    fragment = f"#{fragment}" if fragment else ""
    if not written:
        return Target(None, fragment)
    content = article.root / "content"
    page = (
        posixpath.normpath(posixpath.join("/", article.slug, written)).strip("/").removesuffix("index.html").strip("/")
    )
    outside = posixpath.normpath(posixpath.join(article.slug, written.lstrip("/"))).startswith("..")
    if not page and not outside:
        return Target("index.html", fragment)
    if page in articles and not outside:
        return Target(f"{page}/index.html", fragment, slug=page)
    try:
        path = find_local(written.lstrip("/") or ".", content if written[0] == "/" else article.folder, article.root)
    except LocalError as error:
        if not str(error).startswith("missing"):
            raise LocalError(str(error).replace("file", "link", 1)) from error
        raise LocalError(f"broken link: {href}{_near(written, articles)}") from error
    if path == content.resolve():
        return Target("index.html", fragment)
    for slug, file in articles.items():
        if path in (file.resolve(), file.parent.resolve()):
            return Target(f"{slug}/index.html", fragment, slug=slug)
    if path.name == "article.md" or (path / "article.md").is_file():
        raise LocalError(f"broken link: {href} is not built (is it a draft?)")
    if not path.is_file():
        raise LocalError(f"broken link: {href} is a folder without an article")
    if path.suffix.lower() in PAGES and html != "raw":
        hint = 'link to a .zip of it, or set html = "raw" where you trust all who write'
        raise LocalError(f"unsupported link: {href} may hold scripts, which would run on the site ({hint})")
    return Target(f"{article.slug}/files/{_name(path, article)}", fragment, file=path)


def _name(path: Path, article: Article) -> str:
    """Return a name for a published file: its path from the article's folder, or from the site's."""
    folder = article.folder.resolve()
    base = folder if path.is_relative_to(folder) else article.root.resolve()
    return path.relative_to(base).as_posix()


def _near(written: str, articles: Mapping[str, Path]) -> str:
    name = written.rstrip("/").removesuffix("/article.md").removesuffix(".md").rpartition("/")[2]
    found = re.search(r"mean (.+)\?", nearest(name, articles))
    return f" (did you mean ../{found[1]}/?)" if found else ""
