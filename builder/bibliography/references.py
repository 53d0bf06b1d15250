"""From an entry to the `Reference` that readers see, whoever exported it."""

from __future__ import annotations

import re
from dataclasses import replace
from weakref import WeakKeyDictionary

from .entry import Entry, Name, read_names
from .identifiers import Eprint, find_arxiv, find_doi, find_eprint, find_url
from .reference import MAX_AUTHORS, Reference
from .venues import PUBLICATION_STATES, find_venue

__all__ = ["MAX_AUTHORS", "Reference", "format_reference"]

_formatted: WeakKeyDictionary[Entry, Reference] = WeakKeyDictionary()


def format_reference(entry: Entry, number: int = 0) -> Reference:
    """Return the entry as reference `number` of an article.

    BibTeX's types and biblatex' are understood; an unknown one is shown with what it has. An entry is formatted once,
    however many articles cite it.
    """
    reference = _formatted.get(entry)
    if reference is None:
        reference = _formatted[entry] = _format(entry)
    return replace(reference, number=number) if number else reference


def _format(entry: Entry) -> Reference:
    role = next((role for role in ("author", "editor") if entry.people.get(role)), "author")
    people = entry.people.get(role, ())
    organisation = entry.text("organization", "institution" if "report" in entry.type else "key", "key")
    if not people and organisation:
        people = (Name(organisation),)
    named = read_names(entry.fields["shortauthor"])[0] if entry.fields.get("shortauthor") else people
    arxiv = _arxiv(entry)
    doi = find_doi(entry.fields.get("doi", ""))
    if doi and doi.lower().startswith("10.48550/arxiv."):
        doi = None  # it says no more than the arXiv number beside it
    eprint = find_eprint(entry.fields)
    return Reference(
        key=entry.key,
        people=people,
        named=named,
        year=_year(entry),
        title=_title(entry),
        short_title=_short_title(entry),
        venue=_venue(entry, people, arxiv),
        incomplete=role in entry.incomplete,
        editors=role == "editor",
        doi=doi,
        arxiv=arxiv,
        eprint=eprint,
        url=_url(entry, arxiv, doi, eprint),
        pdf=find_url(entry.fields.get("pdf", "")),
        visited="" if doi or arxiv or eprint else _visited(entry),
        sort_key=entry.text("sortkey", "sortname"),
    )


def _venue(entry: Entry, people: tuple[Name, ...], arxiv: str | None) -> str:
    venue = find_venue(entry, {str(name) for name in people})
    return "arXiv preprint" if arxiv and venue in ("", "Preprint") else venue


def _title(entry: Entry) -> str:
    title, subtitle = entry.text("title", "titleaddon", "booktitle", "maintitle"), entry.text("subtitle")
    return (f"{title}: {subtitle}" if subtitle else title) or entry.key


def _short_title(entry: Entry) -> str:
    """Return what a work without authors is called in a sentence: its title as far as that is short."""
    short = entry.text("shorttitle")
    if short:
        return short
    begin = re.split(r"(?<=\w)[:.?!]\s|\s[–—]\s", entry.text("title", "titleaddon", "booktitle") or entry.key)[0]
    words = begin.split(" ")
    return begin if len(words) <= 6 else f"{' '.join(words[:5])}…"


def _year(entry: Entry) -> str:
    date = entry.fields.get("date", "") or entry.fields.get("eventdate", "")
    written = entry.text("year") or date
    years = re.fullmatch(r"\s*(\d{4})(?:-[\dX-]*)?[~?%]?(?:(/)(?:(\d{4})(?:-[\dX-]*)?[~?%]?)?(?:\.\.)?)?\s*", written)
    if not years:
        state = entry.text("year", "date", "pubstate")
        return PUBLICATION_STATES.get(state.lower(), state)
    first, is_range, last = years.groups()
    return first if not is_range or last == first else f"{first}–{last or ''}"


def _visited(entry: Entry) -> str:
    """Return the day on which a page was looked at, `2021-03-05`."""
    day = re.match(r"\s*(\d{4}(?:-\d\d){0,2})", entry.fields.get("urldate", ""))
    return day[1] if day else ""


def _arxiv(entry: Entry) -> str | None:
    """Return the arXiv number, from whichever of the five places people put it in."""
    fields = entry.fields
    archive = (fields.get("archiveprefix") or fields.get("eprinttype") or "arxiv").lower()
    if "eprint" in fields and archive == "arxiv" and (found := find_arxiv(fields["eprint"])):
        return found
    for name in ("journal", "journaltitle", "volume", "howpublished", "note", "url", "doi", "publisher", "number"):
        value = fields.get(name, "")
        if re.search(r"arxiv|corr|\babs/", value, re.IGNORECASE) and (found := find_arxiv(value)):
            return found
    return None


def _url(entry: Entry, arxiv: str | None, doi: str | None, eprint: Eprint | None) -> str | None:
    """Return the page given for the work, unless it is the DOI's or an archive's own, which are linked anyway."""
    hosts = ["arxiv.org/"] if arxiv else []
    hosts += ["doi.org/"] if doi else []
    hosts += ["api.semanticscholar.org/"] if arxiv or doi else []
    hosts += [eprint.url.removeprefix("https://").removeprefix("www.")] if eprint else []
    urls = (find_url(entry.fields.get(name, "")) for name in ("url", "howpublished", "note", "ee"))
    return next((url for url in urls if url and not any(host in url for host in hosts)), None)
