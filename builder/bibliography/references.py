"""A work as readers see it: `Reference`, in plain text and links that are safe to print; templates add the markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import quote
from weakref import WeakKeyDictionary

from .entry import Entry, Name
from .identifiers import find_arxiv, find_doi, find_url
from .latex import plain

__all__ = ["MAX_AUTHORS", "Reference", "format_reference"]

MAX_AUTHORS = 8
"""A byline names this many at most; papers of this field have up to hundreds of authors."""


@dataclass(frozen=True)
class Reference:
    """One line of the reference list. All texts are plain text: a template escapes them. Empty means unknown."""

    key: str
    number: int
    authors: tuple[str, ...]
    short: str
    """Whom a sentence names: `Olsson et al.`, `Jain and Wallace`."""
    year: str
    title: str
    venue: str
    incomplete: bool = False
    """Whether the list of authors ended with `and others`."""
    editors: bool = False
    """Whether `authors` are the editors."""
    doi: str | None = None
    arxiv: str | None = None
    url: str | None = None
    places: int = 0
    """How often the article cites it: places have the ids `cite-KEY-1` and so on."""

    @property
    def anchor(self) -> str:
        """The id of its line in the list."""
        return f"ref-{self.key}"

    @property
    def backlinks(self) -> tuple[str, ...]:
        """The ids of the places that cite it, in order."""
        return tuple(f"cite-{self.key}-{place}" for place in range(1, self.places + 1))

    @property
    def doi_url(self) -> str | None:
        """The address that a DOI resolves at."""
        return f"https://doi.org/{quote(self.doi, safe='/:;().-_~')}" if self.doi else None

    @property
    def arxiv_url(self) -> str | None:
        """The abstract's page."""
        return f"https://arxiv.org/abs/{self.arxiv}" if self.arxiv else None

    @property
    def link(self) -> str | None:
        """Where the title leads: the page given, else the DOI's, else arXiv's."""
        return self.url or self.doi_url or self.arxiv_url

    @property
    def byline(self) -> str:
        """The authors as a sentence would list them; a long list is cut and says by how many."""
        names = self.authors
        if self.incomplete:
            line = f"{', '.join(names[:MAX_AUTHORS])} et al."
        elif len(names) > MAX_AUTHORS:
            shown = MAX_AUTHORS - 1
            line = f"{', '.join(names[:shown])} and {len(names) - shown} others"
        elif len(names) > 2:
            line = f"{', '.join(names[:-1])}, and {names[-1]}"
        else:
            line = " and ".join(names)
        return f"{line} ({'eds.' if len(names) > 1 or self.incomplete else 'ed.'})" if self.editors else line

    @property
    def text(self) -> str:
        """The whole reference as one line of plain text."""
        parts = [self.byline, self.title, ", ".join(part for part in (self.venue, self.year) if part)]
        line = " ".join(part if part[-1] in ".?!" else f"{part}." for part in parts if part)
        return f"{line} {self.link}" if self.link else line


_formatted: WeakKeyDictionary[Entry, Reference] = WeakKeyDictionary()


def format_reference(entry: Entry, number: int = 0, places: int = 0) -> Reference:
    """Return the entry as reference `number` of an article that cites it in so many places.

    BibTeX's types and biblatex' are understood; an unknown one is shown with what it has. An entry is formatted once,
    however many articles cite it.
    """
    reference = _formatted.get(entry)
    if reference is None:
        reference = _formatted[entry] = _format(entry)
    return replace(reference, number=number, places=places)


def _format(entry: Entry) -> Reference:
    role = next((role for role in ("author", "editor") if entry.people.get(role)), "author")
    people = entry.people.get(role, ())
    title = _title(entry)
    organisation = entry.text("organization", "institution" if "report" in entry.type else "key", "key")
    if not people and organisation:
        people = (Name(organisation),)
    arxiv = _arxiv(entry)
    doi = find_doi(entry.fields.get("doi", ""))
    if doi and doi.lower().startswith("10.48550/arxiv."):
        doi = None  # it says no more than the arXiv number beside it
    return Reference(
        key=entry.key,
        number=0,
        authors=tuple(str(name) for name in people),
        short=_short(people, role in entry.incomplete) or title,
        year=_year(entry),
        title=title,
        venue=_venue(entry, arxiv, {str(name) for name in people}),
        incomplete=role in entry.incomplete,
        editors=role == "editor",
        doi=doi,
        arxiv=arxiv,
        url=_url(entry, arxiv, doi),
    )


def _title(entry: Entry) -> str:
    title, subtitle = entry.text("title", "titleaddon", "booktitle"), entry.text("subtitle")
    return (f"{title}: {subtitle}" if subtitle else title) or entry.key


def _short(people: tuple[Name, ...], incomplete: bool) -> str:
    families = [name.family for name in people]
    if len(families) > 2 or (incomplete and families):
        return f"{families[0]} et al."
    return " and ".join(families)


