"""`CITATION.cff`: the file in which GitHub, Zenodo and Zotero look for how to cite what lies beside it."""

from __future__ import annotations

import re
from typing import Any

import yaml

from ..article import Author, Meta
from ..site import Site
from .licence import Licence
from .names import divide_name

__all__ = ["citation_file", "citation_file_path"]

_DOI = re.compile(r"10\.\d{4,9}(\.\d+)?/[A-Za-z0-9:/_;.()\[\]\\-]+")
"""What the format takes for a DOI; those of 1990s' journals, with < and >, are none."""


def citation_file_path(meta: Meta) -> str:
    """Return where an article's file lies in the site."""
    return f"{meta.slug}/CITATION.cff"


def citation_file(meta: Meta, site: Site, url: str | None, licence: Licence | None) -> str:
    """Return the file in the Citation File Format 1.2.0.

    The format itself describes software and data, so the article is its `preferred-citation`.
    https://github.com/citation-file-format/citation-file-format/blob/1.2.0/schema-guide.md
    """
    day = meta.date.isoformat() if meta.date else None
    doi = meta.doi if meta.doi and _DOI.fullmatch(meta.doi) else None
    language = site.language.split("-")[0].casefold()
    article = {
        "type": "article" if meta.container_title else "blog",
        "title": meta.title,
        "authors": [_author(author) for author in meta.authors],
        "journal": meta.container_title,
        "collection-title": None if meta.container_title else site.title,
        "date-published": day,
        "year": meta.date.year if meta.date else None,
        "month": meta.date.month if meta.date else None,
        "abstract": meta.abstract or meta.description,
        "keywords": list(dict.fromkeys(meta.tags)),
        "languages": [language] if 2 <= len(language) <= 3 else None,
        "doi": doi,
        "url": url,
    }
    whole = {
        "cff-version": "1.2.0",
        "message": "If you use this article or its figures, please cite it as below.",
        "type": "dataset",
        "title": meta.title,
        "authors": [_author(author) for author in meta.authors],
        "date-released": day,
        "license": licence and licence.spdx,
        "license-url": licence and not licence.spdx and licence.url,
        "doi": doi,
        "url": url,
        "preferred-citation": _known(article),
    }
    return yaml.safe_dump(_known(whole), allow_unicode=True, sort_keys=False, width=100)


def _author(author: Author) -> dict[str, Any]:
    name = divide_name(author)
    orcid = f"https://orcid.org/{author.orcid}" if author.orcid else None
    if not name.first:
        return _known({"name": author.name, "orcid": orcid, "website": author.url, "email": author.email})
    return _known({
        "family-names": name.last,
        "given-names": name.first,
        "name-particle": name.von,
        "name-suffix": name.jr,
        "affiliation": ", ".join(place.name for place in author.affiliations),
        "orcid": orcid,
        "website": author.url,
        "email": author.email,
    })  # fmt: skip


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
