"""Front matter of other templates, as ours: what Distill and al-folio know of an article."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from .tree import words

__all__ = ["read_matter", "spelt", "write_matter"]

_SILENT = words(
    """
    layout permalink toc htmlwidgets future published comments giscus_comments disqus_comments related_posts
    related_publications bibliography math mermaid chart code_diff featured importance pretty_table tikzjax typograms
    pseudocode images_compare hidden mathjax katex katex_delimiters categories last_modified_at redirect_from
    excerpt_separator url redirect citation _styles category last_updated
    """
)
"""What is about the page that was, not about the article; what matters of it is read in its own place."""
_TAKEN = words(
    """
    title description subtitle abstract date published updated authors author affiliations tags doi license thumbnail
    img slug
    """
)
_MARKS = re.compile(r"(?:<sup>.*?</sup>|[*†‡§¶∗]+|\^\{?[\d,*†]+\}?)\s*$", re.DOTALL)

Complain = Callable[[str, int], None]


def read_matter(given: Mapping[str, Any], line: Callable[[str], int], complain: Complain) -> dict[str, Any]:
    """Return front matter of ours; `line` says where a key stands. What it cannot carry over is told."""
    found: dict[str, Any] = {}
    for key in ("title", "subtitle", "description", "abstract", "doi", "license"):
        value = _text(given.get(key))
        if value:
            found[key] = value
    for ours, theirs in (
        ("date", ("date", "published", "publishedDate")),
        ("updated", ("updated", "updatedDate", "last_updated")),
    ):
        for key in theirs:
            day = _day(given.get(key))
            if day:
                found[ours] = day
                break
    authors, affiliations = _people(given, complain, line)
    if authors:
        found["authors"] = authors
    if affiliations:
        found["affiliations"] = affiliations
    tags = given.get("tags")
    tags = tags.split() if isinstance(tags, str) else tags
    if isinstance(tags, list) and tags:
        found["tags"] = list(dict.fromkeys(filter(None, map(_text, tags))))
    for key in given:
        name = spelt(key)
        if name == "_styles" and given[key]:
            complain("unsupported style: _styles (put what it is for into theme/css/site.css)", line(name))
        elif name not in _TAKEN | _SILENT | {"publishedDate", "updatedDate"}:
            complain(f"unsupported front matter: {name}", line(name))
    return found


def write_matter(matter: Mapping[str, Any]) -> str:
    """Return front matter as YAML between lines of dashes."""
    written = yaml.safe_dump(dict(matter), sort_keys=False, allow_unicode=True, width=110)
    return f"---\n{written}---\n"


def spelt(value: Any) -> str:
    """Return a value as text: none where it is a number of more digits than Python writes, as `0xff…` may be."""
    try:
        return str(value)
    except ValueError:
        return ""


def _text(value: Any) -> str:
    """Return a text without tags, or the empty string."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return " ".join(re.sub(r"<[^<>]*>", "", spelt(value)).split())


def _day(value: Any) -> datetime.date | None:
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    text = _text(value)
    for form in ("%Y-%m-%d", "%B %d, %Y", "%b %d, %Y", "%d %B %Y", "%Y/%m/%d"):
        for written in (text, text[:10], re.sub(r"\.|(?<=\d)(?:st|nd|rd|th)", "", text)):
            try:
                return datetime.datetime.strptime(written, form).date()
            except ValueError:
                continue
    return None


def _people(
    given: Mapping[str, Any], complain: Complain, line: Callable[[str], int]
) -> tuple[list[Any], list[dict[str, str]]]:
    """Return authors and affiliations, each affiliation once."""
    listed = given.get("authors") or given.get("author") or []
    listed = listed if isinstance(listed, list) else [listed]
    old = given.get("affiliations")
    old = old if isinstance(old, list) else []
    authors: list[Any] = []
    known: dict[str, dict[str, str]] = {}
    for at, entry in enumerate(listed):
        fields = _fields(entry)
        name = _text(fields.get("name") or fields.get("author"))
        bare = _MARKS.sub("", name).strip()
        if not bare:
            complain("missing name of an author", line("authors"))
            continue
        author: dict[str, Any] = {"name": bare}
        address = _address(fields.get("url") or fields.get("authorURL"))
        if address:
            author["url"] = address
        orcid = re.search(r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]", _text(fields.get("orcid")))
        if orcid:
            author["orcid"] = orcid[0]
        names = [one for one in _affiliations(fields, old[at] if at < len(old) else None) if one["name"]]
        for one in names:
            known.setdefault(one["name"], one)
        if names:
            author["affiliations"] = [one["name"] for one in names]
        if "*" in name or "∗" in name or fields.get("equal_contributor"):
            author["equal_contributor"] = True
        authors.append(author if len(author) > 1 else bare)
    return authors, list(known.values())


def _fields(entry: Any) -> Mapping[str, Any]:
    """Return an author's fields; the first template of Distill wrote `- Name: address`."""
    if not isinstance(entry, Mapping):
        return {"name": entry}
    if len(entry) == 1 and not {"name", "author"} & entry.keys():
        name, address = next(iter(entry.items()))
        return {"name": name, "url": address}
    return entry


def _affiliations(fields: Mapping[str, Any], old: Any) -> list[dict[str, str]]:
    found = fields.get("affiliations") or fields.get("affiliation") or old or []
    result = []
    for one in found if isinstance(found, list) else [found]:
        if isinstance(one, Mapping) and "name" not in one and len(one) == 1:
            name, address = next(iter(one.items()))
        else:
            name, address = (
                (one.get("name"), one.get("url")) if isinstance(one, Mapping) else (one, fields.get("affiliationURL"))
            )
        url = _address(address)
        parts = [part.strip() for part in re.split(r";|\s&\s", _text(name))]
        result += [{"name": part, **({"url": url} if url else {})} for part in parts if part]
    return result


def _address(value: Any) -> str:
    text = _text(value)
    return text if re.fullmatch(r"https?://\S+", text) else ""
