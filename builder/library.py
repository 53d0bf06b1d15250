"""`Library`: the articles of a site, read and parsed; what did not change since is not read again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from .article import Article, read_article
from .bibliography import Bibliography, read_bibliography
from .document import Document, parse
from .errors import BuildError, Problem, nearest, relative_to
from .folders import built_in, cache_folder
from .local import LocalError, find_local
from .mathematics import Katex
from .paths import known_names
from .site import Site

__all__ = ["Library", "check_slugs", "find_strays"]

_TEXTS = frozenset({".ipynb", ".markdown", ".md", ".mdx", ".qmd", ".rmd"})


class Library:
    """Reads a site's articles, again and again: `serve` asks for them whenever a file was saved.

    Without `keep` it forgets what it parsed: a thousand articles are hundreds of megabytes.
    """

    def __init__(self, site: Site, *, keep: bool = True) -> None:
        self.site = site
        self.keep = keep
        self._memo: dict[Any, Any] = {}
        self._katex: dict[tuple[tuple[str, str], ...], Katex] = {}

    def files(self) -> list[Path]:
        """Return the articles' files. Raises `BuildError` where there are none, or where a link leaves the site."""
        files = sorted(self.site.content.glob("*/article.md"))
        if not files:
            near = next((f" (did you mean {meant}, for {file.name}?)" for file, meant in find_strays(self.site)), "")
            raise BuildError(f"missing articles: no content/SLUG/article.md{near}", self.site.content)
        named = [("article", file) for file in files] + [("bibliography", file) for file in self.site.bibliographies]
        problems = [problem for what, file in named if (problem := self._maybe_outside(file, what))]
        if problems:
            raise BuildError(problems=problems)
        return files

    def _maybe_outside(self, file: Path, what: str) -> Problem | None:
        """Return what is wrong with a link among the sources: what lies elsewhere on a disk is not a site's."""
        if file.resolve() == file:
            return None
        try:
            find_local(file.relative_to(self.site.root).as_posix(), self.site.root, self.site.root, what)
        except LocalError as error:
            return Problem(str(error), file)
        return None

    def article(self, file: Path) -> Article:
        """Return an article, read but not parsed."""
        article: Article = self._remembered(partial(read_article, file, self.site), file)
        return article

    def read(self, only: frozenset[str] = frozenset()) -> list[Document]:
        """Return the articles that are to be shown, parsed; with `only`, those of these slugs.

        Raises `BuildError` where there are none, where two have one address, and for a slug that none has.
        """
        articles = [self.article(file) for file in self.files()]
        try:
            check_slugs([(article.slug, article.path) for article in articles], self.site.root, only)
        except BuildError as error:
            if not error.problems[0].message.startswith("duplicate"):
                raise  # `--only` what is not there
            every = {article.slug: article.path for article in articles}
            more = [problem for article in articles for problem in self.parse(article, every).problems]
            raise BuildError(problems=[*error.problems, *more]) from error  # all that is wrong, in one run
        listed = [article for article in articles if self.site.drafts or not article.meta.draft]
        targets = {article.slug: article.path for article in listed}
        documents = [self.parse(article, targets) for article in listed if not only or article.slug in only]
        if not documents:
            raise BuildError("missing articles: all are drafts; build with --drafts", self.site.content)
        return documents

    def parse(self, article: Article, targets: Mapping[str, Path]) -> Document:
        """Return an article parsed. `targets` are those that links may lead to, file by slug."""
        make = partial(
            parse,
            article,
            self.bibliography(article),
            articles=targets,
            tex=self.tex(article),
            prepare=self._typesetter(article).prepare,
            html=self.site.html,
            plugins=self.site.plugins,
        )
        sources = [article.path, *self.bib_files(article), *sorted(article.folder.rglob("*"))]
        document: Document = self._remembered(make, *sources, extra=tuple(targets)) if self.keep else make()
        self._typesetter(article).flush()
        return document

    def bib_files(self, article: Article) -> list[Path]:
        """Return the files of what an article may cite, the site's and then its own."""
        return list(dict.fromkeys((*self.site.bibliographies, *article.meta.bibliography)))

    def bibliography(self, article: Article) -> Bibliography:
        """Return what an article may cite."""
        files = self.bib_files(article)
        bibliography: Bibliography = self._remembered(partial(read_bibliography, files), *files)
        return bibliography

    def tex(self, article: Article) -> Callable[[str, bool], str]:
        """Return what sets an article's formulas: TeX and whether it is displayed, to HTML."""
        return self._typesetter(article).render

    def _typesetter(self, article: Article) -> Katex:
        macros = dict(article.meta.macros)
        key = tuple(sorted(macros.items()))
        if key not in self._katex:
            script = built_in("theme") / "built" / "katex" / "katex.min.js"
            self._katex[key] = Katex(script, cache_folder() / "math", macros)
        return self._katex[key]

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


def find_strays(site: Site) -> Iterator[tuple[Path, str]]:
    """Yield each text that lies where an article might, and is none, with what it would have to be called."""
    for file in sorted([*site.content.glob("*"), *site.content.glob("*/*")]):
        hidden = file.name.startswith((".", "_")) or file.stem.casefold() == "readme"
        if hidden or file.suffix.lower() not in _TEXTS or not file.is_file():
            continue
        is_alone = file.parent == site.content
        if is_alone or not (file.parent / "article.md").is_file():
            yield file, f"content/{file.stem if is_alone else file.parent.name}/article.md"


def check_slugs(slugs: Sequence[tuple[str, Path]], root: Path, only: frozenset[str] = frozenset()) -> None:
    """Raise `BuildError` for articles with one address, and for a slug in `only` that no article has.

    On many disks, and in many heads, case makes no difference.
    """
    first: dict[str, Path] = {}
    problems = []
    for slug, path in slugs:
        other = first.setdefault(slug.casefold(), path)
        if other is not path:
            where = relative_to(Problem("", other), root).path
            problems.append(Problem(f"duplicate slug: {slug} (first in {where})", path, 1))
    if problems:
        raise BuildError(problems=problems)
    known = sorted(slug for slug, _ in slugs)
    unknown = [
        f"unknown article: {slug}{nearest(slug, known) or known_names(known)}" for slug in sorted(only - {*known})
    ]
    if unknown:
        raise BuildError(problems=map(Problem, unknown))
