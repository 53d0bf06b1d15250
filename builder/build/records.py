"""`Records`: what was made of each article last time, and out of what, so that only what changed is made again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..bibliography import read_bibliography
from ..cache import write_atomically
from ..document import Document, Link, check_fragments
from ..errors import Problem
from ..folders import BUILT_IN, cache_folder
from ..model_source import ModelSource
from ..site import Site
from ..summary import Summary
from ..write import forget_output

__all__ = [
    "Listing",
    "Record",
    "Records",
    "Stamp",
    "check_links",
    "folder_stamps",
    "forget",
    "ground",
    "stamp",
    "stamps",
    "stamps_in",
]

Stamp = tuple[int, int]
"""A file's time of modification, in nanoseconds, and its size: another content has another stamp."""

_SKIPPED = ("__pycache__", "node_modules")


@dataclass(frozen=True)
class Record:
    """An article that was published: what its page was made of, what was made, and what was told of it."""

    summary: Summary
    near: str
    """The articles before and after it, whose titles are on its page."""
    sources: Mapping[str, Stamp]
    """The files of its folder, and others that it shows or links to."""
    bibliography: Mapping[str, Stamp]
    """The `.bib` files it may cite from, in order."""
    citations: tuple[str, ...]
    """The keys that it cites, and `@words` that would be citations if a bibliography had such a key."""
    cited: str
    """The digest of what the bibliography says of them."""
    anchors: tuple[str, ...]
    links: tuple[Link, ...]
    answers: Mapping[str, Stamp]
    """The stored answers that its figures show, by their address."""
    models: tuple[tuple[ModelSource, str], ...]
    """The models that gave them, each with the fingerprint that it had."""
    warnings: tuple[Problem, ...]
    outputs: Mapping[str, Stamp] = field(default_factory=dict)
    """What lies in the output because of it, by path in the site."""

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        told = [_plain(problem) for problem in self.warnings]
        models = [(vars(source), print_) for source, print_ in self.models]
        links = [vars(link) for link in self.links]
        return {**vars(self), "summary": self.summary.to_json(), "links": links, "models": models, "warnings": told}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Record:
        """Read what `to_json` returned. Raises `TypeError`, `ValueError`, `KeyError` for anything else."""
        return cls(
            **{
                **body,
                "summary": Summary.from_json(body["summary"]),
                "sources": _stamps(body["sources"]),
                "bibliography": _stamps(body["bibliography"]),
                "citations": tuple(body["citations"]),
                "anchors": tuple(body["anchors"]),
                "links": tuple(Link(**link) for link in body["links"]),
                "answers": _stamps(body["answers"]),
                "models": tuple((ModelSource(**source), print_) for source, print_ in body["models"]),
                "warnings": tuple(_problem(problem) for problem in body["warnings"]),
                "outputs": _stamps(body["outputs"]),
            }
        )


@dataclass(frozen=True)
class Listing:
    """The files that list articles, what a reader sees of them, and the digest of the summaries they were made of."""

    inputs: str = ""
    outputs: Mapping[str, Stamp] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)


class Records:
    """The records of one site built into one output, by the article's path; they count for one `ground` only.

    A record is believed for as long as all that it names has the stamp that it had. What cannot be read is as if it
    were not there: everything is made again.
    """

    def __init__(self, site: Site, ground: str) -> None:
        self._file = _place(site)
        self.ground = ground
        self.articles: dict[str, Record] = {}
        self.listings: dict[str, Listing] = {}
        self.told: dict[str, tuple[Problem, ...]] = {}
        """What is wrong with bibliographies, by the stamps of their files."""
        self._written = self._state()
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self._read(self._file.read_text(encoding="utf-8"))

    def _read(self, text: str) -> None:
        body = json.loads(text)
        if body["ground"] != self.ground:
            return
        articles = {path: Record.from_json(record) for path, record in body["articles"].items()}
        told = {files: tuple(_problem(problem) for problem in problems) for files, problems in body["told"].items()}
        self.listings = {
            name: Listing(**{**listing, "outputs": _stamps(listing["outputs"])})
            for name, listing in body["listings"].items()
        }
        self.articles, self.told = articles, told
        self._written = self._state()

    def check_bibliographies(self, known: Iterable[Record]) -> list[Problem]:
        """Return what is wrong with the bibliographies of articles; one that did not change is not read for it."""
        told: dict[str, tuple[Problem, ...]] = {}
        for record in known:
            key = repr(record.bibliography)
            if key not in told:
                read = self.told.get(key)
                told[key] = read_bibliography(map(Path, record.bibliography)).problems if read is None else read
        self.told = told
        return [problem for problems in told.values() for problem in problems]

    def keep(self) -> None:
        """Write them, if they are others than before. A disk that refuses costs time with the next build, only."""
        if self._state() == self._written:
            return
        articles = {path: record.to_json() for path, record in sorted(self.articles.items())}
        listings = {name: vars(listing) for name, listing in sorted(self.listings.items())}
        told = {files: [_plain(problem) for problem in problems] for files, problems in sorted(self.told.items())}
        body = {"ground": self.ground, "listings": listings, "told": told, "articles": articles}
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        with contextlib.suppress(OSError):
            write_atomically(self._file, text.encode())
        self._written = self._state()

    def _state(self) -> tuple[object, ...]:
        return dict(self.articles), dict(self.listings), dict(self.told)


