"""From a raw entry to an `Entry`, and what is odd about it: what BibTeX would grumble at, and slips of the pen."""

from __future__ import annotations

from difflib import SequenceMatcher
from pathlib import Path

from ..errors import Problem, nearest
from .entry import Entry, read_names
from .identifiers import find_doi, find_url
from .scan import RawEntry

__all__ = ["read_entry"]

# fmt: off
TYPES = {  # BibTeX's and biblatex'
    "article", "artwork", "audio", "bibnote", "book", "bookinbook", "booklet", "collection", "commentary",
    "conference", "data", "dataset", "electronic", "image", "inbook", "incollection", "inproceedings", "inreference",
    "jurisdiction", "legal", "legislation", "letter", "manual", "mastersthesis", "misc", "movie", "music", "mvbook",
    "mvcollection", "mvproceedings", "mvreference", "online", "patent", "performance", "periodical", "phdthesis",
    "proceedings", "reference", "report", "review", "set", "software", "standard", "suppbook", "suppcollection",
    "suppperiodical", "techreport", "thesis", "unpublished", "video", "www", "xdata",
}
FIELDS = {  # those that a misspelt one is compared with
    "abstract", "address", "annotation", "annote", "archiveprefix", "articleno", "author", "bibsource", "biburl",
    "booktitle", "booksubtitle", "chapter", "collaboration", "copyright", "crossref", "date", "day", "doi", "edition",
    "editor", "editora", "eid", "eissn", "eprint", "eprintclass", "eprinttype", "eventdate", "eventtitle", "file",
    "howpublished", "institution", "isbn", "issn", "issue", "journal", "journaltitle", "key", "keyword", "keywords",
    "langid", "language", "location", "maintitle", "month", "note", "number", "numpages", "organization", "origdate",
    "pages", "pagetotal", "part", "primaryclass", "pubstate", "publisher", "school", "series", "shortauthor",
    "shortjournal", "shorttitle", "subtitle", "timestamp", "title", "titleaddon", "translator", "type", "url",
    "urldate", "version", "volume", "volumes", "xdata", "year",
}
# fmt: on
PEOPLE = ("author", "editor")


def read_entry(raw: RawEntry, path: Path) -> tuple[Entry, tuple[Problem, ...]]:
    """Return an entry with its people divided, and what is odd about it: all of it warnings."""
    problems: list[Problem] = []
    fields: dict[str, str] = {}
    lines: dict[str, int] = {}
    people = {}
    incomplete = set()

    def warn(message: str, line: int) -> None:
        problems.append(Problem(message, path, line, severity="warning"))

    if raw.type not in TYPES:
        warn(f"unknown entry type: {raw.type}{nearest(raw.type, TYPES)}", raw.line)
    for name, value, line in ((f.name, f.value, f.line) for f in raw.fields):
        if name in lines:
            warn(f"duplicate field: {name} of {raw.key}; the first is used", line)
            continue
        lines[name] = line
        if name in PEOPLE:
            names, others, oddities = read_names(value)
            people[name] = names
            incomplete |= {name} if others else set()
            for oddity in oddities:
                warn(f"{oddity}, in {raw.key}", line)
        elif value:
            fields[name] = value
        if name not in FIELDS and name not in PEOPLE and (meant := _meant(name)):
            warn(f"unknown field: {name} of {raw.key}{meant}", line)
    if fields.get("doi") and not find_doi(fields["doi"]):
        warn(f"invalid DOI: {fields['doi']}, in {raw.key}; one begins with 10.", lines["doi"])
    if fields.get("url") and not find_url(fields["url"]):
        warn(f"invalid address: {fields['url']}, in {raw.key}; only http and https are linked", lines["url"])
    if not fields.get("title") and not {"crossref", "xdata", "booktitle"} & set(fields) and raw.type != "xdata":
        warn(f"missing title: {raw.key}", raw.line)
    entry = Entry(raw.key, raw.type, fields, path, raw.line, people, frozenset(incomplete), lines)
    return entry, tuple(problems)


def _meant(name: str) -> str:
    """Return ` (did you mean X?)` for a misspelt field; other unknown ones are silent, as in BibTeX."""
    if len(name) < 4 or "-" in name or "+" in name:  # bdsk-url-1, date-added, mendeley-groups
        return ""
    guess = nearest(name, FIELDS)
    meant = guess.removeprefix(" (did you mean ").removesuffix("?)")
    kept = sum(block.size for block in SequenceMatcher(None, name, meant).get_matching_blocks())
    return guess if max(len(name), len(meant)) - kept <= 2 else ""  # a slip of the keyboard, not another word
