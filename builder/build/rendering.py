"""`Renderer`: a document and the results that its figures show → the files of its article, and a record of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..article import Article
from ..assets import Assets
from ..cache import open_cache
from ..document import Document, reading_minutes
from ..errors import BuildError, Problem
from ..folders import cache_folder
from ..kind import Kind
from ..library import Library
from ..model_source import ModelSource
from ..page import ArticlePage, ShownPanel, article_files, data_path, page_path, piece_path, render_article
from ..pictures import Published, read_linked, read_pictures, read_thumbnail
from ..plan import Panel, Plan
from ..site import Site
from ..summary import Neighbour, Summary, Thumbnail
from ..templates import make_theme
from ..thumbnails import find_thumbnail
from ..thumbnails.cards import find_social_image
from .answers import Answers
from .records import Record, Stamp, stamp, stamps

__all__ = ["Entry", "Made", "Renderer", "neutral_digest", "sketch"]


@dataclass(frozen=True)
class Entry:
    """An article as a build finds it, before it is parsed. `sources` are the stamps of its folder's files."""

    path: Path
    summary: Summary
    """As far as it is known: from front matter, or the record of the last build."""
    sources: Mapping[str, Stamp]
    newer: Neighbour | None = None
    older: Neighbour | None = None
    record: Record | None = None

    @property
    def near(self) -> str:
        """Its neighbours, as records hold them."""
        return repr((self.newer, self.older))


@dataclass(frozen=True)
class Made:
    """An article made into files, by their path in the site."""

    path: Path
    record: Record
    files: Mapping[str, bytes | Path]
    problems: tuple[Problem, ...]


class Renderer:
    """Makes the files of articles; what all of them share is read once."""

    def __init__(self, site: Site, kinds: Mapping[str, Kind], assets: Assets, library: Library) -> None:
        self.site = site
        self.kinds = kinds
        self.assets = assets
        self.library = library
        self.theme = make_theme(site)
        self.cache = open_cache(site)

    def read_files(self, document: Document) -> Published:
        """Return the pictures of an article, and the files that it brings, with all that is wrong with these."""
        article = document.article
        scripts = self.site.html == "raw"
        formats, dark = self.site.picture_formats, document.dark
        found = read_pictures(article.slug, document.pictures, dark, cache_folder(), formats, scripts=scripts)
        linked = read_linked(document.files, scripts=scripts)
        problems = [*linked.problems, *found.problems]
        if isinstance(article.meta.thumbnail, Path):
            try:
                read_thumbnail(article.slug, article.meta.thumbnail, cache_folder())
            except BuildError as error:
                problems += error.problems
        return Published(found.pictures, {**linked.files, **found.files}, list(dict.fromkeys(problems)))

    def make(self, document: Document, entry: Entry, brought: Published, plan: Plan, given: Answers) -> Made:
        """Return an article's files, among them those that it has `brought`, as `read_files` found them.

        A figure whose results are not all there is left out (`--no-strict`).
        """
        article = document.article
        files = dict(brought.files)
        shown = self._shown(document, plan, given)
        answers = {panel.result.address: panel.result for panels in shown.values() for panel in panels}
        for address, result in answers.items():
            files[data_path(result)] = self.cache.path(address)
            files.update({piece_path(result, name): self.cache.piece(address, name) for name in result.pieces})
        found = find_thumbnail(document, shown, self.kinds, self.theme, self.site)
        files.update(found.files)
        image, drawn = find_social_image(article, found, self.theme, self.site)
        files.update(drawn)
        page = ArticlePage(
            page_path(article.slug),
            self.site,
            self.theme,
            self.assets,
            document,
            self.library.bibliography(article),
            shown,
            self.kinds,
            brought.pictures,
            self.library.tex(article),
            entry.newer,
            entry.older,
            image,
        )
        html = render_article(page).encode()
        files[page.path] = html
        files.update(article_files(page))
        problems = (*document.problems, *brought.problems, *found.problems, *page.problems)
        record = self._record(page, entry, html, plan, tuple(answers), problems, found.thumbnail)
        return Made(article.path, record, files, problems)

    def _shown(self, document: Document, plan: Plan, given: Answers) -> dict[str, tuple[ShownPanel, ...]]:
        """Return what each computed figure shows; a gallery is shown whole or not at all."""

        def show(panel: Panel) -> ShownPanel:
            version, is_stored = stamp(self.cache.path(panel.address)), panel.address not in given.computed
            return ShownPanel(given.results[panel.address], panel.title, version, is_stored)

        asked = {spec.anchor: plan.figures.get((document.article.slug, spec.anchor), ()) for spec in document.figures}
        return {
            anchor: tuple(map(show, panels))
            for anchor, panels in asked.items()
            if all(panel.address in given.results for panel in panels)
        }

    def _record(
        self,
        page: ArticlePage,
        entry: Entry,
        html: bytes,
        plan: Plan,
        answers: tuple[str, ...],
        problems: tuple[Problem, ...],
        thumbnail: Thumbnail | None,
    ) -> Record:
        document, article = page.document, page.document.article
        keys = (*document.citations, *document.handles)
        shown = [*document.pictures.values(), *document.dark.values(), *document.files.values()]
        if isinstance(article.meta.thumbnail, Path):
            shown.append(article.meta.thumbnail)
        elsewhere = [str(file) for file in shown if str(file) not in entry.sources]
        told = {*article.problems, *document.problems, *problems} - set(page.bibliography.problems)
        return Record(
            summary=replace(
                sketch(article),
                excerpt=document.excerpt,
                n_words=document.n_words,
                reading_minutes=reading_minutes(document.n_words),
                thumbnail=thumbnail,
                digest=neutral_digest(html, self.assets),
            ),
            near=entry.near,
            sources={**entry.sources, **stamps(elsewhere)},
            bibliography=stamps(self.library.bib_files(article)),
            citations=keys,
            cited=page.bibliography.digest(keys),
            anchors=tuple(sorted(document.anchors)),
            links=document.links,
            answers={address: found for address in answers if (found := stamp(self.cache.path(address)))},
            models=tuple(_models(plan, answers).items()),
            warnings=tuple(problem for problem in problems if problem in told),
        )


def sketch(article: Article) -> Summary:
    """Return what the front matter says of an article."""
    meta = article.meta
    return Summary(
        slug=article.slug,
        page=page_path(article.slug),
        title=meta.title,
        subtitle=meta.subtitle,
        description=meta.description,
        date=meta.date,
        updated=meta.updated,
        authors=tuple(author.name for author in meta.authors),
        tags=meta.tags,
        draft=meta.draft,
    )


def neutral_digest(html: bytes, assets: Assets) -> str:
    """Return a page's digest; the folder of the assets, which an edited style sheet renames, does not count."""
    return hashlib.sha256(html.replace(assets.folder.encode(), b"assets")).hexdigest()[:16]


def _models(plan: Plan, answers: tuple[str, ...]) -> dict[ModelSource, str]:
    """Return the models that gave the answers, each with the fingerprint that it had."""
    found: dict[ModelSource, str] = {}
    for job in (plan.jobs[address] for address in answers):
        found[job.source] = job.question.model
        if job.versus is not None:
            found[job.versus] = str(job.question.numerics["versus"])
    return found
