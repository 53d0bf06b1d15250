"""A `.bib` file looked over: which entries it has, and where. An entry that is well formed is not parsed for that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import Problem

__all__ = ["COMMAND", "MONTHS", "RawEntry", "RawField", "Scan", "Span", "Strings", "read_raw", "scan"]

COMMAND = re.compile(r"@\s*([A-Za-z]\w*)\s*([({])")
_NEXT_ENTRY = re.compile(rf"^[ \t]*(?={COMMAND.pattern})", re.MULTILINE)
_STRAY_FIELD = re.compile(r"^[ \t,}]*([A-Za-z][\w-]*)\s*=\s*[{\"\d]", re.MULTILINE)
_STRAY_COMMAND = re.compile(r"^[ \t]*@([A-Za-z]\w*)", re.MULTILINE)
_COMMENTED = re.compile(r"^[ \t]*%[^\n]*\Z", re.MULTILINE)
_MAX_BROKEN = 100
"""A file with more broken entries than this is not a bibliography."""


# What is well formed: such that pybtex reads it without a word, and ends where we do. Nothing is ever tried twice, so
# this takes time in proportion to the text, whatever that is.
_BRACED = r"\{[^{}]*+\}"
for _ in range(5):  # braces within braces; what is deeper is left to pybtex
    _BRACED = rf"\{{(?:[^{{}}]++|{_BRACED})*+\}}"
_LETTERS = r"A-Za-z@!$&*+\-./:;<>?\[\\\]^_`|~\x7f"  # as in pybtex' NAME
_NAME = rf"[{_LETTERS}][{_LETTERS}0-9]*+"
_PART = rf'(?:{_BRACED}|"(?:[^{{}}"]++|{_BRACED})*+"|[0-9]++|{_NAME})'
_VALUE = rf"{_PART}(?:\s*+\#\s*+{_PART})*+"
_FIELDS = rf"\s*+(?:,\s*+(?:{_NAME}\s*+=\s*+{_VALUE}\s*+)?+)*+"
_ENTRY = {
    "{": re.compile(rf"\s*+([^\s,}}@]++){_FIELDS}\}}"),
    "(": re.compile(rf"\s*+([^\s,@]++){_FIELDS}\)"),
}
_STRING = {
    "{": re.compile(rf"\s*+({_NAME})\s*+=\s*+({_VALUE})\s*+\}}"),
    "(": re.compile(rf"\s*+({_NAME})\s*+=\s*+({_VALUE})\s*+\)"),
}
_PARTS = re.compile(_PART)
_FIELD = re.compile(rf"({_NAME})\s*+=\s*+({_VALUE})")
MONTHS = {
    "jan": "January", "feb": "February", "mar": "March", "apr": "April", "may": "May", "jun": "June", "jul": "July",
    "aug": "August", "sep": "September", "oct": "October", "nov": "November", "dec": "December",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RawField:
    """A field as written: name in lower case, value still TeX, with single spaces."""

    name: str
    value: str
    line: int


@dataclass(frozen=True, slots=True)
class RawEntry:
    """An entry as written: type in lower case, fields in order, repeated ones included."""

    type: str
    key: str
    fields: tuple[RawField, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Span:
    """Where an entry stands, from its `@`, which is on `line`, to its end; `raw` if it is not well formed."""

    type: str
    key: str
    start: int
    body: int
    """Where its key ends, and its fields begin."""
    end: int
    line: int
    raw: RawEntry | None = None


@dataclass
class Scan:
    """What a file holds: entries in their order, repeated ones included, its `@string`s, and what is wrong with it."""

    text: str
    spans: list[Span] = field(default_factory=list)
    strings: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    """By name in lower case: from which position on it means what."""
    problems: list[Problem] = field(default_factory=list)


class Strings(Mapping[str, str]):
    """What strings mean to what stands at a position: as in BibTeX, those count that were defined before it."""

    def __init__(self, scanned: Scan, position: int) -> None:
        self._all = scanned.strings
        self._position = position

    def __getitem__(self, name: str) -> str:
        return next(text for start, text in reversed(self._all[name]) if start < self._position)

    def __contains__(self, name: object) -> bool:
        return name in self._all and self._all[str(name)][0][0] < self._position

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._all if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def scan(text: str, path: Path) -> Scan:
    """Look a file over.

    What loses an entry is an error, anything else a warning. After an error reading goes on at the next line that
    begins an entry, so one missing brace costs one entry and not the rest of the file. Only what is not well formed,
    and strings, are given to pybtex here.
    """
    scanned = Scan(text)
    position, line, failed, broken = 0, 1, False, 0
    while broken < _MAX_BROKEN:
        found = _find_command(text, position)
        end = found.start() if found else len(text)
        if end > position and not (rest := text[position:end]).isspace():
            _look_at_rest(rest, line, path, scanned.problems, fields=bool(position) and not failed)
        if found is None:
            return scanned
        line += text.count("\n", position, end)
        command, failed = found[1].lower(), False
        if command == "comment":
            position = found.end()
        elif command == "string" and (string := _STRING[found[2]].match(text, found.end())):
            position = string.end()
            meaning, problems = _read_value(string[2], Strings(scanned, end), path, line)
            scanned.strings.setdefault(string[1].lower(), []).append((end, meaning))
            scanned.problems += problems
        elif (
            command not in ("string", "preamble")
            and command.isascii()
            and (entry := _ENTRY[found[2]].match(text, found.end()))
        ):
            position = entry.end()
            scanned.spans.append(Span(command, entry[1], end, entry.end(1), position, line))
        else:
            position, failed = _parse(scanned, path, end, line)
            broken += failed
        line += text.count("\n", end, position)
    scanned.problems.append(
        Problem(f"broken bibliography: {broken} entries are broken; the rest is not read", path, line)
    )
    return scanned


def read_raw(scanned: Scan, span: Span, path: Path) -> tuple[RawEntry, list[Problem]]:
    """Return the entry that stands somewhere, with its strings put in, and what is wrong with it."""
    if span.raw is not None:
        return span.raw, []
    fields, problems = [], []
    strings, line, position = Strings(scanned, span.start), span.line, span.start
    for found in _FIELD.finditer(scanned.text, span.body, span.end):
        line += scanned.text.count("\n", position, position := found.start())
        value, wrong = _read_value(found[2], strings, path, line)
        fields.append(RawField(found[1].lower(), " ".join(value.split()), line))
        problems += wrong
    return RawEntry(span.type, span.key, tuple(fields), span.line), problems


def _read_value(value: str, strings: Mapping[str, str], path: Path, line: int) -> tuple[str, list[Problem]]:
    """Return what parts joined by `#` say; an abbreviation that nobody defined is taken for the text itself."""
    texts, problems, unknown = [], [], set()
    for part in _PARTS.finditer(value):
        if part[0][0] in '{"':
            texts.append(part[0][1:-1])
        elif part[0].isdigit():
            texts.append(part[0])
        elif (name := part[0].lower()) in strings or name in MONTHS:
            texts.append(strings[name] if name in strings else MONTHS[name])
        else:
            texts.append(part[0])
            if name in unknown:
                continue
            unknown.add(name)
            message = f"unknown string: {part[0]} has no @string; put braces around a text"
            problems.append(Problem(message, path, line + value.count("\n", 0, part.start()), severity="warning"))
    return "".join(texts), problems


def _find_command(text: str, position: int) -> re.Match[str] | None:
    """Return the next `@type{` that is not on a line which `%` makes a comment, as most programs take it."""
    while found := COMMAND.search(text, position):
        begin = text.rfind("\n", position, found.start()) + 1 or position
        if not _COMMENTED.match(text, begin, found.start()):
            return found
        position = found.end()
    return None


def _parse(scanned: Scan, path: Path, start: int, line: int) -> tuple[int, bool]:
    """Let pybtex have a string, a preamble, or what is not well formed; return where it ends, and if it is broken."""
    from .bibtex import parse_command

    parsed = parse_command(scanned.text, path, start, line, Strings(scanned, start))
    scanned.problems += parsed.problems
    end = parsed.end
    if parsed.failed:  # go on at the first line behind the entry's own that begins an entry
        following = _NEXT_ENTRY.search(scanned.text, start + 1, end + 1000)
        end = min(end, following.end()) if following else end
    for name, text in parsed.strings.items():
        scanned.strings.setdefault(name.lower(), []).append((start, text))
    if parsed.entry is not None:
        scanned.spans.append(Span(parsed.entry.type, parsed.entry.key, start, start, end, line, parsed.entry))
    return end, parsed.failed


def _look_at_rest(rest: str, line: int, path: Path, problems: list[Problem], *, fields: bool) -> None:
    """Between entries anything is a comment to BibTeX; complain of what is surely meant otherwise."""
    found = _STRAY_FIELD.search(rest) if fields else None
    if found:
        message = f"broken entry: field {found[1]} stands outside of any entry (a brace too many before it?)"
        problems.append(Problem(message, path, line + rest.count("\n", 0, found.start(1))))
    for stray in _STRAY_COMMAND.finditer(rest):
        message = f"invalid entry: @{stray[1]} is not followed by {{"
        problems.append(Problem(message, path, line + rest.count("\n", 0, stray.start(1))))
