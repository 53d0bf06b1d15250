"""`Meta`: an article's front matter, every key of it validated and typed."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import nearest
from ..figure import Option
from ..local import LocalError, find_local, find_picture
from ..site.settings import CITATION_STYLES, REFERENCE_ORDERS
from .people import Affiliation, Author, read_affiliations, read_authors
from .reader import Reader

__all__ = ["Affiliation", "Author", "Meta", "MetaReader"]


@dataclass(frozen=True)
class Meta:
    """Front matter. Whatever is missing or wrong has its default, and was reported."""

    title: str
    slug: str
    subtitle: str | None = None
    description: str | None = None
    abstract: str | None = None
    """What the article says, in paragraphs with an empty line between them."""
    date: datetime.date | None = None
    updated: datetime.date | None = None
    authors: tuple[Author, ...] = ()
    affiliations: tuple[Affiliation, ...] = ()
    bibliography: tuple[Path, ...] = ()
    tags: tuple[str, ...] = ()
    draft: bool = False
    license: str | None = None
    doi: str | None = None
    citation: bool = True
    """Whether the page says how to cite it; `citation: false` turns that off."""
    citation_key: str | None = None
    container_title: str | None = None
    citation_file: bool = False
    """Whether a `CITATION.cff` is published beside the page."""
    thumbnail: Path | Option | None = None
    """The picture that stands for the article, or the label of a figure; None is the first of either."""
    toc: bool = True
    macros: Mapping[str, str] = field(default_factory=dict)
    comments: bool | Mapping[str, Any] = False
    citation_style: str | None = None
    """`numbered` or `author-year`; None is the site's, as of the next two."""
    reference_order: str | None = None
    sidenotes: bool | None = None
    runs: Mapping[str, Mapping[str, Option]] = field(default_factory=dict)
    figures: Mapping[str, Option] = field(default_factory=dict)


KEYS = {
    "title", "subtitle", "description", "abstract", "date", "updated", "author", "authors", "affiliations",
    "bibliography", "tags", "draft", "license", "doi", "citation", "thumbnail", "toc", "slug", "math", "comments",
    "runs", "figures", "citation_style", "reference_order", "sidenotes",
}  # fmt: skip
_ELSEWHERE = {
    **dict.fromkeys(("keywords", "categories", "category", "topics"), "tags"),
    **dict.fromkeys(("image", "cover", "preview", "og_image", "teaser", "banner"), "thumbnail"),
    **dict.fromkeys(("summary", "excerpt"), "description"),
    **dict.fromkeys(("lastmod", "last_modified", "last-modified", "date-modified", "modified"), "updated"),
    **dict.fromkeys(("permalink", "url"), "slug"),
    **dict.fromkeys(("institute", "institution", "affiliation"), "affiliations"),
    **dict.fromkeys(("references", "bib", "bibfile"), "bibliography"),
    **dict.fromkeys(("copyright", "rights", "licence"), "license"),
    **dict.fromkeys(("giscus_comments", "disqus_comments", "discussion"), "comments"),
    **dict.fromkeys(("published", "publish", "unlisted"), "draft"),
    **dict.fromkeys(("reference-location", "notes"), "sidenotes"),
    **dict.fromkeys(("csl", "citation-style"), "citation_style"),
    "macros": "math.macros",
    "acknowledgements": "a section {.appendix}",
    "acknowledgments": "a section {.appendix}",
    **dict.fromkeys(("lang", "language", "locale"), "language in pyproject.toml, under [tool.fanlight]"),
}
"""What Quarto, MyST, Jekyll, Hugo and Distill call it, or what says the same."""
_NEEDLESS = frozenset({
    "dir", "distill", "engine", "execute", "exports", "format", "jupyter", "jupytext", "kernelspec", "layout",
    "number-sections", "output", "theme",
})  # fmt: skip
"""What no article says here: pages of a site are alike."""
RUN_KEYS = {"model", "prompt", "generate", "output", "chat", "do_sample", "temperature", "top_k", "top_p", "seed"}
TAKEN = {"assets", "data", "page", "pagefind", "tags"}
"""Folders of the site that are no article's."""
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_KEY = re.compile(r"[\w:.+/-]+", re.ASCII)
_DOI = re.compile(r"10\.\d{4,}/[^\s{}\\\"]+")


