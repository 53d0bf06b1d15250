"""`BibFile`: a `.bib` file, in which entries are looked up; one is parsed when it is asked for, and once."""

from __future__ import annotations

import re
from hashlib import blake2b
from pathlib import Path

from ..errors import Problem
from .entry import Entry
from .oddities import read_entry
from .scan import Scan, Span, Strings, read_raw, scan

__all__ = ["BibFile", "read_bib_file"]

_WORD = re.compile(r"[A-Za-z@!$&*+\-./:;<>?\[\\\]^_`|~\x7f][^\s,#(){}\"=]*")
_PARENTS = re.compile(r"\b(?:crossref|xdata)\s*=\s*[{\"]?([^}\"]*)", re.IGNORECASE)


class BibFile:
    """A file as it was scanned; `spans` says where each key's first entry stands."""

    def __init__(self, path: Path, scanned: Scan, problems: tuple[Problem, ...]) -> None:
        self.path = path
        self._scan = scanned
        self.spans: dict[str, Span] = {}
        repeated = []
        for span in scanned.spans:
            first = self.spans.setdefault(span.key, span)
            if first is not span:
                message = f"duplicate entry: {span.key} is also on line {first.line}, which is used"
                repeated.append(Problem(message, path, span.line, severity="warning"))
        found = (*problems, *scanned.problems, *repeated)
        self.problems = tuple(sorted(found, key=lambda problem: problem.line or 0))
        self._parsed: dict[str, tuple[Entry, tuple[Problem, ...]]] = {}

    def entry(self, key: str) -> tuple[Entry, tuple[Problem, ...]]:
        """Return an entry as it stands, and what is odd about it."""
        if key not in self._parsed:
            raw, syntax = read_raw(self._scan, self.spans[key], self.path)
            entry, oddities = read_entry(raw, self.path)
            self._parsed[key] = entry, (*syntax, *oddities)
        return self._parsed[key]

    def source(self, key: str) -> tuple[bytes, tuple[str, ...]]:
        """Return a digest of all that the file says of a key, and the keys that it may inherit from."""
        span = self.spans[key]
        text = self._scan.text[span.start : span.end]
        parts = [text]
        if self._scan.strings:
            strings = Strings(self._scan, span.start)
            words = {word.lower() for word in _WORD.findall(text)} & self._scan.strings.keys()
            parts += [f"{word}={strings.get(word)}" for word in sorted(words)]
        parents = [key.strip() for found in _PARENTS.findall(text) for key in found.split(",")]
        return blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=16).digest(), tuple(parents)


_kept: dict[Path, tuple[tuple[int, int], BibFile]] = {}


def read_bib_file(path: Path) -> BibFile:
    """Read a file, once for as long as it does not change. Raises `OSError`."""
    status = path.stat()
    stamp = (status.st_mtime_ns, status.st_size)
    if path not in _kept or _kept[path][0] != stamp:
        _kept[path] = stamp, _read(path)
    return _kept[path][1]


def _read(path: Path) -> BibFile:
    problems = []
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problems.append(Problem("invalid encoding: not UTF-8, read as Latin-1", path, line, severity="warning"))
        text = raw.decode("latin-1")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return BibFile(path, scan(text, path), tuple(problems))
