"""An article, read, and what is wrong with it."""

from __future__ import annotations

from builder.article import Article, read_article
from builder.site import Site


def read(site: Site, front: str, body: str = "Text.\n") -> Article:
    """Read an article with that front matter, which begins in line 2."""
    path = site.content / "ranks" / "article.md"
    path.write_text(f"---\n{front}\n---\n{body}", encoding="utf-8")
    return read_article(path, site)


def told(article: Article) -> list[str]:
    """Return the problems as authors see them, without the path."""
    return [str(problem).removeprefix(f"{article.path}:") for problem in article.problems]
