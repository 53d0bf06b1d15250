"""`Bibliography`: all works that an article may cite, read from `.bib` files, and what is odd about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..errors import Problem, nearest
from .entry import Entry, read_names
from .identifiers import find_doi, find_url
from .references import Reference, format_reference

if TYPE_CHECKING:
    from .bibtex import RawEntry

__all__ = ["Bibliography", "read_bibliography"]

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


@dataclass(frozen=True)
class Bibliography:
    """Entries by key, and the problems met while reading them; `key in bibliography` asks for a work."""

    entries: Mapping[str, Entry]
    problems: tuple[Problem, ...] = ()

    def __contains__(self, key: object) -> bool:
        return key in self.entries

    def __getitem__(self, key: str) -> Entry:
        return self.entries[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def keys(self) -> Iterable[str]:
        """Return the keys, in order of the files."""
        return self.entries.keys()

    def references(self, citations: Sequence[str], places: Mapping[str, int] | None = None) -> tuple[Reference, ...]:
        """Return the reference list for the works cited, in that order; `places` counts the citing places by key."""
        counted = places or {}
        return tuple(
            format_reference(self.entries[key], number, counted.get(key, 0))
            for number, key in enumerate(citations, 1)
            if key in self.entries
        )


def read_bibliography(paths: Iterable[Path]) -> Bibliography:
    """Read `.bib` files. Between files the later one wins, so an article's own comes after its site's.

    Nothing is raised: a file that is missing, and BibTeX that loses an entry or a field, are errors among `problems`;
    whatever can be read all the same is a warning.
    """
    entries: dict[str, Entry] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            status = path.stat()
            found, oddities = _read_file(path, (status.st_mtime_ns, status.st_size))
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            problems.append(Problem(f"{'missing' if missing else 'broken'} bibliography: {path.name}", path))
            continue
        problems += oddities
        for key, entry in found.items():
            other = entries.get(key)
            where = f"{other.path.name}:{other.line}" if other else ""
            if other and (other.type, other.fields, other.people) != (entry.type, entry.fields, entry.people):
                problems.append(_warning(f"duplicate entry: {key} says something else in {where}; this is used", entry))
            entries[key] = entry
    resolved = {key: _inherit(entry, entries, problems) for key, entry in entries.items()}
    return Bibliography(MappingProxyType(resolved), tuple(problems))


@lru_cache(maxsize=64)
def _read_file(path: Path, stamp: tuple[int, int]) -> tuple[Mapping[str, Entry], tuple[Problem, ...]]:
    """Read one file, once for as long as its `stamp` does not change."""
    del stamp
    from .bibtex import new_strings, parse_bibtex

    problems: list[Problem] = []
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problems.append(Problem("invalid encoding: not UTF-8, read as Latin-1", path, line, severity="warning"))
        text = raw.decode("latin-1")
    found, syntax = parse_bibtex(text, path, new_strings())
    entries: dict[str, Entry] = {}
    for item in found:
        if item.key in entries:
            message = f"duplicate entry: {item.key} is also on line {entries[item.key].line}, which is used"
            problems.append(Problem(message, path, item.line, severity="warning"))
        else:
            entries[item.key] = _read_entry(item, path, problems)
    return entries, tuple(sorted((*syntax, *problems), key=lambda problem: problem.line or 0))


def _read_entry(raw: RawEntry, path: Path, problems: list[Problem]) -> Entry:
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
    return Entry(raw.key, raw.type, fields, path, raw.line, people, frozenset(incomplete), lines)


def _meant(name: str) -> str:
    """Return ` (did you mean X?)` for a misspelt field; other unknown ones are silent, as in BibTeX."""
    if len(name) < 4 or "-" in name or "+" in name:  # bdsk-url-1, date-added, mendeley-groups
        return ""
    guess = nearest(name, FIELDS)
    meant = guess.removeprefix(" (did you mean ").removesuffix("?)")
    kept = sum(block.size for block in SequenceMatcher(None, name, meant).get_matching_blocks())
    return guess if max(len(name), len(meant)) - kept <= 2 else ""  # a slip of the keyboard, not another word


PARENT_TITLES = {"title": "booktitle", "subtitle": "booksubtitle", "booktitle": "booktitle"}


def _inherit(entry: Entry, entries: Mapping[str, Entry], problems: list[Problem]) -> Entry:
    """Return the entry with what it lacks taken from its `crossref` and `xdata`, and from theirs."""
    seen = {entry.key}
    current, result = entry, entry
    while parent_key := current.fields.get("crossref") or current.fields.get("xdata"):
        parent = entries.get(parent_key)
        field = "crossref" if "crossref" in current.fields else "xdata"
        if parent is None or parent_key in seen:
            what = "unknown" if parent is None else "invalid"
            message = f"{what} {field}: {parent_key}, in {entry.key}{nearest(parent_key, set(entries) - {entry.key})}"
            problems.append(_warning(message, current, field))
            break
        seen.add(parent_key)
        renames: Mapping[str, str] = PARENT_TITLES if field == "crossref" and entry.type.startswith("in") else {}
        inherited = {renames.get(name, name): value for name, value in parent.fields.items()}
        people: dict[str, Any] = {**parent.people, **result.people}
        result = replace(result, fields={**inherited, **result.fields}, people=people)
        current = parent
    return result


def _warning(message: str, entry: Entry, field: str | None = None) -> Problem:
    line = entry.lines.get(field, entry.line) if field else entry.line
    return Problem(message, entry.path, line, severity="warning")