class MetaReader(Reader):
    """Reads front matter of one article; what is wrong goes to `problems`."""

    def read(self) -> Meta:
        """Return the front matter."""
        for key, value in self.mapping:
            if key not in KEYS:
                self.complain(f"unknown front matter: {key}{_meant(key)}", value)
        folder = self.path.parent.name
        slug = self.text("slug", folder) or folder
        if not _SLUG.fullmatch(slug):
            latin = unicodedata.normalize("NFKD", slug.replace("ß", "ss")).encode("ascii", "ignore").decode()
            other = re.sub(r"[^A-Za-z0-9_-]+", "-", latin).strip("-_")
            wrong = f"invalid slug: {slug} (it is a-z, 0-9, - and _; say another with `slug: …`"
            self.complain(f"{wrong}, such as {other})" if other else f"{wrong})", self.mapping.get("slug"))
            slug = other or "article"
        elif slug.casefold() in TAKEN:
            self.complain(f"invalid slug: {slug} is where the site keeps other files", self.mapping.get("slug"))
        title = self.text("title")
        written = self.mapping.get("title")
        if not title and (written is None or written.text() is not None):
            self.complain("missing title: write `title: …` in the front matter", written)
        if "author" in self.mapping.values and "authors" in self.mapping.values:
            self.complain("duplicate key: author is another name of authors", self.mapping.get("author"))
        listed = read_affiliations(self.mapping.get("affiliations"), self.complain)
        authors, affiliations = read_authors(
            self.mapping.get("authors") or self.mapping.get("author"), listed, self.complain
        )
        citation, citation_key, container_title, citation_file = self.citation()
        if citation_file and not authors:
            self.complain("missing authors: a CITATION.cff names at least one", self.mapping.get("citation"))
        return Meta(
            title=title or slug,
            slug=slug,
            subtitle=self.text("subtitle"),
            description=self.text("description"),
            abstract=self.text("abstract"),
            date=self.date("date"),
            updated=self.date("updated"),
            authors=authors,
            affiliations=affiliations,
            bibliography=self.bibliography(),
            tags=self.tags(),
            draft=self.switch("draft", False),
            license=self.text("license"),
            doi=self.doi(),
            citation=citation,
            citation_key=citation_key,
            container_title=container_title,
            citation_file=citation_file and bool(authors),
            thumbnail=self.thumbnail(),
            toc=self.switch("toc", True),
            macros=self.macros(),
            comments=self.comments(),
            citation_style=self.choice("citation_style", CITATION_STYLES),
            reference_order=self.choice("reference_order", REFERENCE_ORDERS),
            sidenotes=self.switch("sidenotes", False) if "sidenotes" in self.mapping.values else None,
            runs=self.runs(),
            figures=self.options("figures"),
        )

    def tags(self) -> tuple[str, ...]:
        """Return the tags; one text may name several, with commas between."""
        value = self.mapping.get("tags")
        if value is None or value.text() is None:
            return self.texts("tags")
        return tuple(tag.strip() for text in self.texts("tags") for tag in text.split(",") if tag.strip())

    def bibliography(self) -> tuple[Path, ...]:
        """Return the `.bib` files, all of which exist in the site."""
        found = []
        for written, value in self.written("bibliography"):
            try:
                file = find_local(written, self.path.parent, self.root, "bibliography")
            except LocalError as error:
                self.complain(str(error), value)
                continue
            if file.is_file():
                found.append(file)
            else:
                self.complain(f"invalid bibliography: {written} is a folder", value)
        return tuple(dict.fromkeys(found))

    def thumbnail(self) -> Path | Option | None:
        """Return the picture that stands for the article, or the label of a figure."""
        written = self.text("thumbnail")
        if written is None:
            return None
        if re.fullmatch(r"[@#]?fig-[\w-]+", written):
            value = self.mapping.get("thumbnail")
            return Option(written.lstrip("@#"), value.line if value is not None else 1)
        try:
            return find_picture(written, self.path.parent, self.root)
        except LocalError as error:
            self.complain(str(error), self.mapping.get("thumbnail"))
            return None

    def doi(self) -> str | None:
        """Return the bare DOI, however it is written."""
        written = self.text("doi")
        if written is None:
            return None
        bare = re.sub(r"^(https?://(dx\.)?doi\.org/|doi:)", "", written, flags=re.IGNORECASE)
        if not _DOI.fullmatch(bare):
            self.complain(f"invalid doi: {written} (a DOI looks like 10.23915/distill.00010)", self.mapping.get("doi"))
            return None
        return bare

    def citation(self) -> tuple[bool, str | None, str | None, bool]:
        """Return whether to say how to cite the article, the key and journal to say it with, and whether in a file."""
        value = self.mapping.get("citation")
        if value is None or value.mapping() is None:
            return self.switch("citation", True), None, None, False
        inner = self.inner("citation", {"key", "container-title", "cff"})
        key = inner.text("key")
        if key is not None and not _KEY.fullmatch(key):
            inner.complain(f"invalid key: {key} (letters, digits and - _ : . + /)", inner.mapping.get("key"))
            key = None
        return True, key, inner.text("container-title"), inner.switch("cff", False)

    def macros(self) -> dict[str, str]:
        r"""Return TeX macros: `math: {macros: {"\\R": "\\mathbb{R}"}}`."""
        inner = self.inner("math", None)
        for name, entry in inner.mapping:
            if name != "macros":
                below = " (did you mean math.macros, and this below it?)" if name.startswith("\\") else ""
                self.complain(f"unknown front matter: math.{name}{below or nearest(name, ['macros'])}", entry)
        macros = inner.inner("macros", None)
        return {name: written for name, _ in macros.mapping if (written := macros.text(name)) is not None}

    def comments(self) -> bool | Mapping[str, Any]:
        """Return whether readers may comment, or the settings with which."""
        value = self.mapping.get("comments")
        if value is None or value.mapping() is None:
            return self.switch("comments", False)
        try:
            return dict(value.natural())
        except ValueError as error:
            self.complain(f"invalid comments: {error}", value)
            return False

    def runs(self) -> dict[str, dict[str, Option]]:
        """Return the named runs that figures share."""
        runs = self.inner("runs", None)
        return {name: runs.options(name, RUN_KEYS) for name, _ in runs.mapping}


def _meant(key: str) -> str:
    """Return what an author is told of a key that there is not: what says the same here, or the nearest one."""
    if key in _NEEDLESS:
        return " (leave it out)"
    other = _ELSEWHERE.get(key)
    return f" (did you mean {other}?)" if other else nearest(key, KEYS)
