"""`Reader`: reads a YAML mapping key by key, each as the type it must have, and notes what is wrong with its place."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from pathlib import Path

from ..errors import Problem, nearest
from ..figure import Option
from ..yaml_mapping import YamlMapping, YamlValue

__all__ = ["Complain", "Reader", "read_options", "read_text"]

Complain = Callable[[str, YamlValue | None], None]

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
"""What YAML's escapes can write, and no page can show: in feeds and drawings, which are XML, most are not allowed."""


def read_text(value: YamlValue, key: str, complain: Complain) -> str | None:
    """Return a text as it is written, but without control characters, of which it complains; None for what is none."""
    written = value.text()
    if written is None or (found := _CONTROLS.search(written)) is None:
        return written
    complain(f"invalid {key}: a control character is in it, U+{ord(found[0]):04X}", value)
    return _CONTROLS.sub("", written)


def read_options(mapping: YamlMapping) -> tuple[dict[str, Option], list[tuple[str, YamlValue]]]:
    """Return the options of a run or a figure, with texts as they are written: `0042` and `yes` may be meant as such.

    Who knows an option's type reads it (`builder.parameters`), whether it stands in YAML or in a `:key: value` line.
    The second part names what could not be read, each with its value.
    """
    options, wrong = {}, []
    for key, value in mapping:
        try:
            options[key.replace("-", "_")] = Option(value.written(), value.line)
        except ValueError:
            wrong.append((key, value))
    return options, wrong


class Reader:
    """What is missing or wrong comes back as a default; what is wrong goes to `problems`."""

    def __init__(self, mapping: YamlMapping, path: Path, root: Path) -> None:
        self.mapping = mapping
        self.path = path
        self.root = root
        self.problems: list[Problem] = []

    def complain(self, message: str, value: YamlValue | None) -> None:
        """Note a problem at the place of a value, or at the head of the file."""
        place = (value.line, value.column) if value is not None else (1, None)
        self.problems.append(Problem(message, self.path, *place))

    def text(self, key: str, default: str | None = None) -> str | None:
        """Return one text."""
        value = self.mapping.get(key)
        if value is None:
            return default
        written = read_text(value, key, self.complain)
        if written is None:
            self.complain(f"invalid {key}: it must be a text", value)
            return default
        return written.strip() or default

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; a single text is a list of one."""
        return tuple(written for written, _ in self.written(key))

    def written(self, key: str) -> list[tuple[str, YamlValue]]:
        """Return texts with their places."""
        value = self.mapping.get(key)
        if value is None:
            return []
        items = value.items()
        found = []
        for item in (value,) if items is None else items:
            written = read_text(item, key, self.complain)
            if written is None or not written.strip():
                self.complain(f"invalid {key}: it must be a list of texts", item)
            else:
                found.append((written.strip(), item))
        return found

    def switch(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self.mapping.get(key)
        if value is None:
            return default
        written = value.text()
        if written is None or written.casefold() not in ("true", "false", "yes", "no", "on", "off"):
            self.complain(f"invalid {key}: write true or false", value)
            return default
        return written.casefold() in ("true", "yes", "on")

    def choice(self, key: str, known: tuple[str, ...]) -> str | None:
        """Return one of the texts that are known."""
        written = self.text(key)
        if written is None or written in known:
            return written
        near = nearest(written, known) or f" (known: {', '.join(known)})"
        self.complain(f"invalid {key}: {written}{near}", self.mapping.get(key))
        return None

    def date(self, key: str) -> datetime.date | None:
        """Return a day."""
        value = self.mapping.get(key)
        if value is None:
            return None
        written = value.text()
        try:
            return datetime.datetime.fromisoformat((written or "").strip()).date()
        except ValueError:
            self.complain(f"invalid {key}: {written or 'no text'} is not a day (write it as 2025-03-31)", value)
            return None

    def options(self, key: str, known: set[str] | None = None) -> dict[str, Option]:
        """Return a mapping of options; with `known`, others are reported."""
        inner = self.inner(key, None)
        options, wrong = read_options(inner.mapping)
        for name, value in wrong:
            self.complain(f"invalid {name}: the value cannot be read", value)
        for name, value in inner.mapping:
            if known is not None and name.replace("-", "_") not in known:
                self.complain(f"unknown parameter of a run: {name}{nearest(name, known)}", value)
                options.pop(name.replace("-", "_"), None)
        return options

    def inner(self, key: str, known: set[str] | None) -> Reader:
        """Return a reader of the mapping under a key, an empty one where there is none."""
        value = self.mapping.get(key)
        mapping = value.mapping() if value is not None else None
        if value is not None and mapping is None:
            self.complain(f"invalid {key}: write lines of `name: value` below it", value)
        reader = Reader(mapping or YamlMapping(None, 1), self.path, self.root)
        reader.problems = self.problems
        for name, again in reader.mapping.repeated:
            self.complain(f"duplicate key: {name} (first in line {reader.mapping.values[name].line})", again)
        for name, entry in reader.mapping:
            if known is not None and name not in known:
                self.complain(f"unknown front matter: {key}.{name}{nearest(name, known)}", entry)
        return reader
