"""The pages that list articles: the index, and a page for each tag."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jinja2
from markupsafe import Markup

from ..assets import Assets
from ..page import LostPage, SitePage, SocialImage, common_context, tag_path
from ..site import Site
from ..summary import Summary
from .order import by_tag, by_year, divide

__all__ = ["Lists"]

TAGS = "tags/index.html"
FIRST_TAGS = 12
"""Tags that the index names; the page of all tags has the others."""


@dataclass(frozen=True)
class Lists:
    """Renders the pages that list articles, given newest first."""

    articles: Sequence[Summary]
    site: Site
    theme: jinja2.Environment
    assets: Assets
    search: bool = False
    """Whether readers can search the articles."""
    image: SocialImage | None = None
    """What links to these pages are shown with."""

    def render(self) -> dict[str, str]:
        """Return the pages by their path in the site."""
        return {**dict(self._index()), **dict(self._tags()), "404.html": self._lost()}

    @cached_property
    def tags(self) -> Mapping[str, tuple[str, Sequence[Summary]]]:
        """Each tag's name and articles, by its slug."""
        return by_tag(self.articles)

    def _index(self) -> Iterator[tuple[str, str]]:
        used = sorted(self.tags.values(), key=lambda tag: -len(tag[1]))[:FIRST_TAGS]
        chosen = {name for name, _ in used}
        shown = [(name, len(articles)) for name, articles in self.tags.values() if name in chosen]
        more = len(self.tags) - len(shown)
        for path, context in self._pages("", self.articles):
            yield path, self._page("index.html", path, tags=shown, more_tags=more, search=self.search, **context)

    def _tags(self) -> Iterator[tuple[str, str]]:
        if not self.tags:
            return
        names = [(name, len(articles)) for name, articles in self.tags.values()]
        yield TAGS, self._page("tags.html", TAGS, tags=names)
        for name, articles in self.tags.values():
            for path, context in self._pages(tag_path(name).removesuffix("index.html"), articles):
                yield path, self._page("tag.html", path, tag=name, **context)

    def _lost(self) -> str:
        page = LostPage("404.html", self.site, self.theme, self.assets)
        return self.theme.get_template("404.html").render(**common_context(page))

    def _pages(self, folder: str, articles: Sequence[Summary]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Return each page of a list: its path, and what its template gets of the list."""
        pages = divide(articles)
        paths = [_numbered(folder, number) for number in range(1, len(pages) + 1)]
        for number, (path, shown) in enumerate(zip(paths, pages, strict=True), 1):
            page = SitePage(path, self.site, self.theme, self.assets)
            yield (
                path,
                {
                    "years": [(year, self._entries(page, found)) for year, found in by_year(shown)],
                    "n_articles": len(articles),
                    "number": number,
                    "pages": [page.url(other) for other in paths],
                    "structured": _structured(page, shown) if number == 1 and page.canonical else None,
                },
            )

    @cached_property
    def _rendered(self) -> dict[tuple[str, str], Markup]:
        """Each article's entry, by its slug and the way from a page to the root: pages of one depth share it."""
        return {}

    def _entries(self, page: SitePage, articles: Sequence[Summary]) -> list[Markup]:
        entry = self.theme.get_template("parts/entry.html").module.entry  # type: ignore[attr-defined]
        root = page.url("index.html")
        found = []
        for article in articles:
            key = (root, article.slug)
            if key not in self._rendered:
                self._rendered[key] = entry(page, article)
            found.append(self._rendered[key])
        return found

    def _page(self, template: str, path: str, **context: Any) -> str:
        page = SitePage(path, self.site, self.theme, self.assets)
        return self.theme.get_template(template).render(**common_context(page), social_image=self.image, **context)


def _numbered(folder: str, number: int) -> str:
    """Return the path of a page of a list: the first has the folder's own address, further ones a folder each."""
    if number == 1:
        return f"{folder}index.html"
    return f"{folder or 'page/'}{number}/index.html"


def _structured(page: SitePage, articles: Sequence[Summary]) -> Markup:
    """Return what search engines read of a list, as JSON that may stand inside a script element."""
    site = page.site
    posts = [
        {
            "@type": "BlogPosting",
            "headline": article.title,
            "url": page.full(article.page),
            **({"datePublished": article.date.isoformat()} if article.date else {}),
        }
        for article in articles[:10]
    ]
    described = {"description": site.description} if site.description else {}
    blog = {"@type": "Blog", "name": site.title, "url": page.full("index.html"), "inLanguage": site.language}
    whole = {"@context": "https://schema.org", **blog, **described, "blogPost": posts}
    text = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e"))
