"""What stands before and after an article's text, and in the head of its page, as templates get it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from ..document import reading_minutes
from ..figure import Result
from .article_page import ArticlePage
from .byline import make_byline
from .citation_file import citation_file_path
from .cite_as import cite
from .colophon import read_colophon
from .licence import read_licence
from .metadata import linked_data, scholar_tags, script_json

__all__ = ["article_matter"]


def article_matter(page: ArticlePage, results: Sequence[Result], image: str | None = None) -> dict[str, Any]:
    """Return `byline`, `licence`, `cite_as`, `citation_file`, `colophon`, `scholar`, `linked_data` and more.

    `image` is the full address of the picture that stands for the article elsewhere.
    """
    document, site, url = page.document, page.site, page.canonical
    meta = document.article.meta
    minutes = reading_minutes(document.n_words)
    written = meta.license or site.license
    licence = read_licence(written) if written else None
    references = page.bibliography.references(document.citations)
    return {
        "byline": make_byline(meta.authors),
        "reading_minutes": minutes,
        "doi_url": f"https://doi.org/{quote(meta.doi, safe='/:;().-_~')}" if meta.doi else None,
        "licence": licence,
        "cite_as": cite(meta, site, url) if meta.citation else None,
        "citation_file": page.url(citation_file_path(meta)) if meta.citation_file else None,
        "colophon": read_colophon(results),
        "scholar": scholar_tags(meta, site, url, references, page.bibliography),
        "linked_data": script_json(linked_data(meta, site, url, references, licence, minutes, image)),
    }
