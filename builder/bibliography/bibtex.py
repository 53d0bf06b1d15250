"""What is not well formed, as pybtex's parser takes it: told to remember lines, and to say well what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pybtex.database.input.bibtex import LowLevelParser
from pybtex.scanner import PybtexSyntaxError

from ..errors import Problem
from .scan import COMMAND, MONTHS, RawEntry, RawField

__all__ = ["Parsed", "parse_command"]

_LONGEST = 1 << 18
"""No entry that is not well formed is looked at any further than this: the next one's text may be all of the file."""


@dataclass(frozen=True)
class Parsed:
    """What came of a command: an entry or some strings, what is wrong, where it ends, and whether it is broken."""

    entry: RawEntry | None
    strings: Mapping[str, str]
    problems: tuple[Problem, ...]
    end: int
    failed: bool


def parse_command(text: str, path: Path, start: int, line: int, strings: Mapping[str, str]) -> Parsed:
    """Parse the command that begins at `start`, on `line`; `strings` are those that were defined before it."""
    reader = _Reader(text[start : start + _LONGEST], path, line, strings)
    entry = reader.read()
    return Parsed(entry, reader.macros.defined, tuple(reader.problems), start + reader.pos, reader.failed)


class _Strings:
    """The `@string`s that a command may use, the twelve months, and those that it defines itself."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self.known = known
        self.defined: dict[str, str] = {}

    def __contains__(self, name: str) -> bool:
        return name.lower() in self.known or name.lower() in MONTHS

    def __getitem__(self, name: str) -> str:
        text: str = self.known[name.lower()] if name.lower() in self.known else MONTHS[name.lower()]
        return text

    def __setitem__(self, name: str, text: str) -> None:
        self.defined[name] = text


class _Reader(LowLevelParser):  # type: ignore[misc]  # pybtex has no types
    pos: int
    lineno: int

    def __init__(self, text: str, path: Path, line: int, strings: Mapping[str, str]) -> None:
        super().__init__(text, macros=_Strings(strings))
        self.path = path
        self.problems: list[Problem] = []
        self.lineno = self.entry_line = self.field_line = line
        self.failed = False
        self.field_lines: list[int] = []

    def read(self) -> RawEntry | None:
        self.pos, self.command_start = 1, 0  # behind the @
        command = self._command()
        try:
            _, body = self.parse_command()
        except PybtexSyntaxError as error:
            self.handle_error(error)
            body = ()
        if body and COMMAND.search(str(body[0])):  # `@a{` and a new line: the next entry is taken for its key
            self._complain(f"broken entry: @{command} is never closed (a brace is missing)", self.entry_line)
            self.failed, body = True, ()
        if command in ("string", "preamble") or not body or not body[0]:
            return None
        key, fields = body
        raw = (
            RawField(name.lower(), " ".join("".join(parts).split()), line)
            for (name, parts), line in zip(fields, self.field_lines, strict=True)
        )
        return RawEntry(command, key, tuple(raw), self.entry_line)

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
        if what in ("premature end of file", "too many nested braces") and self.current_field_name:
            self._complain(f"broken entry: {entry}: field {self.current_field_name} is never closed", self.field_line)
        elif what == "premature end of file" or (what in ("'}' expected", "')' expected") and rest.startswith("@")):
            self._complain(f"broken entry: {entry} is never closed (a brace is missing)", self.entry_line)
        elif what in ("'}' expected", "')' expected"):
            word = re.match(r"[\w-]+|.?", rest)
            if rest.startswith("%"):
                self._complain(f"broken entry: {entry}: within an entry, % begins no comment", error.lineno)
                return
            self._complain(f"broken entry: {entry}: a comma is missing before {word and word[0]}", error.lineno)
        else:
            self._complain(f"broken entry: {entry}: {what}", error.lineno)

    def _command(self) -> str:
        found = COMMAND.match(self.text)
        return found[1].lower() if found else ""

    def _complain(self, message: str, line: int, severity: Any = "error") -> None:
        self.problems.append(Problem(message, self.path, line, severity=severity))
