"""An entry of a bibliography with its people: fields are TeX as written, nothing is formatted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .latex import plain

__all__ = ["Entry", "Name", "read_names"]


@dataclass(frozen=True)
class Name:
    """A person or an organisation, as BibTeX divides names; the parts are plain text."""

    last: str
    first: str = ""
    von: str = ""
    jr: str = ""

    @property
    def family(self) -> str:
        """The name without first names: `van der Maaten`."""
        return f"{self.von} {self.last}".strip()

    @property
    def inverted(self) -> str:
        """The name as a sorted list has it: `van der Maaten, Laurens`."""
        return ", ".join(part for part in (self.family, self.first, self.jr) if part)

    def __str__(self) -> str:
        name = f"{self.first} {self.family}".strip()
        return f"{name}, {self.jr}" if self.jr else name


@dataclass(frozen=True, eq=False)
class Entry:
    """One work. `type` and field names are in lower case; `lines` says where each field stands.

    `people` holds authors and editors by role; a role in `incomplete` ended with `and others`.
    """

    key: str
    type: str
    fields: Mapping[str, str]
    path: Path
    line: int
    people: Mapping[str, tuple[Name, ...]] = field(default_factory=dict)
    incomplete: frozenset[str] = frozenset()
    lines: Mapping[str, int] = field(default_factory=dict)

    def text(self, *names: str) -> str:
        """Return the first of the named fields that is there, as plain text, or the empty string."""
        return next((text for name in names if name in self.fields and (text := plain(self.fields[name]))), "")


_SUFFIX = re.compile(r"(?:jr|sr|ph\.?d|m\.?d|[ivx]+|\d(?:st|nd|rd|th))\.?", re.IGNORECASE)
_GROUP = r"\{(?:[^{},]|\{(?:[^{},]|\{[^{},]*+\})*+\})*+\}"  # `{\"o}`, `{\H{o}}`, `{van Rossum}`: what is not divided
_WORD = re.compile(rf"(?:[^{{}}\\~,\s]|{_GROUP}|\\['`^\"=.])++")
_WORDS = rf"{_WORD.pattern}(?:\s++{_WORD.pattern})*+"
_SIMPLE = re.compile(rf"({_WORDS})(?:\s*+,\s*+({_WORDS}))?")
_ORGANISATION = re.compile(r"\{(?:[^{}]|\{[^{}]*+\})*+\}")
_PAIRS = re.compile(r"\s*(family|given|prefix|suffix)(?:-i)?\s*=\s*([^,]*)\s*(?:,|$)")


def read_names(value: str) -> tuple[tuple[Name, ...], bool, list[str]]:
    """Return the people of an author or editor field, whether it ended with `and others`, and what is odd about it.

    Nothing odd is fatal: a name that cannot be divided is kept whole.
    """
    names: list[Name] = []
    oddities: list[str] = []
    others = False
    for part in _split(value):
        if not part:
            oddities.append("invalid name: an empty one (two 'and' in a row, or one at an end)")
        elif part == "others":
            others = True
        else:
            name, oddity = _read_name(part)
            names.append(name)
            oddities += [oddity] if oddity else []
    return tuple(names), others, oddities


def _split(value: str) -> list[str]:
    """Return the names that ` and ` joins, outside braces."""
    if "{" not in value:
        return [part.strip() for part in re.split(r"(?:^|\s+)and(?=\s|$)", value)]
    parts, depth, start = [], 0, 0
    for found in re.finditer(r"[{}]|\sand(?=\s)", value):
        if found[0] == "{":
            depth += 1
        elif found[0] == "}":
            depth -= 1
        elif depth == 0:
            parts.append(value[start : found.start()].strip())
            start = found.end()
    return [*parts, value[start:].strip()]


def _read_name(text: str) -> tuple[Name, str | None]:
    if name := _find_simple(text):
        return name, None
    from pybtex.database import Person  # takes time to import, and most names do without
    from pybtex.exceptions import PybtexError

    if re.match(r"\s*(?:family|given)\s*=", text):  # biblatex's extended format
        pairs = {name: plain(part.strip('" ')) for name, part in _PAIRS.findall(text)}
        first, von, jr = (pairs.get(name, "") for name in ("given", "prefix", "suffix"))
        return Name(pairs.get("family", first), first if "family" in pairs else "", von, jr), None
    commas = len(re.findall(r",", re.sub(r"\{[^{}]*\}", "", text)))
    separated = "(names are separated by 'and')"
    if commas > 2:
        return Name(plain(text)), f"invalid name: {plain(text)} {separated}"
    try:
        person = Person(text)
    except (PybtexError, ValueError, IndexError):
        return Name(plain(text)), f"invalid name: {plain(text)}"
    parts = (
        person.last_names,
        person.first_names + person.middle_names,
        person.prelast_names,
        person.lineage_names,
    )
    last, first, von, jr = (plain(" ".join(part)) for part in parts)
    if jr and not _SUFFIX.fullmatch(jr):
        return Name(plain(text)), f"invalid name: {plain(text)} {separated}"
    if not last:
        return Name(plain(text) or text), f"invalid name: {plain(text) or text} has no last name"
    return Name(last, first, von, jr), None


def _find_simple(text: str) -> Name | None:
    """Return the name if there is little to it, as pybtex reads it: `von Family, Given`, `Given Family`, `{All}`."""
    if _ORGANISATION.fullmatch(text):
        return Name(whole) if (whole := plain(text)) else None
    found = _SIMPLE.fullmatch(text)
    words = _WORD.findall(found[1]) if found else []
    if not found or not all(word[0].isalpha() for word in words[:-1]):
        return None
    lower = [number for number, word in enumerate(words[:-1], 1) if word[0].islower()]
    if found[2]:
        n_von = lower[-1] if lower else 0
        von, last, first = words[:n_von], words[n_von:], _WORD.findall(found[2])
    elif lower:
        return None
    else:
        von, last, first = [], words[-1:], words[:-1]
    name = Name(plain(" ".join(last)), plain(" ".join(first)), plain(" ".join(von)))
    return name if name.last else None
