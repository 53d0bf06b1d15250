"""How a long list of articles, newest first, is divided: by tag, into pages, and on a page by year."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from ..slug import tag_slug
from ..summary import Summary

__all__ = ["PER_PAGE", "by_tag", "by_year", "divide"]

PER_PAGE = 50
"""Articles a page; a last page of few joins the one before it."""
FEW = 10
MANY = 12
"""From so many articles on a page they stand under the year of each."""


def by_year(articles: Sequence[Summary]) -> list[tuple[str, list[Summary]]]:
    """Return articles under the year of each, where they are many; a few stand together under an empty title."""
    if len(articles) < MANY:
        return [("", list(articles))] if articles else []
    years = groupby(articles, key=lambda summary: str(summary.date.year) if summary.date else "Undated")
    return [(year, list(found)) for year, found in years]


def by_tag(articles: Sequence[Summary]) -> dict[str, tuple[str, list[Summary]]]:
    """Return by its slug, in the order of their names, each tag as its oldest article writes it, and its articles."""
    names: dict[str, str] = {}
    found: dict[str, list[Summary]] = {}
    for summary in articles:
        slugs = {}
        for tag in reversed(summary.tags):
            slugs[tag_slug(tag)] = tag
        for slug, tag in slugs.items():
            names[slug] = tag  # articles come newest first: the last to write it is the oldest
            found.setdefault(slug, []).append(summary)
    ordered = sorted(names, key=lambda slug: (names[slug].casefold(), slug))
    return {slug: (names[slug], found[slug]) for slug in ordered}


def divide(articles: Sequence[Summary]) -> list[Sequence[Summary]]:
    """Return the articles of each page; without articles there is one page all the same."""
    pages = [articles[start : start + PER_PAGE] for start in range(0, len(articles), PER_PAGE)] or [articles]
    if len(pages) > 1 and len(pages[-1]) < FEW:
        pages[-2:] = [[*pages[-2], *pages[-1]]]
    return pages
