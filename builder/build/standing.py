"""`Standing`: whether what was made of an article last time still stands, so that it need not be read again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from ..bibliography import read_bibliography
from ..cache import Cache
from ..errors import BuildError
from ..model_source import ModelSource
from ..site import Site
from .records import Record, Stamp, stamp

__all__ = ["Standing"]


class Standing:
    """Judges the records of one build; `targets` are the articles that links may lead to, file by slug."""

    def __init__(
        self, site: Site, cache: Cache, targets: Mapping[str, Path], fingerprint: Callable[[ModelSource], str]
    ) -> None:
        self.site = site
        self.cache = cache
        self.targets = targets
        self._fingerprint = fingerprint
        self._weights: dict[ModelSource, str] = {}
        self._stamps: dict[str, Stamp | None] = {}

    def judge(self, record: Record, near: str, sources: Mapping[str, Stamp]) -> Record | None:
        """Return the record, brought up to date, or None: the article must be made anew.

        `near` is how its neighbours are now, `sources` the files of its folder.
        """
        if record.near != near or not self._has_sources(record, sources):
            return None
        if not all(link.slug in self.targets for link in record.links):
            return None
        if not all(stamp(self.cache.path(address)) == known for address, known in record.answers.items()):
            return None
        if any(self._print(source) != known for source, known in record.models):
            return None
        output = str(self.site.output)
        if not all(stamp(f"{output}/{path}") == known for path, known in record.outputs.items()):
            return None
        return self._cites_the_same(record)

    def _has_sources(self, record: Record, sources: Mapping[str, Stamp]) -> bool:
        others = {path: self._stamp(path) for path in record.sources if path not in sources}
        return record.sources == {**sources, **others}

    def _cites_the_same(self, record: Record) -> Record | None:
        """Return the record if the works that it cites are as they were, whatever else its bibliographies say now."""
        files = dict.fromkeys([*map(str, self.site.bibliographies), *record.bibliography])
        now = {path: found for path in files if (found := self._stamp(path)) is not None}
        if list(now.items()) == list(record.bibliography.items()):
            return record
        if set(record.bibliography) - set(now):
            return None
        if any(str(problem.path) in now for problem in record.warnings):  # it may stand on another line
            return None
        bibliography = read_bibliography(map(Path, now))
        if bibliography.digest(record.citations) != record.cited:
            return None
        return replace(record, bibliography=now)

    def _stamp(self, path: str) -> Stamp | None:
        if path not in self._stamps:
            self._stamps[path] = stamp(path)
        return self._stamps[path]

    def _print(self, source: ModelSource) -> str:
        """Return a model's fingerprint, or that of none where it cannot be had: the article is read then."""
        if source not in self._weights:
            try:
                self._weights[source] = self._fingerprint(source)
            except BuildError:
                self._weights[source] = ""
        return self._weights[source]
