"""Where a work appeared, in words: `Journal 27(2), 97–111`, `In Proceedings of …, pp. 3–9`, `PhD thesis, MIT`."""

from __future__ import annotations

import re
from collections.abc import Callable

from .entry import Entry, Name, read_names
from .identifiers import find_arxiv, find_url
from .latex import plain

__all__ = ["find_venue"]


def find_venue(entry: Entry, people: set[str]) -> str:
    """Return where the work appeared, or the empty string; `people` are those whom its byline names already."""
    make = _VENUES.get(entry.type, _other)
    parts = [part for part in (*make(entry), *_state(entry)) if part and part not in people]
    venue = ", ".join(dict.fromkeys(parts))
    return venue[0].upper() + venue[1:] if _OWN_WORDS.match(venue) else venue


def _pages(entry: Entry) -> str:
    pages = re.sub(r"(?<=\d)\s*[-–—]+\s*(?=\d)", "–", entry.text("pages", "eid", "articleno"))
    if re.match(r"pp?\.\s", pages):
        return pages
    return f"pp.\u00a0{pages}" if "–" in pages or "," in pages else f"p.\u00a0{pages}" if pages.isdigit() else pages


def _journal(entry: Entry) -> list[str]:
    journal = _titled(entry, ("journaltitle", "journal", "shortjournal"), "journalsubtitle")
    if re.match(r"(?:arxiv|corr\b)", journal, re.IGNORECASE):
        return []  # the preprint's number is the venue
    if not journal and entry.type in ("periodical", "suppperiodical"):
        journal = entry.text("series")
    number = entry.text("number", "issue")
    volume = entry.text("volume") + (f"({number})" if number else "")
    pages = _pages(entry)
    return [f"{journal} {volume}".strip(), re.sub(r"^pp?\.\s", "", pages) if volume else pages, *_note(entry)]


def _titled(entry: Entry, names: tuple[str, ...], subtitle: str) -> str:
    title, more = entry.text(*names), entry.text(subtitle)
    return f"{title}: {more}" if title and more else title


def _proceedings(entry: Entry) -> list[str]:
    book = _titled(entry, ("booktitle", "maintitle", "eventtitle", "journal", "journaltitle"), "booksubtitle")
    volume, number = entry.text("volume"), entry.text("number")
    series = entry.text("series")
    chapter = entry.text("chapter")
    within = f"{series} {volume or number}".strip() if series else f"volume {volume}" if volume else ""
    edited = entry.type not in ("inproceedings", "conference")  # there, editors say nothing that the name does not
    return [
        f"In {book}" if book else "",
        *(_people(entry, "editor", "edited by") if edited and "author" in entry.people else ()),
        *_people(entry, "translator", "translated by"),
        within,
        *([_edition(entry), *_publisher(entry)] if edited else ()),
        f"chapter {chapter}" if chapter.isdigit() else chapter,
        _pages(entry),
    ]  # a publisher says nothing that the proceedings' name does not


def _people(entry: Entry, role: str, words: str) -> list[str]:
    """Return `edited by Ann One and Ben Two`, if there are any."""
    names: tuple[Name, ...] = (
        entry.people.get(role) or read_names(entry.fields.get(role, ""))[0]
        if (role in entry.people or role in entry.fields)
        else ()
    )
    shown = [str(name) for name in names]
    if len(shown) > 3 or (shown and role in entry.incomplete):
        return [f"{words} {shown[0]} et al."]
    *most, last = shown or [""]
    return [f"{words} {' and '.join(filter(None, (', '.join(most), last)))}"] if last else []


def _edition(entry: Entry) -> str:
    edition = entry.text("edition")
    if re.fullmatch(r"[0-9]{1,6}", edition):
        edition += _ordinal(int(edition))
    edition = re.sub(r"\s*\b(?:edition|ed\.?)$", "", edition, flags=re.IGNORECASE)
    return f"{edition[:1].lower()}{edition[1:]} edition" if edition else ""


def _publisher(entry: Entry) -> list[str]:
    return [entry.text("publisher", "organization"), entry.text("location", "address")]


def _book(entry: Entry) -> list[str]:
    book = entry.text("booktitle", "maintitle") if "title" in entry.fields else ""
    volume, series = entry.text("volume"), entry.text("series")
    number = entry.text("number") or ("" if book else volume)
    return [
        f"volume {volume} of {book}" if book and volume else f"In {book}" if book else "",
        *(_people(entry, "editor", "edited by") if entry.people.get("author") else ()),
        *_people(entry, "translator", "translated by"),
        f"{series} {number}".strip() if series else f"volume {volume}" if volume and not book else "",
        _edition(entry),
        *_publisher(entry),
        entry.text("howpublished") if entry.type == "booklet" else "",
        _pages(entry),
    ]


