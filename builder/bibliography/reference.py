"""`Reference`: a work as readers see it, in plain text and links that are safe to print; templates add the markup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from .entry import Name
from .identifiers import Eprint

__all__ = ["MAX_AUTHORS", "Reference"]

MAX_AUTHORS = 8
"""A byline names this many at most; papers of this field have up to hundreds of authors."""


@dataclass(frozen=True)
class Reference:
    """One line of the reference list. All texts are plain text: a template escapes them. Empty means unknown."""

    key: str
    people: tuple[Name, ...]
    """Authors, or else editors, or else the organisation."""
    named: tuple[Name, ...]
    """Whom a citation names: `people`, unless the bibliography has a shorter form for them."""
    year: str
    title: str
    short_title: str
    venue: str
    incomplete: bool = False
    """Whether the list of people ended with `and others`."""
    editors: bool = False
    """Whether `people` are the editors."""
    doi: str | None = None
    arxiv: str | None = None
    eprint: Eprint | None = None
    url: str | None = None
    pdf: str | None = None
    visited: str = ""
    """The day on which the page at `url` was looked at."""
    sort_key: str = ""
    """What the list is sorted by instead of people, where the bibliography says so."""
    number: int = field(default=0, compare=False)
    """The place in the list, counted from 1. It is the same work at any place."""
    label: str = ""
    """Whom a citation by author and year names, where `short` would leave open who is meant: `J. Wang et al.`"""
    letter: str = ""
    """What tells works of the same people and year apart: `a`, `b`."""

    @property
    def authors(self) -> tuple[str, ...]:
        """The names of `people`, given names first."""
        return tuple(str(name) for name in self.people)

    @property
    def shown(self) -> tuple[Name, ...]:
        """The people whose names stand in a citation: one or two, or the first of many."""
        return self.named if len(self.named) < 3 and not self.is_cut else self.named[:1]

    @property
    def is_cut(self) -> bool:
        """Whether a citation says `et al.`"""
        return len(self.named) > 2 or (self.incomplete and self.named == self.people)

    @property
    def short(self) -> str:
        """Whom a sentence names: `Olsson et al.`, `Jain and Wallace`, and the title where there is nobody."""
        return self.name([name.family for name in self.shown])

    def name(self, shown: Sequence[str]) -> str:
        """Return whom a sentence names, in the given forms of the names of `shown`."""
        if not shown:
            return f"“{self.short_title}”"
        return f"{shown[0]} et al." if self.is_cut else " and ".join(shown)

    @property
    def who(self) -> str:
        """Whom a citation by author and year names."""
        return self.label or self.short

    @property
    def when(self) -> str:
        """The year that a citation by author and year has: `2022a`, `n.d.`, `in press-b`."""
        year = self.year or "n.d."
        return f"{year}{'' if year[-1].isdigit() or not self.letter else '-'}{self.letter}"

    @property
    def anchor(self) -> str:
        """The id of its line in the list."""
        return f"ref-{self.key}"

    @property
    def doi_url(self) -> str | None:
        """The address that a DOI resolves at."""
        return f"https://doi.org/{quote(self.doi, safe='/:;().-_~')}" if self.doi else None

    @property
    def arxiv_url(self) -> str | None:
        """The abstract's page."""
        return f"https://arxiv.org/abs/{self.arxiv}" if self.arxiv else None

    @property
    def pdf_url(self) -> str | None:
        """The paper itself, where that is known; the page given may be it."""
        return self.url if self.url and urlsplit(self.url).path.lower().endswith(".pdf") else self.pdf

    @property
    def link(self) -> str | None:
        """Where the title leads: the page given, else the DOI's, else arXiv's, else an archive's."""
        page = self.url if self.url != self.pdf_url else None
        return page or self.doi_url or self.arxiv_url or (self.eprint.url if self.eprint else None) or self.pdf_url

    @property
    def links(self) -> tuple[tuple[str, str], ...]:
        """Text and address of all places where the work is to be had."""
        page = self.url if self.url != self.pdf_url else None
        host = urlsplit(page).hostname or "" if page else ""
        found = (
            (f"doi:{self.doi}", self.doi_url),
            (f"arXiv:{self.arxiv}", self.arxiv_url),
            (self.eprint.text, self.eprint.url) if self.eprint else ("", None),
            (host.removeprefix("www."), page),
            ("PDF", self.pdf_url),
        )
        return tuple((text, address) for text, address in found if address)

    @property
    def byline(self) -> str:
        """The people as a sentence would list them; a long list is cut and says by how many."""
        return self._list_people(self.authors)

    @property
    def sorted_byline(self) -> str:
        """The people as a list sorted by name has them: the first one's family name first, then a short form."""
        line = self._list_people([name.inverted for name in self.people[:1]] + list(self.authors[1:]))
        return line if self.named == self.people else f"{line} [{self.short}]"

    def _list_people(self, names: Sequence[str]) -> str:
        if self.incomplete:
            line = f"{', '.join(names[:MAX_AUTHORS])} et al."
        elif len(names) > MAX_AUTHORS:
            shown = MAX_AUTHORS - 1
            line = f"{', '.join(names[:shown])} and {len(names) - shown} others"
        elif len(names) > 2:
            line = f"{', '.join(names[:-1])}, and {names[-1]}"
        else:
            line = (", and " if names and "," in names[0] else " and ").join(names)
        return f"{line} ({'eds.' if len(names) > 1 or self.incomplete else 'ed.'})" if self.editors else line

    @property
    def text(self) -> str:
        """The whole reference as one line of plain text."""
        parts = [self.byline, self.title, ", ".join(part for part in (self.venue, self.year) if part)]
        line = " ".join(part if part[-1] in ".?!" else f"{part}." for part in parts if part)
        return f"{line} {self.link}" if self.link else line
