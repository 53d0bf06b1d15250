"""The whole build on one screen: article → document → plan → results → page → site."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from . import engine
from .article import Article, read_article
from .assets import Assets, collect_assets
from .bibliography import Bibliography, read_bibliography
from .cache import Cache, Ledger
from .document import Document, check_fragments, parse
from .errors import BuildError, Problem, nearest
from .figure import Result
from .kind import Kind, load_kinds
from .mathematics import Katex
from .page import ArticlePage, LostPage, SitePage, data_path, make_theme, page_path, render_article, render_index
from .pictures import read_picture
from .plan import Job, Plan, make_plan
from .progress import Listener, Silent
from .site import Site, built_in, cache_folder
from .sources import fingerprint
from .status import FigureStatus, figure_name, read_status
from .write import check_output, write_site

__all__ = ["Builder", "Built", "status"]


@dataclass(frozen=True)
class Built:
    """What a build made: files by path in the site, warnings, and how many answers were computed and found."""

    files: Mapping[str, bytes | Path]
    problems: tuple[Problem, ...]
    computed: int
    cached: int
    seconds: float
    pages: tuple[str, ...]


class Builder:
    """Builds a site, again and again: articles and bibliographies that did not change are not read twice.

    `refresh` holds figure labels (or `all`) to compute anew, `only` the slugs to build; `jobs` is a number of
    processes, 0 for this one.
    """

    def __init__(
        self,
        site: Site,
        *,
        frozen: bool = False,
        refresh: frozenset[str] = frozenset(),
        only: frozenset[str] = frozenset(),
        jobs: int = 0,
        device: str = "auto",
        listener: Listener | None = None,
        keep_models: bool = False,
    ) -> None:
        self.site = site
        self.frozen = frozen
        self.refresh = refresh
        self.only = only
        self.jobs = jobs
        self.device = device
        self.listener: Listener = listener or Silent()
        self.keep_models = keep_models
        self.cache = Cache(cache_folder())
        self._memo: dict[Any, Any] = {}
        self._katex: dict[tuple[tuple[str, str], ...], Katex] = {}

    def build(self) -> Built:
        """Build the site into its output. Raises `BuildError` with all problems, before anything is written."""
        start = time.perf_counter()
        check_output(self.site.output, self.site.root)
        documents = self._read()
        kinds = load_kinds(self.site.folders("figures"))
        plan = make_plan(documents, self.site, kinds, self._fingerprint)
        told = [problem for document in documents for problem in document.problems]
        problems = self._sift([*told, *check_fragments(documents), *plan.problems])
        computed = self._answer(plan)
        results = {address: self._result(job) for address, job in plan.jobs.items()}
        files = self._render(documents, plan, results, kinds)
        write_site(files, self.site.output, root=self.site.root, prune=not self.only)
        self._record(documents, plan)
        self.refresh = frozenset()  # once: `serve` builds again
        pages = tuple(path for path in files if path.endswith(".html"))
        cached = len(plan.jobs) - computed
        return Built(files, tuple(problems), computed, cached, time.perf_counter() - start, pages)

    def status(self) -> list[FigureStatus]:
        """Return how each computed figure stands. Raises `BuildError` for problems that hide a figure."""
        documents = self._read()
        plan = make_plan(documents, self.site, load_kinds(self.site.folders("figures")), self._fingerprint)
        self._sift(list(plan.problems))
        return read_status(documents, plan, self.cache, self._ledger())

    # read, parse

    def _read(self) -> list[Document]:
        """Read and parse the articles that are to be built."""
        files = sorted(self.site.content.glob("*/article.md"))
        if not files:
            raise BuildError("missing articles: no content/SLUG/article.md", self.site.content)
        articles = [self._remembered(partial(read_article, file, self.site), file) for file in files]
        slugs = {article.slug: article.path for article in articles}
        twice = [a for a in articles if slugs[a.slug] != a.path]
        if twice:
            raise BuildError(problems=[Problem(f"duplicate slug: {a.slug}", a.path, 1) for a in twice])
        unknown = self.only - set(slugs)
        if unknown:
            raise BuildError(
                problems=[Problem(f"unknown article: {slug}{nearest(slug, slugs)}") for slug in sorted(unknown)]
            )
        shown = [
            article
            for article in articles
            if (self.site.drafts or not article.meta.draft) and (not self.only or article.slug in self.only)
        ]
        # links may lead to articles that `only` leaves standing, but not to drafts that nobody will see
        targets = {a.slug: a.path for a in articles if self.site.drafts or not a.meta.draft}
        documents = [self._parse(article, targets) for article in shown]
        if not documents:
            raise BuildError("missing articles: all are drafts; build with --drafts", self.site.content)
        self._check_refresh(documents)
        return documents

    def _parse(self, article: Article, slugs: Mapping[str, Path]) -> Document:
        bibliography = self._bibliography(article)
        tex = self._tex(article)
        make = partial(parse, article, bibliography, articles=slugs, tex=tex)
        sources = [article.path, *self._bib_files(article), *sorted(article.folder.iterdir())]
        document: Document = self._remembered(make, *sources, extra=tuple(slugs))
        return document

    def _bib_files(self, article: Article) -> list[Path]:
        return list(dict.fromkeys((*self.site.bibliographies, *article.meta.bibliography)))

    def _bibliography(self, article: Article) -> Bibliography:
        files = self._bib_files(article)
        bibliography: Bibliography = self._remembered(partial(read_bibliography, files), *files)
        return bibliography

    def _tex(self, article: Article) -> Callable[[str, bool], str]:
        macros = dict(article.meta.macros)
        key = tuple(sorted(macros.items()))
        if key not in self._katex:
            script = built_in("theme") / "built" / "katex" / "katex.min.js"
            self._katex[key] = Katex(script, cache_folder() / "math", macros)
        return self._katex[key].render

    def _check_refresh(self, documents: list[Document]) -> None:
        known = {spec.anchor for document in documents for spec in document.figures}
        for label in sorted(self.refresh - {"all"}):
            if label not in known:
                raise BuildError(f"unknown figure: {label}{nearest(label, known)}")

    # plan, run

    def _fingerprint(self, source: Any) -> str:
        return fingerprint(source, self.site.root, frozen=self.frozen)

    def _answer(self, plan: Plan) -> int:
        """Compute what is not in the cache, and return how many that were."""
        wanted = [job for job in plan.jobs.values() if self._is_wanted(job)]
        if wanted and self.frozen:
            raise BuildError(problems=[self._frozen_problem(job) for job in wanted])
        engine.run_jobs(
            wanted,
            self.site.root,
            cache_folder(),
            self.listener,
            device=self.device,
            processes=self.jobs,
            keep=self.keep_models,
        )
        return len(wanted)

    def _is_wanted(self, job: Job) -> bool:
        labels = {spec.anchor for spec in job.wanted_by}
        return "all" in self.refresh or bool(labels & self.refresh) or self.cache.find(job.address) is None

    def _frozen_problem(self, job: Job) -> Problem:
        spec = job.wanted_by[0]
        name = spec.anchor
        return Problem(
            f"missing result: {name} is not stored; compute it with `fanlight build --refresh {name}`",
            spec.path,
            spec.line,
        )

    def _result(self, job: Job) -> Result:
        result = self.cache.find(job.address)
        if result is None:
            raise BuildError(f"missing result: {job.address} was removed while the build ran; build again")
        return result

    # render

    def _render(
        self, documents: list[Document], plan: Plan, results: Mapping[str, Result], kinds: Mapping[str, Kind]
    ) -> dict[str, bytes | Path]:
        """Return every file of the site."""
        theme = make_theme(self.site)
        assets = collect_assets(self.site, kinds.values())
        files: dict[str, bytes | Path] = dict(assets.files)
        files.update({data_path(result): self.cache.path(address) for address, result in results.items()})
        for document in documents:
            self._render_article(document, plan, results, kinds, theme, assets, files)
        if not self.only:
            articles = sorted((d.article for d in documents), key=lambda a: (a.meta.date is None, a.meta.date, a.slug))
            articles.reverse()
            files["index.html"] = render_index(SitePage("index.html", self.site, theme, assets), articles).encode()
            lost = LostPage("404.html", self.site, theme, assets)
            files["404.html"] = render_index(lost, articles, "404.html").encode()
        return files

    def _render_article(
        self,
        document: Document,
        plan: Plan,
        results: Mapping[str, Result],
        kinds: Mapping[str, Kind],
        theme: Any,
        assets: Assets,
        files: dict[str, bytes | Path],
    ) -> None:
        article = document.article
        pictures = {}
        for name, file in document.pictures.items():
            pictures[name], content = read_picture(article.slug, file)
            files[pictures[name].path] = content
        files.update(document.files)
        asked = {spec.number: plan.figures.get((article.slug, spec.number), "") for spec in document.figures}
        shown = {number: results[address] for number, address in asked.items() if address in results}
        page = ArticlePage(
            page_path(article),
            self.site,
            theme,
            assets,
            document,
            self._bibliography(article),
            shown,
            kinds,
            pictures,
            self._tex(article),
        )
        files[page.path] = render_article(page).encode()

    # what stays between builds

    def _ledger(self) -> Ledger:
        return Ledger(cache_folder(), self.site.root)

    def _record(self, documents: list[Document], plan: Plan) -> None:
        asked = {}
        for document in documents:
            for spec in document.figures:
                address = plan.figures.get((document.article.slug, spec.number))
                if address is not None:
                    asked[figure_name(document.article.slug, spec.anchor)] = plan.jobs[address].question
        self._ledger().record(asked)

    def _remembered(self, make: Callable[[], Any], *sources: Path, extra: Any = None) -> Any:
        """Return what `make` returned last time, unless one of its source files changed since."""
        key = (make.func.__name__, sources[0] if sources else None)  # type: ignore[attr-defined]
        stamp = (sources, extra, tuple((s.stat().st_mtime_ns, s.stat().st_size) for s in sources if s.exists()))
        known = self._memo.get(key)
        if known is None or known[0] != stamp:
            known = self._memo[key] = (stamp, make())
        return known[1]

    def _sift(self, problems: list[Problem]) -> list[Problem]:
        """Return the warnings; raise the errors, all at once. Without `strict` errors are warnings."""
        unique = list(dict.fromkeys(problems))
        errors = [problem for problem in unique if problem.severity == "error"]
        if errors and self.site.strict:
            raise BuildError(problems=unique)
        return [replace(problem, severity="warning") for problem in unique]


def status(site: Site, *, frozen: bool = False) -> list[FigureStatus]:
    """Return how each computed figure of the site stands."""
    return Builder(site, frozen=frozen).status()
