"""`find_thumbnail`: the small picture that stands for an article, one of its own or a drawing of its data."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import jinja2

from .. import __version__
from ..assets import SITE_SHEET
from ..cache import write_atomically
from ..document import Document
from ..errors import BuildError, Problem, nearest
from ..faults import noting
from ..figure import FigureSpec, Result
from ..folders import cache_folder
from ..kind import Kind
from ..page import ShownPanel
from ..pictures import read_thumbnail
from ..site import Site
from ..summary import Thumbnail

__all__ = ["FoundThumbnail", "find_thumbnail", "theme_colours"]

_HEX = r"(#[0-9a-fA-F]{3,8})"
_COLOUR = re.compile(rf"--([\w-]+):\s*(?:light-dark\(\s*{_HEX},\s*{_HEX}\s*\)|{_HEX})\s*;")
_CLASSES = {
    "paper-raised": "g", "ink": "k", "rule": "r", "positive": "p", "negative": "n",
    "paper": "paper", "ink-soft": "soft", "accent": "accent",
}  # fmt: skip


@dataclass(frozen=True)
class FoundThumbnail:
    """An article's thumbnail, if it has one, its file in the site, and what was wrong with what was asked for."""

    thumbnail: Thumbnail | None = None
    files: Mapping[str, bytes | Path] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    drawing: str | None = None
    """The SVG, where it is a drawing of data."""


def find_thumbnail(
    document: Document,
    shown: Mapping[str, tuple[ShownPanel, ...]],
    kinds: Mapping[str, Kind],
    theme: jinja2.Environment,
    site: Site,
) -> FoundThumbnail:
    """Return what front matter names, else the first figure that has a small picture, else the first picture.

    `shown` are the results of computed figures by their anchors; one whose kind has no `thumbnail.svg` has none.
    """
    meta = document.article.meta
    problems: list[Problem] = []
    if isinstance(meta.thumbnail, Path):
        return _scaled(document, meta.thumbnail, "")
    figures: Sequence[FigureSpec] = document.figures
    if meta.thumbnail is not None:
        label = str(meta.thumbnail.value)
        figures = [spec for spec in document.figures if spec.label == label]
        if not figures:
            labels = [spec.label for spec in document.figures if spec.label]
            wrong = f"unknown figure: {label}{nearest(label, labels)}"
            problems.append(Problem(wrong, document.article.path, meta.thumbnail.line))
    found = next(_from_figures(document, figures, shown, kinds, theme, site, problems), None)
    if found is None and meta.thumbnail is None:
        found = next((_scaled(document, file, "") for file in document.pictures.values()), None)
    return replace(found or FoundThumbnail(), problems=tuple(problems))


def theme_colours(site: Site) -> dict[str, tuple[str, str]]:
    """Return the colours that drawings use, by class, for day and for night: those of the site's own theme."""
    folders = [folder / "css" for folder in reversed(site.folders("theme"))]
    files = [folder / name for folder in folders for name in ("variables.css", SITE_SHEET)]
    return _read_colours(tuple((file, file.stat().st_mtime_ns) for file in files if file.is_file()))


@cache
def _read_colours(files: tuple[tuple[Path, int], ...]) -> dict[str, tuple[str, str]]:
    """Read style sheets, each once until it changes; a later one wins. What is one colour is it by day and by night."""
    named: dict[str, tuple[str, str]] = {}
    for file, _ in files:
        for name, day, night, both in _COLOUR.findall(file.read_text(encoding="utf-8")):
            named[name] = (day or both, night or both)
    colours = {short: named[name] for name, short in _CLASSES.items() if name in named}
    for name, both in named.items():
        if found := re.fullmatch(r"(figure-scale|category)-(\d+)", name):
            colours[{"figure-scale": "s", "category": "c"}[found[1]] + found[2]] = both
    return colours


def _from_figures(
    document: Document,
    figures: Sequence[FigureSpec],
    shown: Mapping[str, tuple[ShownPanel, ...]],
    kinds: Mapping[str, Kind],
    theme: jinja2.Environment,
    site: Site,
    problems: list[Problem],
) -> Iterator[FoundThumbnail]:
    for spec in figures:
        if spec.picture is not None and (file := document.pictures.get(str(spec.picture.value))):
            yield _scaled(document, file, spec.alt or "")
        panels = shown.get(spec.anchor, ())
        kind = kinds.get(panels[0].result.kind) if panels else None
        if kind is None or not (kind.folder / "thumbnail.svg").is_file():
            continue
        result, drawing = panels[0].result, ""
        with noting(problems, spec, is_stored=panels[0].is_stored):
            alt = spec.alt or kind.analysis.describe(result.data)
            drawing = _draw(kind, result, theme, site)
        if drawing:
            content = drawing.encode()
            path = f"{document.article.slug}/thumbnail.{hashlib.sha256(content).hexdigest()[:8]}.svg"
            yield FoundThumbnail(Thumbnail(path, 600, 400, alt), {path: content}, drawing=drawing)


def _draw(kind: Kind, result: Result, theme: jinja2.Environment, site: Site) -> str:
    """Return the drawing of a result. It is kept: to compile its templates would take longer than all of a page."""
    colours = theme_colours(site)
    shared = next(file for folder in site.folders("figures") if (file := folder / "shared" / "thumbnail.svg").is_file())
    digest = hashlib.sha256(f"{result.address} {__version__} {colours}".encode())
    for file in (kind.folder / "thumbnail.svg", shared):
        digest.update(file.read_bytes())
    kept = cache_folder() / "drawings" / digest.hexdigest()[:2] / f"{digest.hexdigest()}.svg"
    with suppress(OSError, UnicodeDecodeError):
        return kept.read_text(encoding="utf-8")
    template = theme.get_template(f"figures/{kind.name}/thumbnail.svg")
    drawing = template.render(data=result.data, colours=colours).strip()
    with suppress(OSError):  # a cache that cannot be written is done without
        write_atomically(kept, drawing.encode())
    return drawing


def _scaled(document: Document, file: Path, alt: str) -> FoundThumbnail:
    """Return a picture, small; one that cannot be read was told of where the article's files were read."""
    try:
        picture, files = read_thumbnail(document.article.slug, file, cache_folder())
    except BuildError:
        return FoundThumbnail()
    if not picture.width or not picture.height:
        return FoundThumbnail()
    return FoundThumbnail(Thumbnail(picture.path, picture.width, picture.height, alt), files)