def check_links(known: Mapping[Path, Record], documents: Iterable[Document]) -> list[Problem]:
    """Return a problem for each link to a place in another article that is not there."""
    links = {path: record.links for path, record in known.items()}
    anchors = {record.summary.slug: frozenset(record.anchors) for record in known.values()}
    for document in documents:
        links[document.article.path] = document.links
        anchors[document.article.slug] = document.anchors
    return check_fragments(links, anchors)


def forget(site: Site) -> None:
    """Remove what is known of a site whose output is not kept."""
    with contextlib.suppress(OSError):
        _place(site).unlink()
    forget_output(site.output)


def _place(site: Site) -> Path:
    name = hashlib.sha256(f"{site.root}\0{site.output}".encode()).hexdigest()[:16]
    return cache_folder() / "records" / f"{name}.json"


def ground(site: Site) -> str:
    """Return a digest of all that every page of a site depends on: the program, its libraries, theme and settings."""
    import markdown_it

    settings = replace(site, output=site.root, cache="")  # where pages and answers lie changes nothing in them
    digest = hashlib.sha256(repr(settings).encode())
    package = Path(__file__).parents[1]
    for folder in dict.fromkeys((package, *site.folders("theme"), *site.folders("figures"))):
        digest.update(repr(sorted(folder_stamps(folder).items())).encode())
    for place in (place for plugin in site.plugins for place in plugin.places):
        digest.update(repr(folder_stamps(place) if place.is_dir() else stamp(place)).encode())
    libraries = Path(markdown_it.__file__).parents[1]
    digest.update(f"{BUILT_IN} {stamp(libraries)}".encode())  # pip touches the folder
    return digest.hexdigest()


def stamp(path: Path | str) -> Stamp | None:
    """Return a file's stamp, None where there is no such file."""
    try:
        found = os.stat(path)  # noqa: PTH116 - thousands of them, and no Path for each
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def stamps(paths: Iterable[Path | str]) -> dict[str, Stamp]:
    """Return the stamps of those files that there are, in the order given."""
    return {str(path): found for path in paths if (found := stamp(path)) is not None}


def stamps_in(folder: Path, paths: Iterable[str]) -> dict[str, Stamp]:
    """Return the stamps of those files of a folder that there are, by their path in it."""
    return {path: found for path in paths if (found := stamp(f"{folder}/{path}")) is not None}


def folder_stamps(folder: Path) -> dict[str, Stamp]:
    """Return the stamps of all files below a folder; hidden ones, and what tools leave there, do not count."""
    return dict(sorted(_walk(str(folder))))


def _walk(folder: str) -> Iterator[tuple[str, Stamp]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name in _SKIPPED:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path)
        elif (found := stamp(entry.path)) is not None:
            yield entry.path, found


def _stamps(body: Mapping[str, Any]) -> dict[str, Stamp]:
    return {name: (int(mtime), int(size)) for name, (mtime, size) in body.items()}


def _plain(problem: Problem) -> dict[str, Any]:
    return {**vars(problem), "path": problem.path and str(problem.path)}


def _problem(body: Mapping[str, Any]) -> Problem:
    return Problem(**{**body, "path": body["path"] and Path(body["path"])})
