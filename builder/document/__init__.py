"""`Document`: an article parsed; every number is settled, every name looked up, nothing rendered."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from markdown_it.token import Token

from ..article import Article
from ..bibliography import Bibliography
from ..directives import make_parser
from ..errors import Problem, nearest
from ..figure import FigureSpec
from ..site.plugins import Plugin
from ..source_map import Source
from .labels import PAGE_ANCHORS, Label
from .mentions import Mention, Value
from .reading import Footnote, Reading, formulas, plain_text
from .settling import Heading, Settling
from .targets import Link

__all__ = [
    "Document",
    "Footnote",
    "Heading",
    "Label",
    "Link",
    "Mention",
    "Value",
    "check_fragments",
    "parse",
    "reading_minutes",
]


@dataclass(frozen=True)
class Document:
    """An article, ready to be rendered. Equations are numbered if they have a label; all else that has a number is."""

    article: Article
    tokens: tuple[Token, ...]
    """markdown-it's, folded (see `directives.fold`); where there are any, a token `appendix` holds the sections that
    come after the text, and a last one, `footnotes`, the notes."""
    figures: tuple[FigureSpec, ...]
    headings: tuple[Heading, ...]
    labels: Mapping[str, Label]
    citations: tuple[str, ...]
    """Keys in order of first citing, footnotes and captions read where they stand."""
    citing_places: Mapping[str, int]
    """How often each key is cited."""
    handles: tuple[str, ...]
    """Bare `@words` that are no citations for as long as the bibliography has no such key, nor one like it."""
    footnotes: tuple[Footnote, ...]
    pictures: Mapping[str, Path]
    """The pictures, by the path that the article names them with."""
    dark: Mapping[str, Path]
    """Those to show by night instead, by the same names."""
    files: Mapping[str, Path]
    """Other files that the article links to, by their path in the site."""
    links: tuple[Link, ...]
    """Links to other articles, whose fragments `check_fragments` looks up when all are parsed."""
    mentions: tuple[Mention, ...]
    """Words and graphics that stand for a part of a figure; `builder.prose` looks the parts up."""
    values: tuple[Value, ...]
    """Numbers and texts out of results."""
    anchors: frozenset[str]
    """Every id that a link may lead to."""
    has_math: bool
    has_code: bool
    has_tabs: bool
    n_words: int
    excerpt: str
    problems: tuple[Problem, ...]


def parse(
    article: Article,
    bibliography: Bibliography,
    *,
    articles: Mapping[str, Path] | None = None,
    tex: Callable[[str, bool], str] | None = None,
    prepare: Callable[[list[tuple[str, bool]]], None] | None = None,
    html: str = "safe",
    plugins: tuple[Plugin, ...] = (),
) -> Document:
    """Parse an article's body. Raises nothing for what an author wrote: all of it becomes `problems`.

    `articles` are those of the build, file by slug, that links may lead to. `tex` typesets a formula (TeX, whether it
    is displayed) and raises `TexError` for what is wrong in it; `prepare` is told of all of them first, for many are
    sooner typeset together; `html` is what becomes of HTML, the site's setting;
    `plugins` are the site's.
    Problems of the article and of the bibliography come first.
    """
    source = Source(article.path, article.body, article.body_line)
    parser = make_parser(plugins)
    env: dict[str, Any] = {"source": source, "html": html}
    tokens = parser.parse(article.body, env)
    if prepare is not None:
        prepare(list(formulas(tokens)))
    reading = Reading(tokens, env, source)
    settling = Settling(article, bibliography, articles or {article.slug: article.path}, tex, source, html)
    for token, locate in reading.walk():
        settling.settle(token, locate)
    settling.finish()
    footnotes = reading.footnotes()
    notes = [Token("footnotes", "", 0, block=True, meta={"notes": footnotes})] if footnotes else []
    found = sorted(source.problems, key=lambda problem: (problem.line or 0, problem.column or 0))
    return Document(
        article=article,
        tokens=(*reading.tokens, *notes),
        figures=tuple(settling.figures),
        headings=tuple(settling.headings),
        labels=settling.labels.by_name,
        citations=tuple(settling.citations.places),
        citing_places=settling.citations.places,
        handles=tuple(settling.citations.handles),
        footnotes=footnotes,
        pictures=settling.targets.pictures,
        dark=settling.targets.dark,
        files=settling.targets.files,
        links=tuple(settling.targets.links),
        mentions=tuple(settling.mentions.mentions),
        values=tuple(settling.mentions.values),
        anchors=frozenset(settling.labels.anchors) | PAGE_ANCHORS,
        has_math=settling.has_math,
        has_code=settling.blocks.has_code,
        has_tabs=settling.blocks.has_tabs,
        n_words=settling.n_words,
        excerpt=_excerpt(reading.tokens),
        problems=(
            *article.problems,
            *bibliography.problems,
            *bibliography.problems_of(settling.citations.places),
            *found,
        ),
    )


def check_fragments(links: Mapping[Path, Sequence[Link]], anchors: Mapping[str, Collection[str]]) -> list[Problem]:
    """Return a problem for each link from one article to a place in another that is not there.

    `links` are those of the articles, by file, `anchors` all ids on a page, by slug.
    """
    return [
        Problem(
            f"broken link: #{link.fragment} is not in {link.slug}{nearest(link.fragment, anchors[link.slug])}",
            path,
            link.line,
            link.column,
        )
        for path, found in links.items()
        for link in found
        if link.slug in anchors and link.fragment and link.fragment not in anchors[link.slug]
    ]


def reading_minutes(n_words: int) -> int:
    """Return how long an article takes to read, at 230 words a minute."""
    return max(1, round(n_words / 230))


def _excerpt(tokens: Sequence[Token], length: int = 300) -> str:
    """Return the first paragraph as plain text, cut at a word; citations that are gone leave no space before a stop."""
    for opening, inline in pairwise(tokens):
        text = plain_text(inline.children) if opening.type == "paragraph_open" else ""
        text = re.sub(r" (?=[.,;](?:\s|$))", "", text)
        if len(text) > length:
            return text[:length].rpartition(" ")[0] + "…"
        if text:
            return text
    return ""
