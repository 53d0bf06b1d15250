"""`check`: all that a strict build would say of a site, and what no build needs to know, without running a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ..assets import collect_assets
from ..build.answers import Answers, find_answers
from ..build.rendering import Entry, Renderer, sketch
from ..cache import open_cache
from ..deposit import Deposit
from ..document import Document, check_fragments
from ..errors import BuildError
from ..finding import Finding, as_finding, with_columns
from ..kind import Kind, load_kinds
from ..library import Library
from ..listing.pages import Lists
from ..model_source import ModelSource
from ..page import page_path
from ..pictures import UNREAD
from ..plan import Plan, make_plan
from ..prose import check_prose
from ..site import Site
from ..sources import fingerprint
from .articles import check_articles
from .outside import ask_links, find_links
from .payload import check_payload
from .rendered import check_articles_pages, check_output_pages, read_page
from .unused import check_bibliographies, check_files, check_labels, check_strays
from .workflow import check_workflow

__all__ = ["Checked", "check"]

EVERY_SITE = ("404.html", "feed.xml", "sitemap.xml", "robots.txt")
"""Files that pages may name without an article's doing."""


@dataclass(frozen=True)
class Checked:
    """What was found in a site's articles, and, if that was asked, on other hosts; only the first can fail."""

    n_articles: int
    findings: tuple[Finding, ...]
    outside: tuple[Finding, ...] = ()
    n_links: int = 0

    def count(self, severity: Literal["error", "warning", "note"]) -> int:
        """Return how many findings of a severity there are in the site itself."""
        return sum(finding.severity == severity for finding in self.findings)


def check(site: Site, *, external: bool = False) -> Checked:
    """Check a site: its articles as they are now, and of the pages that were built those that list them.

    `external` asks other hosts about the links to them.

    Raises `BuildError` where there are no articles, or two of one address, as a build does.
    """
    library = Library(site)
    documents = library.read()
    drafts = _read_drafts(library, documents)
    findings = [*_as_a_build(site, library, documents), *check_articles(documents)]
    findings += check_labels(documents)
    findings += check_bibliographies([*documents, *drafts], library)
    findings += [*check_files([*documents, *drafts]), *check_strays(site)]
    findings += check_workflow(site.root)
    findings += check_output_pages(site.output, {page_path(document.article.slug) for document in documents})
    links = find_links(documents, library) if external else []
    outside = ask_links(links)
    return Checked(len(documents), _sorted(findings), _sorted(outside), len({link.url for link in links}))


def _read_drafts(library: Library, documents: Sequence[Document]) -> list[Document]:
    """Return the drafts that are not among the documents: what they use is not unused."""
    known = {document.article.path for document in documents}
    articles = [library.article(file) for file in library.files()]
    targets = {article.slug: article.path for article in articles}
    return [library.parse(article, targets) for article in articles if article.path not in known]


def _as_a_build(site: Site, library: Library, documents: list[Document]) -> list[Finding]:
    """Return what a build says; that an answer is missing is a note, for the next build computes it."""
    kinds = load_kinds(site.folders("figures"))
    cache = open_cache(site)
    deposit = Deposit(site.root)
    plan = make_plan(documents, site, kinds, lambda source: _fingerprint(source, site, deposit))
    answers = find_answers(plan, cache, None, frozenset())
    problems = [problem for document in documents for problem in document.problems]
    for document in documents:
        problems += library.bibliography(document.article).problems
    links = {document.article.path: document.links for document in documents}
    anchors = {document.article.slug: document.anchors for document in documents}
    problems += [
        *check_fragments(links, anchors),
        *plan.problems,
        *check_prose(documents, answers.shown_by(plan), kinds, answers.computed),
    ]
    findings = [as_finding(problem) for problem in problems]
    findings += _as_pages(site, library, documents, kinds, plan, answers)
    findings += [_missing(as_finding(problem)) for problem in answers.problems]
    findings += check_payload(documents, plan, answers.results, cache, kinds, site.payload_limit)
    return [*findings, *_not_kept(plan, answers, deposit)]


def _not_kept(plan: Plan, answers: Answers, deposit: Deposit) -> Iterator[Finding]:
    """Yield a warning for each answer that a clone of the site will lack, though it is here."""
    kept = set(deposit.addresses())
    for address, job in plan.jobs.items() if deposit.is_open else ():
        if address in answers.results and address not in kept:
            spec = job.wanted_by[0]
            wrong = f"missing answer: that of {spec.anchor} is not in {deposit.folder.name}/; build, and commit it"
            yield Finding(wrong, spec.path, spec.line)


def _as_pages(
    site: Site, library: Library, documents: Sequence[Document], kinds: Mapping[str, Kind], plan: Plan, answers: Answers
) -> Iterator[Finding]:
    """Yield what there is to say of the articles' pages, which are made and not written; one with errors is not."""
    assets = collect_assets(site, kinds.values())
    renderer = Renderer(replace(site, social_cards=False), kinds, assets, library)
    summaries = [sketch(document.article) for document in documents]
    files = {*assets.files, *Lists(summaries, site, renderer.theme, assets, search=False).render(), *EVERY_SITE}
    pages = {}
    for document, summary in zip(documents, summaries, strict=True):
        if any(problem.severity == "error" for problem in document.problems):
            files.add(summary.page)
            continue
        entry = Entry(document.article.path, summary, {})
        made = renderer.make(document, entry, renderer.read_files(document), plan, answers)
        yield from map(as_finding, made.problems)
        files.update(made.files)
        content = made.files[summary.page]
        page = read_page(content.decode() if isinstance(content, bytes) else "")
        links = tuple(link for link in page.links if f".{UNREAD}." not in link)  # those pictures were told
        pages[summary.page] = document.article, replace(page, links=links)
    yield from check_articles_pages(pages, files)


def _fingerprint(source: ModelSource, site: Site, deposit: Deposit) -> str:
    """Return a model's fingerprint; nobody outside is asked, so one that a build would ask for is not known."""
    try:
        return fingerprint(source, site.root, frozen=True)
    except BuildError as error:
        if not all(problem.message.startswith("missing model") for problem in error.problems):
            raise
        return deposit.fingerprint(source) or f"unknown {source.source}"


def _missing(finding: Finding) -> Finding:
    """Return a note where an answer is not stored; all else, such as a place that cannot be reached, as it is."""
    if not finding.message.startswith("missing result"):
        return finding
    message = finding.message.replace("; compute it with", "; the next build computes it, as does")
    return replace(finding, message=message, severity="note")


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    def place(finding: Finding) -> tuple[str, int, int, str]:
        return str(finding.path or ""), finding.line or 0, finding.column or 0, finding.message

    return tuple(sorted(dict.fromkeys(with_columns(findings)), key=place))
