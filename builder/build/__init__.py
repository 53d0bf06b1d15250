"""The whole build, article → document → plan → results → page → site, of the articles that changed since the last."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .. import engine
from ..assets import Assets, collect_assets
from ..cache import Ledger, open_cache
from ..deposit import Deposit
from ..document import Document
from ..errors import BuildError, Problem, nearest
from ..folders import cache_folder
from ..kind import load_kinds
from ..library import Library
from ..model_source import ModelSource
from ..plan import Job, Plan, make_plan
from ..progress import Listener, Silent
from ..prose import check_prose
from ..site import Site
from ..sources import fingerprint
from ..status import FigureStatus, Survey, figure_name, read_status
from ..summary import Summary
from ..write import File, Kept, check_output, write_site
from .answers import Answers, bring_answers, find_answers
from .entries import find_entries, judge_entries
from .listings import Listings
from .printing import print_articles
from .records import Record, Records, check_links, ground, stamps_in
from .rendering import Entry, Made, Renderer
from .standing import Standing

__all__ = ["Builder", "Built", "status", "survey"]


@dataclass(frozen=True)
class Built:
    """What a build made: warnings, how many answers were computed and found, and a mark of each file of the site.

    A file whose mark is as it was is the same to readers, but for the name of the assets' folder in a page.
    """

    marks: Mapping[str, str]
    problems: tuple[Problem, ...]
    computed: int
    cached: int
    seconds: float
    pages: tuple[str, ...]


class Builder:
    """Builds a site, again and again; an article is made anew only if something that its page depends on changed.

    `refresh` holds figure labels (or `all`) to compute anew, `only` the slugs to build; `jobs` is a number of
    processes, 0 for this one, None for as many as pay; `scheduler` is the address of a Dask cluster's; `keep_answers`
    False leaves the site's own folder of answers as it is.
    """

    def __init__(
        self,
        site: Site,
        *,
        frozen: bool = False,
        refresh: frozenset[str] = frozenset(),
        only: frozenset[str] = frozenset(),
        jobs: int | None = 0,
        device: str = "auto",
        scheduler: str = "",
        listener: Listener | None = None,
        keep_models: bool = False,
        keep_answers: bool = True,
    ) -> None:
        self.site = site
        self.frozen = frozen
        self.refresh = refresh
        self.only = only
        self.jobs = jobs
        self.device = device
        self.scheduler = scheduler
        self.listener: Listener = listener or Silent()
        self.keep_models = keep_models
        self.keep_answers = keep_answers
        self.cache = open_cache(site)
        self._deposit = Deposit(site.root)
        self._library = Library(site)
        self._records: Records | None = None

    def build(self) -> Built:
        """Build the site into its output. Raises `BuildError` with all problems, before anything is written."""
        start = time.perf_counter()
        check_output(self.site.output, self.site.root)
        records = self._open_records()
        entries = find_entries(self._library, records, self.only)
        targets = {entry.summary.slug: entry.path for entry in entries}
        judge = Standing(self.site, self.cache, targets, self._fingerprint)
        standing, changed = judge_entries(entries, judge, only=self.only, refresh=self.refresh)

        kinds = load_kinds(self.site.folders("figures"))
        assets = collect_assets(self.site, kinds.values())
        renderer = Renderer(self.site, kinds, assets, self._library)
        made, documents = print_articles(changed, targets, renderer)
        self._check_refresh(documents)
        plan = make_plan(documents, self.site, kinds, self._fingerprint)
        known = {**standing, **{one.path: one.record for one in made}}
        told = [problem for record in standing.values() for problem in record.warnings]
        told += [problem for one in made for problem in one.problems]
        told += [problem for document in documents for problem in document.problems]
        brought = [renderer.read_files(document) for document in documents]  # before anything is computed
        told += [problem for files in brought for problem in files.problems]
        problems = self._sift(
            [*told, *records.check_bibliographies(known.values()), *check_links(known, documents), *plan.problems]
        )

        answers = self._answer(plan)
        said = check_prose(documents, answers.shown_by(plan), kinds, answers.computed)
        problems += self._sift([*answers.problems, *said])
        waiting = {entry.path: entry for entry in changed}
        drawn = [
            renderer.make(one, waiting[one.article.path], files, plan, answers)
            for one, files in zip(documents, brought, strict=True)
        ]
        problems += self._sift([problem for one in drawn for problem in one.problems])
        made += drawn

        listings = Listings(records, renderer)
        known.update({one.path: one.record for one in made})
        files: dict[str, File] = {**assets.files, **self._list(listings, entries, known, made)}
        for record in standing.values():
            files.update(dict.fromkeys(record.outputs, Kept()))
        for one in made:
            files.update(one.files)
        write_site(files, self.site.output, root=self.site.root, prune=not self.only)

        listings.keep()
        self._keep(records, standing, made, {entry.path for entry in entries})
        self._record_questions(documents, plan, answers)
        self.refresh = frozenset()  # once: `serve` builds again
        addresses = {address for record in standing.values() for address in record.answers} | answers.results.keys()
        self._keep_answers(addresses, [*standing.values(), *(one.record for one in made)])
        return Built(
            marks=self._marks(files, records, assets),
            problems=tuple(dict.fromkeys(problems)),
            computed=len(answers.computed),
            cached=len(addresses) - len(answers.computed),
            seconds=time.perf_counter() - start,
            pages=tuple(path for path in files if path.endswith(".html")),
        )

    def survey(self) -> Survey:
        """Return how each computed figure stands. Raises `BuildError` for problems that hide a figure.

        What is missing here is fetched from the place that the site shares, except with `frozen`.
        """
        documents = self._library.read()
        plan = make_plan(documents, self.site, load_kinds(self.site.folders("figures")), self._fingerprint)
        problems = self._sift(list(plan.problems))
        if not self.frozen:
            bring_answers([job for address, job in plan.jobs.items() if address not in self.cache], self.cache)
        figures = read_status(documents, plan, self.cache, self._ledger())
        return Survey(tuple(figures), plan, (*problems, *self.cache.warnings()))

    # which articles there are, and which of them changed

    def _open_records(self) -> Records:
        """Return the records of the last build, those in memory if they are of the same ground."""
        now = ground(self.site)
        if self._records is None or self._records.ground != now:
            self._records = Records(self.site, now)
        return self._records

    # plan, run

    def _check_refresh(self, documents: list[Document]) -> None:
        known = {spec.anchor for document in documents for spec in document.figures}
        for label in sorted(self.refresh - {"all"}):
            if label not in known:
                raise BuildError(f"unknown figure: {label}{nearest(label, known)}")

    def _fingerprint(self, source: ModelSource) -> str:
        try:
            return fingerprint(source, self.site.root, frozen=self.frozen)
        except BuildError:
            kept = self._deposit.fingerprint(source) if self.frozen else None
            if kept is None:
                raise
            return kept

    def _answer(self, plan: Plan) -> Answers:
        return find_answers(plan, self.cache, None if self.frozen else self._compute, self.refresh)

    def _compute(self, jobs: Sequence[Job]) -> None:
        engine.run_jobs(
            jobs,
            self.site.root,
            self.cache,
            self.listener,
            device=self.device,
            processes=self.jobs,
            scheduler=self.scheduler,
            shared=self.site.cache,
            keep=self.keep_models,
        )

    def _list(
        self, listings: Listings, entries: Sequence[Entry], known: Mapping[Path, Record], made: Sequence[Made]
    ) -> dict[str, File]:
        """Return the files that list articles."""
        if self.only and (self.site.output / "index.html").is_file():
            return {}
        summaries = [known[entry.path].summary if entry.path in known else entry.summary for entry in entries]
        if self.only:  # the others have no page yet
            summaries = [summary for summary in summaries if summary.slug in self.only]
        pages = {one.record.summary.page: one.files[one.record.summary.page] for one in made}

        def read_page(summary: Summary) -> str:
            page = pages.get(summary.page)
            content = page if isinstance(page, bytes) else (self.site.output / summary.page).read_bytes()
            return content.decode()

        return listings.make(summaries, read_page, preview=self.keep_models)

    # what stays between builds

    def _ledger(self) -> Ledger:
        return Ledger(cache_folder(), self.site.root)

    def _keep(
        self,
        records: Records,
        standing: Mapping[Path, Record],
        made: Sequence[Made],
        paths: set[Path],
    ) -> None:
        """Remember what was made; an article with errors, which are warnings without `strict`, is made again."""
        known = {str(path): record for path, record in standing.items()}
        for one in made:
            outputs = stamps_in(self.site.output, one.files)
            if not any(problem.severity == "error" for problem in one.problems):
                known[str(one.path)] = replace(one.record, outputs=outputs)
            else:
                records.articles.pop(str(one.path), None)
        kept = {str(path) for path in paths}
        records.articles = {path: record for path, record in {**records.articles, **known}.items() if path in kept}
        records.keep()

    def _keep_answers(self, addresses: set[str], records: Iterable[Record]) -> None:
        """Keep the answers among the site's own files, where there is a folder for them."""
        if not self._deposit.is_open or self.frozen or not self.keep_answers:
            return
        models = {source: known for record in records for source, known in record.models}
        try:
            self._deposit.keep(addresses, models, self.cache, prune=not self.only)
        except OSError as error:
            raise BuildError(f"broken folder: {error.strerror or error}", self._deposit.folder) from error

    def _record_questions(self, documents: Iterable[Document], plan: Plan, answers: Answers) -> None:
        asked = {}
        for document in documents:
            slug = document.article.slug
            for spec in document.figures:
                for number, panel in enumerate(plan.figures.get((slug, spec.anchor), ()), 1):
                    if panel.address in answers.results:
                        asked[figure_name(slug, spec.anchor, number)] = plan.jobs[panel.address].question
        self._ledger().record(asked)

    def _marks(self, files: Mapping[str, File], records: Records, assets: Assets) -> dict[str, str]:
        """Return a mark of each file: a digest, of pages without the assets' folder, or when it was last written."""
        marks = {record.summary.page: record.summary.digest for record in records.articles.values()}
        for listing in records.listings.values():
            marks |= listing.marks
        marks |= {path: hashlib.sha256(content).hexdigest()[:16] for path, content in assets.files.items()}
        others = {path: str(found) for path, found in stamps_in(self.site.output, files.keys() - marks.keys()).items()}
        return {path: mark for path, mark in {**others, **marks}.items() if path in files}

    def _sift(self, problems: list[Problem]) -> list[Problem]:
        """Return the warnings; raise the errors, all at once. Without `strict` errors are warnings."""
        unique = list(dict.fromkeys(problems))
        errors = [problem for problem in unique if problem.severity == "error"]
        if errors and self.site.strict:
            raise BuildError(problems=unique)
        return [replace(problem, severity="warning") for problem in unique]


def survey(site: Site, *, frozen: bool = False) -> Survey:
    """Return how each computed figure of the site stands, and what there is to say of it."""
    return Builder(site, frozen=frozen).survey()


def status(site: Site, *, frozen: bool = False) -> list[FigureStatus]:
    """Return how each computed figure of the site stands."""
    return list(survey(site, frozen=frozen).figures)