def _year(entry: Entry) -> str:
    year = entry.text("year")
    date = re.match(r"\s*(\d{4})", entry.fields.get("date", "") or entry.fields.get("eventdate", ""))
    return year or (date[1] if date else entry.text("date", "pubstate"))


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


def _url(entry: Entry, arxiv: str | None, doi: str | None) -> str | None:
    """Return the page given for the work, unless it is the DOI's or arXiv's own, which are linked anyway."""
    for name in ("url", "howpublished", "note", "ee"):
        url = find_url(entry.fields.get(name, ""))
        if url and not (arxiv and "arxiv.org/" in url) and not (doi and "doi.org/" in url):
            return url
    return None


def _venue(entry: Entry, arxiv: str | None, people: set[str]) -> str:
    """Return where the work appeared: `Journal 27(2), 97–111`, `In Proceedings of …, pp. 3–9`, `PhD thesis, MIT`."""
    make = VENUES.get(entry.type, _other)
    parts = [part for part in make(entry) if part and part not in people]
    return ", ".join(dict.fromkeys(parts)) or ("arXiv preprint" if arxiv else "")


def _pages(entry: Entry) -> str:
    pages = re.sub(r"(?<=\d)\s*[-–—]+\s*(?=\d)", "–", entry.text("pages", "eid", "articleno"))
    return f"pp. {pages}" if "–" in pages or "," in pages else f"p. {pages}" if pages.isdigit() else pages


def _journal(entry: Entry) -> list[str]:
    journal = entry.text("journaltitle", "journal", "shortjournal")
    if re.match(r"(?:arxiv|corr\b)", journal, re.IGNORECASE):
        return []  # the preprint's number is the venue
    number = entry.text("number", "issue")
    volume = entry.text("volume") + (f"({number})" if number else "")
    pages = _pages(entry)
    return [f"{journal} {volume}".strip(), re.sub(r"^pp?\. ", "", pages) if volume else pages, *_note(entry)]


def _proceedings(entry: Entry) -> list[str]:
    book = entry.text("booktitle", "maintitle", "eventtitle", "journal", "journaltitle")
    volume = entry.text("volume")
    series = entry.text("series")
    return [
        f"In {book}" if book else "",
        f"{series} {volume}".strip() if series else f"volume {volume}" if volume else "",
        _pages(entry),
    ]  # a publisher says nothing that the proceedings' name does not


def _book(entry: Entry) -> list[str]:
    edition = entry.text("edition")
    edition = f"{edition}{_ordinal(int(edition))}" if edition.isdigit() else edition.lower()
    book = entry.text("booktitle") if "title" in entry.fields else ""
    return [
        f"In {book}" if book else "",
        entry.text("series"),
        f"{edition} edition" if edition else "",
        entry.text("publisher", "organization"),
        entry.text("location", "address"),
        _pages(entry),
    ]


def _thesis(entry: Entry) -> list[str]:
    kind = entry.text("type")
    default = "PhD thesis" if entry.type == "phdthesis" or kind == "phdthesis" else "Master's thesis"
    named = {"phdthesis": "PhD thesis", "mathesis": "Master's thesis", "": default}
    return [named.get(kind, kind), entry.text("school", "institution")]


def _report(entry: Entry) -> list[str]:
    kind, number = entry.text("type"), entry.text("number")
    named = {"techreport": "Technical report", "": "Technical report", "resreport": "Research report"}
    return [f"{named.get(kind, kind)} {number}".strip(), entry.text("institution", "organization", "publisher")]


def _other(entry: Entry) -> list[str]:
    where = [entry.text("journaltitle", "journal", "booktitle")] if "title" in entry.fields else []
    if where and re.match(r"(?:arxiv|corr\b)", where[0], re.IGNORECASE):
        where = []
    return [*where, *_note(entry), entry.text("publisher", "organization", "institution", "school")]


def _note(entry: Entry) -> list[str]:
    """Return how it was published where that is words; an address becomes the title's link instead."""
    texts = [plain(entry.fields[name]) for name in ("howpublished", "version") if name in entry.fields]
    return [text for text in texts if not find_url(text) and not find_arxiv(text)]


def _ordinal(number: int) -> str:
    return "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


VENUES: dict[str, Callable[[Entry], list[str]]] = {
    **dict.fromkeys(("article", "periodical", "suppperiodical", "review"), _journal),
    **dict.fromkeys(("inproceedings", "conference", "incollection", "inbook", "suppcollection"), _proceedings),
    **dict.fromkeys(("book", "mvbook", "collection", "proceedings", "booklet", "manual", "reference"), _book),
    **dict.fromkeys(("phdthesis", "mastersthesis", "thesis"), _thesis),
    **dict.fromkeys(("techreport", "report"), _report),
}
