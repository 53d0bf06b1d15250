"""A `.bib` file as raw entries: pybtex's scanner, told to remember lines and to go on after an error."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pybtex.database.input.bibtex import LowLevelParser, month_names
from pybtex.scanner import PybtexSyntaxError
from pybtex.utils import CaseInsensitiveDict

from ..errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["RawEntry", "RawField", "new_strings", "parse_bibtex"]

_COMMAND = re.compile(r"@[ \t]*[A-Za-z]\w*\s*[({]")
_NEXT_ENTRY = re.compile(rf"^[ \t]*(?={_COMMAND.pattern})", re.MULTILINE)
_STRAY_FIELD = re.compile(r"^[ \t,}]*([A-Za-z][\w-]*)\s*=\s*[{\"\d]", re.MULTILINE)
_STRAY_COMMAND = re.compile(r"^[ \t]*@([A-Za-z]\w*)", re.MULTILINE)


@dataclass(frozen=True)
class RawField:
    """A field as written: name in lower case, value still TeX, with single spaces."""

    name: str
    value: str
    line: int


@dataclass(frozen=True)
class RawEntry:
    """An entry as written: type in lower case, fields in order, repeated ones included."""

    type: str
    key: str
    fields: tuple[RawField, ...]
    line: int


def new_strings() -> Any:
    """Return a fresh table of `@string` abbreviations, the twelve months in it; names ignore case."""
    return CaseInsensitiveDict(month_names)


def parse_bibtex(text: str, path: Path, strings: Any) -> tuple[list[RawEntry], list[Problem]]:
    """Return the entries of a file and what is wrong with it; `@string`s are added to `strings`.

    What loses an entry or a field is an error, anything else a warning. After an error reading goes on at the next
    line that begins an entry, so one missing brace costs one entry and not the rest of the file.
    """
    reader = _Reader(text, path, strings)
    entries = list(reader.read())
    return entries, reader.problems


class _Reader(LowLevelParser):  # type: ignore[misc]  # pybtex has no types
    pos: int
    lineno: int

    def __init__(self, text: str, path: Path, strings: Any) -> None:
        super().__init__(text, macros=strings)
        self.path = path
        self.problems: list[Problem] = []
        self.entry_line = self.field_line = 1
        self.failed = False

    def read(self) -> Iterator[RawEntry]:
        while True:
            found = _COMMAND.search(self.text, self.pos)
            self._look_at_rest(found.start() if found else self.end_pos)
            if not found:
                return
            self._move(found.start() + 1)
            self.command_start, self.entry_line, self.failed = found.start(), self.lineno, False
            self.field_lines: list[int] = []
            command = self.text[found.start() + 1 : found.end() - 1].strip().lower()
            if command == "comment":
                self._move(found.end())
                continue
            try:
                _, body = self.parse_command()
            except PybtexSyntaxError as error:
                self.handle_error(error)
                body = ()
            if body and _COMMAND.search(str(body[0])):  # `@a{` and a new line: the next entry is taken for its key
                self._complain(f"broken entry: @{command} is never closed (a brace is missing)", self.entry_line)
                self.failed, body = True, ()
            if self.failed:
                self._recover()
            if command not in ("string", "preamble") and body and body[0]:
                yield self._entry(command, *body)

    def _entry(self, kind: str, key: str, fields: list[tuple[str, list[str]]]) -> RawEntry:
        raw = (
            RawField(name.lower(), " ".join("".join(parts).split()), line)
            for (name, parts), line in zip(fields, self.field_lines, strict=True)
        )
        return RawEntry(kind, key, tuple(raw), self.entry_line)

    def _move(self, position: int) -> None:
        """Go to a position, ahead or back, with the line number."""
        ahead = position >= self.pos
        lines = self.text.count("\n", *sorted((self.pos, position)))
        self.lineno += lines if ahead else -lines
        self.pos = position

    def _recover(self) -> None:
        """After an error: continue at the first line behind the entry's own that begins an entry."""
        following = _NEXT_ENTRY.search(self.text, self.command_start + 1)
        if following and following.end() < self.pos:
            self._move(following.end())

    def _look_at_rest(self, end: int) -> None:
        """Between entries anything is a comment to BibTeX; complain of what is surely meant otherwise."""
        rest = self.text[self.pos : end]
        field = None if self.failed else _STRAY_FIELD.search(rest)
        if field and self.command_start is not None:
            self._complain(
                f"broken entry: field {field[1]} stands outside of any entry (a brace too many before it?)",
                self.lineno + rest.count("\n", 0, field.start(1)),
            )
        for stray in _STRAY_COMMAND.finditer(rest):
            line = self.lineno + rest.count("\n", 0, stray.start(1))
            self._complain(f"invalid entry: @{stray[1]} is not followed by {{", line)

    def parse_field(self) -> None:
        """Remember the line that a field begins on, and drop pybtex's habit of losing empty values silently."""
        self.eat_whitespace()
        self.field_line = self.lineno
        super().parse_field()
        if self.current_field_name and self.current_value:
            self.field_lines.append(self.field_line)

    def substitute_macro(self, name: str) -> str:
        """Take an abbreviation nobody defined for the text itself."""
        if name not in self.macros:
            self._complain(f"unknown string: {name} has no @string; put braces around a text", self.lineno, "warning")
            return name
        value: str = self.macros[name]
        return value

    def handle_error(self, error: PybtexSyntaxError) -> None:
        """Say what is missing where the author can see it, not where the scanner stopped."""
        self.failed = True
        what, entry = str(error.args[0]), self.current_entry_key or f"@{self._command()}"
        rest = self.text[self.pos :].lstrip()
        if what == "premature end of file" and self.current_field_name:
            self._complain(f"broken entry: {entry}: field {self.current_field_name} is never closed", self.field_line)
        elif what == "premature end of file" or (what in ("'}' expected", "')' expected") and rest.startswith("@")):
            self._complain(f"broken entry: {entry} is never closed (a brace is missing)", self.entry_line)
        elif what in ("'}' expected", "')' expected"):
            word = re.match(r"[\w-]+|.?", rest)
            self._complain(f"broken entry: {entry}: a comma is missing before {word and word[0]}", error.lineno)
        else:
            self._complain(f"broken entry: {entry}: {what}", error.lineno)

    def _command(self) -> str:
        found = re.match(r"\w*", self.text[(self.command_start or 0) + 1 :])
        return found[0] if found else ""

    def _complain(self, message: str, line: int, severity: Any = "error") -> None:
        self.problems.append(Problem(message, self.path, line, severity=severity))
