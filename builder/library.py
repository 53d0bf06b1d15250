"""`Library`: the articles of a site, read and parsed; what did not change since is not read again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from .article import Article, read_article
from .bibliography import Bibliography, read_bibliography
from .document import Document, parse
from .errors import BuildError, Problem, nearest, relative_to
from .mathematics import Katex
from .site import Site, built_in, cache_folder

__all__ = ["Library"]


class Library:
    """Reads a site's articles, again and again: `serve` asks for them whenever a file was saved."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._memo: dict[Any, Any] = {}
        self._katex: dict[tuple[tuple[str, str], ...], Katex] = {}

    def read(self, only: frozenset[str] = frozenset()) -> list[Document]:
        """Return the articles that are to be shown, parsed; with `only`, those of these slugs.

        Raises `BuildError` where there are none, where two have one address, and for a slug that none has.
        """
        files = sorted(self.site.content.glob("*/article.md"))
        if not files:
            raise BuildError("missing articles: no content/SLUG/article.md", self.site.content)
        articles = [self._remembered(partial(read_article, file, self.site), file) for file in files]
        _check_slugs(articles)
        slugs = {article.slug: article.path for article in articles}
        unknown = only - set(slugs)
        if unknown:
            raise BuildError(
                problems=[Problem(f"unknown article: {slug}{nearest(slug, slugs)}") for slug in sorted(unknown)]
            )
        shown = [
            article
            for article in articles
            if (self.site.drafts or not article.meta.draft) and (not only or article.slug in only)
        ]
        # links may lead to articles that `only` leaves standing, but not to drafts that nobody will see
        targets = {a.slug: a.path for a in articles if self.site.drafts or not a.meta.draft}
        documents = [self._parse(article, targets) for article in shown]
        if not documents:
            raise BuildError("missing articles: all are drafts; build with --drafts", self.site.content)
        return documents

    def _parse(self, article: Article, slugs: Mapping[str, Path]) -> Document:
        bibliography = self.bibliography(article)
        tex = self.tex(article)
        make = partial(parse, article, bibliography, articles=slugs, tex=tex)
        sources = [article.path, *self._bib_files(article), *sorted(article.folder.rglob("*"))]
        document: Document = self._remembered(make, *sources, extra=tuple(slugs))
        return document

    def _bib_files(self, article: Article) -> list[Path]:
        return list(dict.fromkeys((*self.site.bibliographies, *article.meta.bibliography)))

    def bibliography(self, article: Article) -> Bibliography:
        """Return what an article may cite."""
        files = self._bib_files(article)
        bibliography: Bibliography = self._remembered(partial(read_bibliography, files), *files)
        return bibliography

    def tex(self, article: Article) -> Callable[[str, bool], str]:
        """Return what sets an article's formulas: TeX and whether it is displayed, to HTML."""
        macros = dict(article.meta.macros)
        key = tuple(sorted(macros.items()))
        if key not in self._katex:
            script = built_in("theme") / "built" / "katex" / "katex.min.js"
            self._katex[key] = Katex(script, cache_folder() / "math", macros)
        return self._katex[key].render

    def _remembered(self, make: Callable[[], Any], *sources: Path, extra: Any = None) -> Any:
        """Return what `make` returned last time, unless one of its source files changed since.

        What has errors is made anew each time: they may be about files that are not among the sources, or not yet.
        """
        key = (make.func.__name__, sources)  # type: ignore[attr-defined]
        stamp = (extra, tuple((s.stat().st_mtime_ns, s.stat().st_size) for s in sources if s.exists()))
        known = self._memo.get(key)
        if known is not None and known[0] == stamp:
            return known[1]
        made = make()
        if not any(problem.severity == "error" for problem in made.problems):
            self._memo[key] = (stamp, made)
        return made


def _check_slugs(articles: list[Article]) -> None:
    """Raise `BuildError` for articles with one address; on many disks, and in many heads, case makes no difference."""
    first: dict[str, Article] = {}
    problems = []
    for article in articles:
        known = first.setdefault(article.slug.casefold(), article)
        if known is not article:
            where = relative_to(Problem("", known.path), article.root).path
            problems.append(Problem(f"duplicate slug: {article.slug} (first in {where})", article.path, 1))
    if problems:
        raise BuildError(problems=problems)
