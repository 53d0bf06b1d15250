"""`Author` and `Affiliation`: who wrote an article, and where they work."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import nearest
from ..yaml_mapping import YamlMapping, YamlValue
from .reader import Complain, read_text

__all__ = ["Affiliation", "Author", "read_affiliations", "read_authors"]


@dataclass(frozen=True)
class Affiliation:
    """An institution; authors name it by `id`, or by its name."""

    name: str
    id: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class Author:
    """One of the authors, in the order in which they are written; who has an `email` answers letters."""

    name: str
    url: str | None = None
    orcid: str | None = None
    email: str | None = None
    affiliations: tuple[Affiliation, ...] = ()
    equal_contributor: bool = False
    given: str | None = None
    family: str | None = None
    """The two parts of the name, where they are written apart: `name: {given: Gabriel, family: García Márquez}`."""
    literal: bool = False
    """Whether the name has no parts, as an institution's: `name: {literal: The Fan Club}`."""


_AUTHOR = {"name", "url", "orcid", "email", "affiliations", "equal_contributor"}
_NAME = {"given", "family", "literal"}
_AFFILIATION = {"id", "name", "url"}
_SEVERAL = re.compile(r"\w\s+(?:and|&|und)\s+\w|\w;\s*\w")
"""Several people in one text: `Ada Lovelace and Grace Hopper`. With commas between, it may be one: `Lovelace, Ada`."""
_EMAIL = re.compile(r"[^@\s,;:<>\"?&%#]+@[\w.-]+\.[\w-]+")


def read_affiliations(value: YamlValue | None, complain: Complain) -> dict[str, Affiliation]:
    """Return the affiliations listed in front matter, by id and by name."""
    known: dict[str, Affiliation] = {}
    for item in _items(value):
        affiliation = _read_affiliation(item, complain)
        if affiliation is None:
            continue
        key = affiliation.id or affiliation.name
        if key in known:
            complain(f"duplicate affiliation: {key}", item)
            continue
        known[key] = affiliation
        known.setdefault(affiliation.name, affiliation)
    return known


def read_authors(
    value: YamlValue | None, known: dict[str, Affiliation], complain: Complain
) -> tuple[tuple[Author, ...], tuple[Affiliation, ...]]:
    """Return the authors, and all affiliations in order: the listed ones, then those that authors bring along."""
    listed = bool(known)
    authors = []
    for item in _items(value):
        fields = item.mapping()
        parts = _name_parts(fields, complain)
        name = parts.get("literal") or " ".join(parts[key] for key in ("given", "family") if parts.get(key))
        if not parts:
            name = (read_text(item, "name", complain) if fields is None else _text(fields, "name", complain)) or ""
        if not name:
            complain(f"missing name: an author is a text, or has a `name`{_meant(fields)}", item)
            continue
        if fields is None and _SEVERAL.search(name):
            complain(f"invalid name: {name} (write a list, [one, another]; or {{name: {{literal: …}}}})", item)
        if fields is None:
            authors.append(Author(name))
            continue
        _check(fields, _AUTHOR, "an author", complain)
        their = [_find(entry, known, listed, complain) for entry in _items(fields.get("affiliations"))]
        equal = (_text(fields, "equal_contributor", complain) or "").casefold() in ("true", "yes", "on")
        authors.append(
            Author(
                name=name,
                url=_address(fields, complain),
                orcid=_orcid(fields, complain),
                email=_email(fields, complain),
                affiliations=tuple(dict.fromkeys(one for one in their if one is not None)),
                equal_contributor=equal,
                given=parts.get("given"),
                family=parts.get("family"),
                literal="literal" in parts,
            )
        )
    return tuple(authors), tuple(dict.fromkeys(known.values()))


def _meant(fields: YamlMapping | None) -> str:
    """Return what to write for `- Ada: https://ada.example`, as the first template of Distill had it."""
    names = [name for name in fields.values if name not in _AUTHOR] if fields is not None else []
    return f" (did you mean `name: {names[0]}`?)" if len(names) == 1 and " " in names[0].strip() else ""


