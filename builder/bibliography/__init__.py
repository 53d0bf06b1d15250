"""`Bibliography`: all works that an article may cite, read from `.bib` files as they are cited."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from hashlib import blake2b
from pathlib import Path

from ..errors import Problem, nearest
from .arrangement import arrange
from .bib_file import BibFile, read_bib_file
from .entry import Entry
from .references import Reference, format_reference

__all__ = ["Bibliography", "read_bibliography"]

_PARENT_TITLES = {"title": "booktitle", "subtitle": "booksubtitle", "titleaddon": "booktitleaddon"}
_NOT_INHERITED = {  # what says which work it is, and not where it appeared
    "crossref", "xdata", "xref", "doi", "url", "urldate", "eprint", "eprinttype", "eprintclass", "archiveprefix",
    "primaryclass", "abstract", "key", "shorttitle", "shortauthor", "label", "keywords", "pages",
}  # fmt: skip


_Step = tuple[Entry, str, str, tuple[str, ...]]
"""Who inherits, by which field, from whom, and the keys on the way there."""


class Bibliography:
    """Works by key; `key in bibliography` asks for one, `bibliography[key]` parses it, if that was not done yet.

    `problems` are those that every build tells of: files that are missing, entries that are broken or repeated. What
    is odd within an entry is told of those that are cited (`problems_of`), or of all (`check_all`).
    """

    def __init__(self, files: Sequence[BibFile], problems: Iterable[Problem] = ()) -> None:
        self._files: dict[str, BibFile] = {}
        self._entries: dict[str, tuple[Entry, tuple[Problem, ...]]] = {}
        self._digests: dict[str, bytes] = {}
        self._similar: dict[str, bool] = {}
        found = list(problems)
        for file in files:
            found += file.problems
            for key in file.spans if self._files else ():
                found += _differing(key, self._files[key], file) if key in self._files else ()
            self._files.update(dict.fromkeys(file.spans, file))
        self.problems = tuple(found)

    def __contains__(self, key: object) -> bool:
        return key in self._files

    def __getitem__(self, key: str) -> Entry:
        return self._resolve(key)[0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def keys(self) -> Iterable[str]:
        """Return the keys, in order of the files."""
        return self._files.keys()

    def place(self, key: str) -> tuple[Path, int]:
        """Return where an entry stands: file and line. It is not parsed for that."""
        file = self._files[key]
        return file.path, file.spans[key].line

    def problems_of(self, keys: Iterable[str]) -> tuple[Problem, ...]:
        """Return what is odd about some works, and about those that they inherit from."""
        found = (problem for key in keys if key in self for problem in self._resolve(key)[1])
        return tuple(dict.fromkeys(found))

    def check_all(self) -> tuple[Problem, ...]:
        """Return all that is wrong or odd in the files; this parses every entry."""
        return tuple(dict.fromkeys((*self.problems, *self.problems_of(self))))

    def digest(self, keys: Iterable[str]) -> str:
        """Return a digest of all that a page says of these works: their text, what they inherit, the strings they use.

        None of them is parsed. A key that is not here counts too: it may come, or one that is all but the same.
        """
        digest = blake2b(digest_size=16)
        for key in keys:
            digest.update(f"{key}\0".encode("utf-8", "replace") + self._digest(key))
        return digest.hexdigest()

    def has_similar(self, key: str) -> bool:
        """Whether some key is all but the same, so that this one is likely to be meant for it."""
        if key not in self._similar:
            self._similar[key] = bool(get_close_matches(key, self.keys(), n=1, cutoff=0.85))
        return self._similar[key]

    def references(self, citations: Iterable[str], style: str = "numbered", order: str = "") -> tuple[Reference, ...]:
        """Return the reference list for the works cited, which come as they are cited first; see `arrange`."""
        return arrange((format_reference(self[key]) for key in citations if key in self), style, order)

    def _digest(self, key: str) -> bytes:
        """Return the digest of one key with all that it may inherit from."""
        if key not in self:
            return b"similar" if self.has_similar(key) else b"missing"
        if key not in self._digests:
            parts, queue, seen = [], deque([key]), {key}
            while queue:
                current = queue.popleft()
                source, parents = self._files[current].source(current)
                parts.append(source)
                queue += [parent for parent in parents if parent in self and parent not in seen]
                seen.update(parents)
            self._digests[key] = parts[0] if len(parts) == 1 else blake2b(b"".join(parts), digest_size=16).digest()
        return self._digests[key]

    def _resolve(self, key: str) -> tuple[Entry, tuple[Problem, ...]]:
        """Return an entry with what it lacks taken from its `crossref` and `xdata`, and from theirs."""
        if key in self._entries:
            return self._entries[key]
        entry, oddities = self._files[key].entry(key)
        result, problems, seen = entry, list(oddities), {key}
        queue: deque[_Step] = deque((entry, field, parent, (key,)) for field, parent in _parents(entry))
        while queue:
            child, field, parent_key, trail = queue.popleft()
            if parent_key in trail or parent_key not in self:
                what = "invalid" if parent_key in self else "unknown"
                near = nearest(parent_key, set(self) - {key})
                message = f"{what} {field}: {parent_key}, in {key}{near}"
                problems.append(Problem(message, child.path, child.lines.get(field, child.line), severity="warning"))
            elif parent_key not in seen:
                seen.add(parent_key)
                parent, oddities = self._files[parent_key].entry(parent_key)
                problems += oddities
                result = _inherit(result, parent, field)
                queue += [(parent, name, other, (*trail, parent_key)) for name, other in _parents(parent)]
        self._entries[key] = result, tuple(problems)
        return self._entries[key]


def read_bibliography(paths: Iterable[Path]) -> Bibliography:
    """Read `.bib` files. Between files the later one wins, so an article's own comes after its site's.

    Nothing is raised: a file that is missing, and BibTeX that loses an entry or a field, are errors among `problems`;
    whatever can be read all the same is a warning.
    """
    files: list[BibFile] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            files.append(read_bib_file(path))
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            problems.append(Problem(f"{'missing' if missing else 'broken'} bibliography: {path.name}", path))
    return Bibliography(files, problems)


def _parents(entry: Entry) -> list[tuple[str, str]]:
    """Return whom an entry inherits from: `xdata` names many, and comes first, as in biblatex."""
    found = [("xdata", key.strip()) for key in entry.fields.get("xdata", "").split(",")]
    return [(field, key) for field, key in (*found, ("crossref", entry.fields.get("crossref", ""))) if key]


def _inherit(entry: Entry, parent: Entry, field: str) -> Entry:
    """Return the entry with what it lacks and the parent has. A parent's title is the book that a part appeared in."""
    inherited = dict(parent.fields)
    if field == "crossref":
        inherited = {name: value for name, value in inherited.items() if name not in _NOT_INHERITED}
        if entry.type.startswith("in") or entry.type in ("bookinbook", "suppbook", "suppcollection"):
            inherited = {_PARENT_TITLES.get(name, name): value for name, value in inherited.items()}
        elif parent.type.startswith("mv"):
            renamed = {"title": "maintitle", "subtitle": "mainsubtitle"}
            inherited = {renamed.get(name, name): value for name, value in inherited.items()}
    fields = {**inherited, **entry.fields}
    incomplete = entry.incomplete | (parent.incomplete - entry.people.keys())
    return replace(entry, fields=fields, people={**parent.people, **entry.people}, incomplete=incomplete)


def _differing(key: str, old: BibFile, new: BibFile) -> Iterator[Problem]:
    """Yield the warning that a key means something else in a later file, if it does."""
    if old.source(key) != new.source(key):
        one, two = old.entry(key)[0], new.entry(key)[0]
        if (one.type, one.fields, one.people) != (two.type, two.fields, two.people):
            message = f"duplicate entry: {key} says something else in {old.path.name}:{one.line}; this is used"
            yield Problem(message, new.path, two.line, severity="warning")
