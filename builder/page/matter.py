"""What stands before and after an article's text, and in the head of its page, as templates get it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..document import reading_minutes
from ..figure import Result
from .article_page import ArticlePage
from .byline import make_byline
from .citation_file import citation_file, citation_file_path
from .cite_as import cite, doi_url
from .colophon import read_colophon
from .licence import Licence, read_licence
from .metadata import linked_data, scholar_tags, script_json

__all__ = ["article_files", "article_matter"]


def article_matter(page: ArticlePage, results: Sequence[Result], image: str | None = None) -> dict[str, Any]:
    """Return `byline`, `licence`, `cite_as`, `citation_file`, `colophon`, `scholar`, `linked_data` and more.

    `summary` is the description, or else how the text begins. `image` is the full address of the picture that stands
    for the article elsewhere.
    """
    document, site, url = page.document, page.site, page.canonical
    meta = document.article.meta
    minutes = reading_minutes(document.n_words)
    licence = _licence(page)
    references = page.references
    said = replace(meta, description=meta.description or document.excerpt)
    return {
        "summary": said.description,
        "byline": make_byline(meta.authors),
        "reading_minutes": minutes,
        "doi_url": doi_url(meta.doi),
        "licence": licence,
        "cite_as": cite(meta, site, url) if meta.citation else None,
        "citation_file": page.url(citation_file_path(meta)) if meta.citation_file else None,
        "colophon": read_colophon(results),
        "scholar": scholar_tags(meta, site, url, references, page.bibliography),
        "linked_data": script_json(linked_data(said, site, url, references, licence, minutes, image)),
    }


def article_files(page: ArticlePage) -> dict[str, bytes]:
    """Return the files that say beside the page how to cite it, by their path in the site; one, if any is wanted."""
    meta = page.document.article.meta
    if not meta.citation_file:
        return {}
    text = citation_file(meta, page.site, page.canonical, _licence(page))
    return {citation_file_path(meta): text.encode()}


def _licence(page: ArticlePage) -> Licence | None:
    written = page.document.article.meta.license or page.site.license
    return read_licence(written) if written else None