def _name_parts(fields: YamlMapping | None, complain: Complain) -> dict[str, str]:
    """Return `given` and `family`, or `literal`, where a name is written as a mapping; nothing where it is a text."""
    value = fields.get("name") if fields is not None else None
    written = value.mapping() if value is not None else None
    if written is None:
        return {}
    _check(written, _NAME, "a name", complain)
    parts = {key: text for key in ("given", "family", "literal") if (text := _text(written, key, complain))}
    if "literal" in parts and len(parts) > 1:
        complain("invalid name: a literal one has no given and family name", value)
        del parts["literal"]
    return parts


def _find(item: YamlValue, known: dict[str, Affiliation], listed: bool, complain: Complain) -> Affiliation | None:
    """Return the affiliation that an author names by id or name (`lab`, `ref: lab`), or writes out.

    Where affiliations are listed, they must hold what is named.
    """
    fields = item.mapping()
    name = item.text() if fields is None or set(fields.values) != {"ref"} else _text(fields, "ref", complain)
    if name is not None and name in known:
        return known[name]
    if name is not None and listed:
        complain(f"unknown affiliation: {name}{nearest(name, known)}", item)
        return None
    affiliation = _read_affiliation(item, complain)
    return affiliation and known.setdefault(affiliation.id or affiliation.name, affiliation)


def _read_affiliation(item: YamlValue, complain: Complain) -> Affiliation | None:
    fields = item.mapping()
    name = read_text(item, "name", complain) if fields is None else _text(fields, "name", complain)
    if not name:
        complain("missing name: an affiliation is a text, or has a `name`", item)
        return None
    if fields is None:
        return Affiliation(name)
    _check(fields, _AFFILIATION, "an affiliation", complain)
    return Affiliation(name, _text(fields, "id", complain), _address(fields, complain))


def _items(value: YamlValue | None) -> tuple[YamlValue, ...]:
    """Return the elements of a list; anything else is a list of one."""
    if value is None:
        return ()
    items = value.items()
    return (value,) if items is None else items


def _text(fields: YamlMapping, key: str, complain: Complain) -> str | None:
    value = fields.get(key)
    if value is None:
        return None
    written = read_text(value, key, complain)
    if written is None:
        complain(f"invalid {key}: it must be a text", value)
    return written.strip() if written else None


def _address(fields: YamlMapping, complain: Complain) -> str | None:
    """Return `url`, if it is one that a page may lead to: `javascript:` is none."""
    written = _text(fields, "url", complain)
    if written and not re.match(r"https?://\S+$", written, re.IGNORECASE):
        complain(f"invalid url: {written} (it begins with https://)", fields.get("url"))
        return None
    return written


def _orcid(fields: YamlMapping, complain: Complain) -> str | None:
    """Return the bare ORCID, however it is written."""
    written = _text(fields, "orcid", complain)
    bare = re.sub(r"^https?://orcid\.org/", "", written or "")
    if written and not re.fullmatch(r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]", bare):
        complain(f"invalid orcid: {written} (one looks like 0000-0002-1825-0097)", fields.get("orcid"))
        return None
    if written and _check_digit(bare) != bare[-1]:
        complain(f"invalid orcid: {written} (its last digit does not follow from the others)", fields.get("orcid"))
        return None
    return bare or None


def _check_digit(orcid: str) -> str:
    """Return the last digit that an ORCID must have: ISO 7064's MOD 11-2.

    https://support.orcid.org/hc/en-us/articles/360006897674
    """
    total = 0
    for digit in orcid[:-1].replace("-", ""):
        total = (total + int(digit)) * 2
    return "0123456789X"[(12 - total % 11) % 11]


def _email(fields: YamlMapping, complain: Complain) -> str | None:
    written = _text(fields, "email", complain)
    if written and not _EMAIL.fullmatch(written):
        complain(f"invalid email: {written} (one looks like ada@example.org)", fields.get("email"))
        return None
    return written


def _check(fields: YamlMapping, keys: set[str], what: str, complain: Complain) -> None:
    for key, value in fields:
        if key not in keys:
            complain(f"unknown key of {what}: {key}{nearest(key, keys)}", value)
    for key, value in fields.repeated:
        complain(f"duplicate key: {key}", value)