def _thesis(entry: Entry) -> list[str]:
    kind = entry.text("type")
    default = "PhD thesis" if entry.type == "phdthesis" else "Master's thesis" if "master" in entry.type else "Thesis"
    return [
        _THESES.get(kind.lower(), kind) or default,
        entry.text("school", "institution", "publisher", "organization"),
    ]


def _report(entry: Entry) -> list[str]:
    kind, number = entry.text("type"), entry.text("number", "version")
    named = {"techreport": "Technical report", "": "Technical report", "resreport": "Research report"}
    kind = named.get(kind.lower(), kind)
    return [
        number if number.lower().startswith(kind.lower()) else f"{kind} {number}".strip(),
        entry.text("institution", "organization", "publisher", "school"),
    ]


def _patent(entry: Entry) -> list[str]:
    kind, number = entry.text("type").lower(), entry.text("number")
    country = {"patentus": "US", "patenteu": "European", "patentde": "German", "patentuk": "UK", "patentfr": "French"}
    return [
        f"{country.get(kind, '')} patent {number}".strip().replace("patent", "Patent", not country.get(kind)),
        *_people(entry, "holder", "held by"),
    ]


def _software(entry: Entry) -> list[str]:
    kind = {"dataset": "Dataset", "data": "Dataset", "software": "Software"}.get(entry.type, "")
    return [entry.text("type") or kind, *_note(entry), *_publisher(entry)[:1], entry.text("institution")]


def _standard(entry: Entry) -> list[str]:
    return [f"{entry.text('type') or 'Standard'} {entry.text('number')}".strip(), *_note(entry), *_publisher(entry)]


def _other(entry: Entry) -> list[str]:
    where = (
        [_titled(entry, ("journaltitle", "journal", "booktitle"), "booksubtitle")] if "title" in entry.fields else []
    )
    if where and re.match(r"(?:arxiv|corr\b)", where[0], re.IGNORECASE):
        where = []
    remark = entry.text("note") if entry.type == "unpublished" else ""
    return [
        *where,
        *_note(entry),
        remark,
        entry.text("eventtitle"),
        entry.text("publisher", "organization", "institution", "school"),
    ]


def _note(entry: Entry) -> list[str]:
    """Return how it was published where that is words; an address becomes the title's link instead."""
    texts = [plain(entry.fields[name]) for name in ("howpublished", "version") if name in entry.fields]
    texts = [f"version {text}" if re.match(r"\d", text) else text for text in texts]
    return [text for text in texts if not find_url(text) and not find_arxiv(text)]


def _state(entry: Entry) -> list[str]:
    """Return `in press` and the like, where that does not stand for the year already."""
    dated = entry.fields.get("year") or entry.fields.get("date")
    return [PUBLICATION_STATES.get(state, state)] if dated and (state := entry.text("pubstate").lower()) else []


def _ordinal(number: int) -> str:
    return "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


_OWN_WORDS = re.compile(r"(?:edited|translated|held) by|volume|version|chapter|in p|preprint|submitted|[a-z]+ edition")
PUBLICATION_STATES = {"inpress": "in press", "inpreparation": "in preparation", "prepublished": "preprint"}
_THESES = {
    "phdthesis": "PhD thesis", "mathesis": "Master's thesis", "mastersthesis": "Master's thesis",
    "bathesis": "Bachelor's thesis", "bachelorthesis": "Bachelor's thesis", "candthesis": "Candidate thesis",
}  # fmt: skip
_VENUES: dict[str, Callable[[Entry], list[str]]] = {
    **dict.fromkeys(("article", "periodical", "suppperiodical", "review"), _journal),
    **dict.fromkeys(
        (
            "inproceedings",
            "conference",
            "incollection",
            "inbook",
            "bookinbook",
            "suppbook",
            "suppcollection",
            "inreference",
        ),
        _proceedings,
    ),
    **dict.fromkeys(
        (
            "book",
            "mvbook",
            "collection",
            "mvcollection",
            "proceedings",
            "mvproceedings",
            "booklet",
            "manual",
            "reference",
            "mvreference",
        ),
        _book,
    ),
    **dict.fromkeys(("phdthesis", "mastersthesis", "thesis"), _thesis),
    **dict.fromkeys(("techreport", "report"), _report),
    **dict.fromkeys(("software", "dataset", "data"), _software),
    "patent": _patent,
    "standard": _standard,
}
