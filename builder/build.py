"""The whole build on one screen: article → document → plan → results → page → site."""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import engine
from .assets import Assets, collect_assets
from .cache import Cache, Ledger
from .document import Document, check_fragments
from .errors import BuildError, Problem, nearest
from .figure import Result
from .kind import Kind, load_kinds
from .library import Library
from .page import (
    ArticlePage,
    LostPage,
    ShownPanel,
    SitePage,
    data_path,
    page_path,
    piece_path,
    render_article,
    render_index,
)
from .pictures import read_picture
from .plan import Job, Plan, make_plan
from .progress import Listener, Silent
from .prose import check_prose
from .site import Site, cache_folder
from .sources import fingerprint
from .status import FigureStatus, figure_name, read_status
from .templates import make_theme
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
        self._library = Library(site)

    def build(self) -> Built:
        """Build the site into its output. Raises `BuildError` with all problems, before anything is written."""
        start = time.perf_counter()
        check_output(self.site.output, self.site.root)
        documents = self._library.read(self.only)
        self._check_refresh(documents)
        kinds = load_kinds(self.site.folders("figures"))
        plan = make_plan(documents, self.site, kinds, self._fingerprint)
        told = [problem for document in documents for problem in document.problems]
        problems = self._sift([*told, *check_fragments(documents), *plan.problems])
        results, computed, unanswered = self._answer(plan)
        shown = {figure: [results.get(panel.address) for panel in panels] for figure, panels in plan.figures.items()}
        problems += self._sift([*unanswered, *check_prose(documents, shown, kinds)])
        files = self._render(documents, plan, results, kinds)
        write_site(files, self.site.output, root=self.site.root, prune=not self.only)
        self._record(documents, plan, results)
        self.refresh = frozenset()  # once: `serve` builds again
        pages = tuple(path for path in files if path.endswith(".html"))
        cached = len(results) - computed
        return Built(files, tuple(problems), computed, cached, time.perf_counter() - start, pages)

    def status(self) -> list[FigureStatus]:
        """Return how each computed figure stands. Raises `BuildError` for problems that hide a figure."""
        documents = self._library.read()
        plan = make_plan(documents, self.site, load_kinds(self.site.folders("figures")), self._fingerprint)
        self._sift(list(plan.problems))
        return read_status(documents, plan, self.cache, self._ledger())

    # plan, run

    def _check_refresh(self, documents: list[Document]) -> None:
        known = {spec.anchor for document in documents for spec in document.figures}
        for label in sorted(self.refresh - {"all"}):
            if label not in known:
                raise BuildError(f"unknown figure: {label}{nearest(label, known)}")

    def _fingerprint(self, source: Any) -> str:
        return fingerprint(source, self.site.root, frozen=self.frozen)

    def _answer(self, plan: Plan) -> tuple[dict[str, Result], int, list[Problem]]:
        """Return all answers by address, how many of them had to be computed, and what could not be."""
        stored = {address: self._stored(job) for address, job in plan.jobs.items()}
        wanted = [job for job in plan.jobs.values() if stored[job.address] is None or self._is_refreshed(job)]
        problems: list[Problem] = []
        if self.frozen:
            problems += [self._frozen_problem(job) for job in wanted]
        else:
            try:
                self._compute(wanted)
            except BuildError as error:
                problems += error.problems
            stored.update({job.address: self._stored(job) for job in wanted})
        results = {address: result for address, result in stored.items() if result is not None}
        if len(results) < len(stored) and not problems:
            problems.append(Problem("missing result: one was removed while the build ran; build again"))
        return results, sum(job.address in results for job in wanted), problems

    def _compute(self, jobs: list[Job]) -> None:
        engine.run_jobs(
            jobs,
            self.site.root,
            cache_folder(),
            self.listener,
            device=self.device,
            processes=self.jobs,
            keep=self.keep_models,
        )

    def _stored(self, job: Job) -> Result | None:
        return self.cache.find(job.address, job.kind.name)

    def _is_refreshed(self, job: Job) -> bool:
        return "all" in self.refresh or any(spec.anchor in self.refresh for spec in job.wanted_by)

    def _frozen_problem(self, job: Job) -> Problem:
        spec = job.wanted_by[0]
        name = spec.anchor
        return Problem(
            f"missing result: {name} is not stored; compute it with `fanlight build --refresh {name}`",
            spec.path,
            spec.line,
        )

    # render

    def _render(
        self, documents: list[Document], plan: Plan, results: Mapping[str, Result], kinds: Mapping[str, Kind]
    ) -> dict[str, bytes | Path]:
        """Return every file of the site."""
        theme = make_theme(self.site)
        assets = collect_assets(self.site, kinds.values())
        files: dict[str, bytes | Path] = dict(assets.files)
        for address, result in results.items():
            files[data_path(result)] = self.cache.path(address)
            files.update({piece_path(result, name): self.cache.piece(address, name) for name in result.pieces})
        for document in documents:
            self._render_article(document, plan, results, kinds, theme, assets, files)
        if not self.only or not (self.site.output / "index.html").is_file():
            articles = sorted((document.article for document in documents), key=lambda article: article.slug)
            articles.sort(key=lambda article: article.meta.date or datetime.date.min, reverse=True)  # undated ones last
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
        shown = {}
        for spec in document.figures:
            panels = plan.figures.get((article.slug, spec.anchor), ())
            if all(panel.address in results for panel in panels):  # --no-strict: a gallery is shown whole or not at all
                shown[spec.anchor] = tuple(ShownPanel(results[panel.address], panel.title) for panel in panels)
        page = ArticlePage(
            page_path(article),
            self.site,
            theme,
            assets,
            document,
            self._library.bibliography(article),
            shown,
            kinds,
            pictures,
            self._library.tex(article),
        )
        files[page.path] = render_article(page).encode()

    # what stays between builds

    def _ledger(self) -> Ledger:
        return Ledger(cache_folder(), self.site.root)

    def _record(self, documents: list[Document], plan: Plan, results: Mapping[str, Result]) -> None:
        asked = {}
        for document in documents:
            for spec in document.figures:
                slug = document.article.slug
                for number, panel in enumerate(plan.figures.get((slug, spec.anchor), ()), 1):
                    if panel.address in results:
                        asked[figure_name(slug, spec.anchor, number)] = plan.jobs[panel.address].question
        self._ledger().record(asked)

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
