"""What prose says of figures, looked up in their results: parts by name, values by path."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .document import Document, Mention, Value
from .errors import BuildError, Problem, nearest
from .faults import noting
from .figure import Result
from .kind import Kind
from .numerals import shown_value
from .parts import Part
from .paths import find_starts, follow, known_names, written_path
from .spark import Drawing, draw

__all__ = ["Found", "check_prose", "find_mention", "find_value"]

_CATEGORIES = 12  # colours in theme/css/variables.css; they begin anew after the last, as in figures/shared/category.js
_ROOTS = ("checks", "provenance")


@dataclass(frozen=True)
class Found:
    """A part as a page shows it: what its view is told (`part`, in JSON), its colour from 1, its graphic."""

    part: str
    colour: int | None
    drawing: Drawing | None


def check_prose(
    documents: Iterable[Document],
    results: Mapping[tuple[str, str], Sequence[Result | None]],
    kinds: Mapping[str, Kind],
    computed: Collection[str],
) -> tuple[Problem, ...]:
    """Return a problem for each part and each value that a figure does not have.

    `results` are those of a figure's panels by `(slug, the figure's anchor)`. One that is missing was told of already.
    `computed` are the addresses of those that this build computed.
    """
    problems: list[Problem] = []
    for document in documents:
        article = document.article
        figures = {spec.anchor: spec for spec in document.figures}
        for named in (*document.mentions, *document.values):
            panels = results.get((article.slug, named.anchor), ())
            if not panels:
                continue
            is_stored = any(result is not None and result.address not in computed for result in panels)
            try:
                with noting(problems, figures[named.anchor], is_stored=is_stored):
                    if isinstance(named, Mention):
                        find_mention(named, panels, kinds)
                    elif isinstance(named, Value):
                        find_value(named, panels)
            except BuildError as error:
                problems += [Problem(p.message, article.path, named.line, named.column) for p in error.problems]
    return tuple(problems)


def find_mention(mention: Mention, panels: Sequence[Result | None], kinds: Mapping[str, Kind]) -> Found | None:
    """Return the part that is meant, None where the figure has no result.

    Raises `BuildError` for an aspect or a part that the figure does not have, or that cannot be drawn.
    """
    result = _result(mention, panels)
    if result is None:
        return None
    kind = kinds[result.kind]
    parts = kind.parts(result.data)
    aspect = mention.aspect
    if aspect not in parts:
        known = nearest(aspect, parts) or known_names(parts)
        raise BuildError(f"unknown aspect of {kind.name}: {aspect}{known}")
    part = _part(mention.name, aspect, parts[aspect], result.data)
    if part is None:
        name = mention.name if mention.name == mention.name.strip() else f'"{mention.name}"'
        close = "" if name.isdecimal() else nearest(mention.name, parts[aspect])
        raise BuildError(f"unknown {aspect}: {name} of {mention.anchor}{close or known_names(tuple(parts[aspect]))}")
    if mention.drawn and aspect not in kind.sparks:
        raise BuildError(f"unknown spark of {kind.name}: {aspect}{known_names(kind.sparks)}")
    drawing = draw(kind.spark(result.data, aspect, part)) if mention.drawn else None
    colour = part.colour or (drawing.spark.colour if drawing else None)
    shown = (colour - 1) % _CATEGORIES + 1 if colour else None
    return Found(json.dumps(part.value, ensure_ascii=False), shown, drawing)


def find_value(value: Value, panels: Sequence[Result | None]) -> tuple[str, float | None] | None:
    """Return a value as it is read, and as a number if it is one; None where the figure has no result.

    Raises `BuildError` for a path that leads nowhere, or to what has not the form that is asked for.
    """
    result = _result(value, panels)
    if result is None:
        return None
    root: Mapping[str, Any] = result.data
    if value.path[0].value in _ROOTS:
        checks = {name: asdict(check) for name, check in result.checks.items()}
        root = {"checks": checks, "provenance": result.provenance}
    found = follow(value.path, root, result.data, value.anchor)
    try:
        return shown_value(found, value.form), None if isinstance(found, str) else found
    except ValueError as error:
        written = written_path(value.path)
        raise BuildError(f"invalid form: as={value.form} of {written} in {value.anchor}: {error}") from error


def _result(named: Mention | Value, panels: Sequence[Result | None]) -> Result | None:
    if not panels:
        return None
    if named.panel > len(panels):
        known = [str(number) for number in range(1, len(panels) + 1)]
        raise BuildError(f"unknown panel: {named.panel} of {named.anchor}{known_names(known)}")
    return panels[named.panel - 1]


def _part(name: str, aspect: str, parts: Mapping[str, Part], data: Mapping[str, Any]) -> Part | None:
    """Return a part by its name; a token also by a text that several tokens make, then it is the first of them."""
    return next((parts[known] for known in _names(name, aspect, data) if known in parts), None)


def _names(name: str, aspect: str, data: Mapping[str, Any]) -> Iterator[str]:
    yield name
    if aspect == "token":
        yield from map(str, find_starts(data.get("tokens", ()), name))
    yield name.strip()
