"""`CiteAs`: how an article wants to be cited, in a line and in BibTeX."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from ..article import Meta
from ..bibliography.entry import Name
from ..site import Site
from .names import divide_name

__all__ = ["CiteAs", "cite", "doi_url", "escape_tex"]


@dataclass(frozen=True)
class CiteAs:
    """What a reader cites; texts are plain, a template sets them. `link` is the DOI's address, else the page's."""

    key: str
    people: str
    """Whom a line names: `Lovelace`, `Lovelace & Hopper`, `Lovelace et al.`"""
    title: str
    container: str
    """The journal, or else the site."""
    year: str
    link: str | None
    bibtex: str


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ARTICLES = {"a", "an", "the"}
_LETTERS = str.maketrans({
    "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "đ": "d", "Đ": "D",
    "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i",
})  # fmt: skip
_ESCAPES = str.maketrans({
    "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}", "`": r"\textasciigrave{}",
    "{": r"\textbraceleft{}", "}": r"\textbraceright{}",  # BibTeX counts \{ too, and finds it without its other half
})  # fmt: skip


def cite(meta: Meta, site: Site, url: str | None) -> CiteAs:
    """Return how to cite an article whose page has the full address `url`, None where the site's is not known."""
    names = [divide_name(author) for author in meta.authors]
    year = str(meta.date.year) if meta.date else ""
    key = meta.citation_key or _key(meta, names)
    container = meta.container_title or site.title
    bibtex = _bibtex(meta, key, names, site, url)
    return CiteAs(key, _people(names), meta.title, container, year, doi_url(meta.doi) or url, bibtex)


def doi_url(doi: str | None) -> str | None:
    """Return the address that a DOI resolves at."""
    return f"https://doi.org/{quote(doi, safe='/:;().-_~')}" if doi else None


def escape_tex(text: str) -> str:
    r"""Return a text as TeX that prints it, on one line; accents stay what they are.

    >>> escape_tex("R&D at 100%")
    'R\\&D at 100\\%'
    """
    printed = "".join(" " if unicodedata.category(letter) in ("Cc", "Cs") else letter for letter in text)
    escaped = " ".join(printed.split()).translate(_ESCAPES)
    return re.sub(r"(?<=([-']))(?=\1)", "{}", escaped)  # no dash of two hyphens, no quotes of two apostrophes


def _key(meta: Meta, names: Sequence[Name]) -> str:
    """Return the first author's family name, the year and the title's first word, in ASCII's small letters.

    Where there is no author, or one in other letters, the word comes first: some programs want keys to begin with one.
    """
    words = [folded for word in meta.title.split() if (folded := _fold(word))]
    first = next((word for word in words if word not in _ARTICLES), words[0] if words else "")
    family = _fold(names[0].family) if names else ""
    year = str(meta.date.year) if meta.date else ""
    return f"{family}{year}{first}" if family else f"{first or meta.slug}{year}"


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return re.sub(r"[^a-z0-9]+", "", plain.encode("ascii", "ignore").decode().casefold())


def _people(names: Sequence[Name]) -> str:
    families = [name.family for name in names]
    return f"{families[0]} et al." if len(families) > 2 else " & ".join(families)


def _bibtex(meta: Meta, key: str, names: Sequence[Name], site: Site, url: str | None) -> str:
    """Return the entry: an `article` of a journal that the author names, else `misc` of the site."""
    where = "journal" if meta.container_title else "howpublished"
    fields = {
        "author": f"{{{' and '.join(_name(name) for name in names)}}}" if names else "",
        "title": f"{{{_title(meta.title)}}}",
        where: f"{{{escape_tex(meta.container_title or site.title)}}}",
        "year": f"{{{meta.date.year}}}" if meta.date else "",
        "month": _MONTHS[meta.date.month - 1] if meta.date else "",  # a string that styles spell out
        "doi": f"{{{meta.doi}}}" if meta.doi else "",
        "url": f"{{{url}}}" if url else "",
    }
    lines = [f"  {name} = {value}" for name, value in fields.items() if value]
    return f"@{'article' if meta.container_title else 'misc'}{{{key},\n" + ",\n".join(lines) + "\n}"


def _name(name: Name) -> str:
    """Return a name as BibTeX reads it: `van der Maaten, Laurens`, and braces around one that has no parts."""
    if not name.first and not name.von:
        return f"{{{escape_tex(name.last)}}}"
    parts = [name.family, name.jr, name.first] if name.jr else [name.family, name.first]
    return ", ".join(_guard(part) for part in parts)


def _guard(part: str) -> str:
    """Return a part of a name; a comma or an `and` in it separates nothing within braces."""
    escaped = escape_tex(part)
    return f"{{{escaped}}}" if re.search(r",|\band\b", escaped, re.IGNORECASE) else escaped


def _title(title: str) -> str:
    """Return a title in which styles that write small letters leave names and acronyms alone."""
    words = []
    for place, word in enumerate(title.split()):
        before, core, after = re.fullmatch(r"(\W*)(.*?)(\W*)", word, re.DOTALL).groups()  # type: ignore[union-attr]
        if any(letter.isupper() for letter in (core[1:] if place == 0 else core)):
            words.append(f"{escape_tex(before)}{{{escape_tex(core)}}}{escape_tex(after)}")
        else:
            words.append(escape_tex(word))
    return " ".join(words)
