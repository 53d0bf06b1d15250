"""`Document`: an article parsed; every number is settled, every name looked up, nothing rendered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from ..source_map import Source
from .labels import PAGE_ANCHORS, Label
from .mentions import Mention, Value
from .reading import Footnote, Reading, plain_text
from .settling import Heading, Link, Settling

__all__ = ["Document", "Footnote", "Heading", "Label", "Link", "Mention", "Value", "check_fragments", "parse"]


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
    n_words: int
    excerpt: str
    problems: tuple[Problem, ...]


def parse(
    article: Article,
    bibliography: Bibliography,
    *,
    articles: Mapping[str, Path] | None = None,
    tex: Callable[[str, bool], str] | None = None,
) -> Document:
    """Parse an article's body. Raises nothing for what an author wrote: all of it becomes `problems`.

    `articles` are those of the build, file by slug, that links may lead to. `tex` typesets a formula (TeX, whether it
    is displayed) and raises `TexError` for what is wrong in it. Problems of the article and of the bibliography come
    first.
    """
    source = Source(article.path, article.body, article.body_line)
    parser = make_parser()
    env: dict[str, Any] = {"source": source}
    reading = Reading(parser.parse(article.body, env), env, source)
    settling = Settling(article, bibliography, articles or {article.slug: article.path}, tex, source)
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
        citations=tuple(settling.citing_places),
        citing_places=settling.citing_places,
        handles=tuple(settling.handles),
        footnotes=footnotes,
        pictures=settling.pictures,
        files=settling.files,
        links=tuple(settling.links),
        mentions=tuple(settling.mentions.mentions),
        values=tuple(settling.mentions.values),
        anchors=frozenset(settling.labels.anchors) | PAGE_ANCHORS,
        has_math=settling.has_math,
        n_words=settling.n_words,
        excerpt=_excerpt(reading.tokens),
        problems=(*article.problems, *bibliography.problems, *bibliography.problems_of(settling.citing_places), *found),
    )


def check_fragments(documents: Sequence[Document]) -> tuple[Problem, ...]:
    """Return a problem for each link from one of the articles to a place in another that is not there."""
    anchors = {document.article.slug: document.anchors for document in documents}
    return tuple(
        Problem(
            f"broken link: #{link.fragment} is not in {link.slug}{nearest(link.fragment, anchors[link.slug])}",
            document.article.path,
            link.line,
            link.column,
        )
        for document in documents
        for link in document.links
        if link.slug in anchors and link.fragment and link.fragment not in anchors[link.slug]
    )


def _excerpt(tokens: Sequence[Token], length: int = 300) -> str:
    """Return the first paragraph as plain text, cut at a word."""
    for opening, inline in pairwise(tokens):
        text = plain_text(inline.children) if opening.type == "paragraph_open" else ""
        if len(text) > length:
            return text[:length].rpartition(" ")[0] + "…"
        if text:
            return text
    return ""
