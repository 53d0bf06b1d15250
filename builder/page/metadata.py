"""What machines read of an article: Google Scholar's tags, and schema.org's linked data. Templates set them."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from markupsafe import Markup

from ..article import Author, Meta
from ..bibliography import Bibliography
from ..bibliography.entry import Entry
from ..bibliography.reference import Reference
from ..site import Site
from .cite_as import doi_url
from .licence import Licence
from .names import divide_name

__all__ = ["linked_data", "scholar_tags", "script_json"]

Tag = tuple[str, str]


def scholar_tags(
    meta: Meta, site: Site, url: str | None, references: Sequence[Reference], bibliography: Bibliography
) -> tuple[Tag, ...]:
    """Return names and contents of the `citation_*` tags, in order; none where an article does not want to be cited.

    An author's institutions and ORCID follow the author's name.
    https://scholar.google.com/intl/en/scholar/inclusion.html#indexing
    """
    return tuple(_scholar_tags(meta, site, url, references, bibliography)) if meta.citation else ()


def _scholar_tags(
    meta: Meta, site: Site, url: str | None, references: Sequence[Reference], bibliography: Bibliography
) -> Iterator[Tag]:
    yield "citation_title", _line(meta.title)
    for author in meta.authors:
        name = divide_name(author)
        yield "citation_author", _line(f"{name.family}, {name.first}" if name.first else str(name))
        for place in author.affiliations:
            yield "citation_author_institution", _line(place.name)
        if author.orcid:
            yield "citation_author_orcid", _orcid(author)
    if meta.date:
        yield "citation_publication_date", _day(meta.date)
        yield "citation_online_date", _day(meta.date)
    if meta.container_title:
        yield "citation_journal_title", _line(meta.container_title)
    if meta.doi:
        yield "citation_doi", meta.doi
    if url:
        yield "citation_public_url", url
        yield "citation_fulltext_html_url", url
    yield "citation_language", site.language
    for tag in meta.tags:
        yield "citation_keywords", _line(tag)
    for reference in references:
        entry = bibliography[reference.key]
        if entry not in _described:
            _described[entry] = _describe(reference, entry)
        yield "citation_reference", _described[entry]


_described: WeakKeyDictionary[Entry, str] = WeakKeyDictionary()
"""Works as Scholar reads them: each is described once, however many articles cite it."""


def _describe(reference: Reference, entry: Entry) -> str:
    """Return a work as `citation_title=…;citation_author=…;…`, as Distill does."""
    pairs = [
        ("title", reference.title),
        *(("author", author) for author in reference.authors),
        ("publication_date", reference.year),
        ("journal_title", entry.text("journaltitle", "journal")),
        ("conference_title", entry.text("booktitle") if "proceedings" in entry.type else ""),
        ("volume", entry.text("volume")),
        ("number", entry.text("number", "issue")),
        ("doi", reference.doi or ""),
        ("arxiv_id", reference.arxiv or ""),
    ]
    return ";".join(f"citation_{name}={_line(value).replace(';', ',')}" for name, value in pairs if value)


def linked_data(
    meta: Meta,
    site: Site,
    url: str | None,
    references: Sequence[Reference],
    licence: Licence | None,
    minutes: int,
    image: str | None = None,
) -> dict[str, Any]:
    """Return the article as schema.org knows it; what is not known is left out.

    https://schema.org/ScholarlyArticle
    """
    doi = doi_url(meta.doi)
    changed = meta.updated or meta.date
    return _known({
        "@context": "https://schema.org",
        "@type": "ScholarlyArticle" if meta.citation else "BlogPosting",
        "@id": doi or url,
        "url": url,
        "mainEntityOfPage": url,
        "sameAs": doi,
        "headline": meta.title,
        "alternativeHeadline": meta.subtitle,
        "description": meta.description,
        "abstract": meta.abstract,
        "image": image,
        "inLanguage": site.language,
        "datePublished": meta.date.isoformat() if meta.date else None,
        "dateModified": changed.isoformat() if changed else None,
        "author": [_person(author) for author in meta.authors],
        "isPartOf": {
            "@type": "Periodical" if meta.container_title else "WebSite",
            "name": meta.container_title or site.title,
        },
        "keywords": list(meta.tags),
        "license": licence and (licence.url or licence.name),
        "timeRequired": f"PT{minutes}M",
        "isAccessibleForFree": True,
        "creativeWorkStatus": "Draft" if meta.draft else None,
        "citation": [_work(reference) for reference in references],
    })  # fmt: skip


def script_json(value: Any) -> Markup:
    """Return JSON that may stand inside a script element: nothing in it ends the element or opens a comment."""
    return Markup(
        json.dumps(value, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e")
    )


def _person(author: Author) -> dict[str, Any]:
    name = divide_name(author)
    return _known({
        "@type": "Person" if name.first else "Organization" if author.literal or " " in name.last else "Person",
        "@id": _orcid(author) if author.orcid else None,
        "name": author.name,
        "givenName": name.first,
        "familyName": name.family if name.first else None,
        "url": author.url,
        "affiliation": [_known({"@type": "Organization", "name": p.name, "url": p.url}) for p in author.affiliations],
    })  # fmt: skip


def _work(reference: Reference) -> dict[str, Any]:
    return _known({
        "@type": "CreativeWork",
        "@id": reference.doi_url or reference.arxiv_url,
        "url": reference.url,
        "name": reference.title,
        "author": [{"@type": "Person", "name": author} for author in reference.authors],
        "datePublished": reference.year if re.fullmatch(r"\d{4}", reference.year) else None,
    })  # fmt: skip


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _orcid(author: Author) -> str:
    return f"https://orcid.org/{author.orcid}"


def _day(day: datetime.date) -> str:
    return f"{day.year}/{day.month:02}/{day.day:02}"


def _line(text: str) -> str:
    return " ".join(text.split())
