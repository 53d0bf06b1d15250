"""Pictures of an article: under a name with their digest, with their size, in formats that are quicker to load."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import BuildError, Problem
from .drawing import Drawing, read_drawing
from .errors import PictureError
from .store import Stored, Variant, find_stored

__all__ = [
    "UNREAD",
    "Picture",
    "PictureError",
    "Published",
    "Source",
    "read_drawing",
    "read_linked",
    "read_picture",
    "read_pictures",
    "read_thumbnail",
]

AT_ONCE = 4
"""Pictures that are encoded at once; the largest that are taken need 240 MB each."""

UNREAD = "0" * 8
"""Stands for the digest in the name of a picture that could not be read."""

THUMBNAIL_WIDTH = 640
"""Pixels: a thumbnail is shown half as wide, at most."""


@dataclass(frozen=True)
class Source:
    """A format that a browser may take instead of the picture's own; files in the site by their width."""

    type: str
    files: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Picture:
    """A picture as the site carries it: its path there, and its size in pixels where that is known."""

    path: str
    width: int | None = None
    height: int | None = None
    sources: tuple[Source, ...] = ()
    """Smaller files of the same, the best first."""
    bare: bool = False
    """Whether what it lies on shows through: by night it needs a light ground."""
    dark: Picture | None = None
    """The same for readers by night."""


@dataclass
class Published:
    """What became of the pictures of an article: by the path it names them with, and their files in the site."""

    pictures: dict[str, Picture] = field(default_factory=dict)
    files: dict[str, bytes | Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_pictures(
    slug: str,
    pictures: Mapping[str, Path],
    dark: Mapping[str, Path],
    cache: Path,
    formats: tuple[str, ...] = (),
    *,
    scripts: bool = False,
) -> Published:
    """Return an article's pictures and their files; what is wrong with one is a problem, and it stands as it is.

    `dark` are those shown by night, by the name of the one they stand for. `formats` are those to publish them in
    besides their own; what is made once is kept in the folder `cache`. Drawings may hold scripts only with `scripts`.
    """
    found = Published()
    if not pictures:
        return found
    files = list(dict.fromkeys([*pictures.values(), *dark.values()]))

    def read(file: Path) -> tuple[Picture, dict[str, bytes | Path]] | BuildError:
        try:
            return read_picture(slug, file, cache, formats, scripts=scripts)
        except BuildError as error:
            return error

    made = {}
    with ThreadPoolExecutor(min(os.cpu_count() or 1, AT_ONCE)) as pool:  # encoders let go of the interpreter
        for file, answer in zip(files, pool.map(read, files), strict=True):
            if isinstance(answer, BuildError):
                found.problems += answer.problems
                made[file] = Picture(_path(slug, file.stem, UNREAD, file.suffix.lower()))
            else:
                made[file] = answer[0]
                found.files.update(answer[1])
    for name, file in pictures.items():
        night = made[dark[name]] if name in dark else None
        found.pictures[name] = replace(made[file], dark=night, bare=made[file].bare and night is None)
    return found


def read_linked(files: Mapping[str, Path], *, scripts: bool = False) -> Published:
    """Return files that links lead to, by their path in the site; a drawing that would run something is a problem.

    With `scripts` all are published as they are.
    """
    found = Published()
    for path, file in files.items():
        try:
            if file.suffix.lower() == ".svg" and not scripts:
                _read_drawing(file, _content(file))
            found.files[path] = file
        except BuildError as error:
            found.problems += error.problems
    return found


def read_picture(
    slug: str, file: Path, cache: Path, formats: tuple[str, ...] = (), *, scripts: bool = False
) -> tuple[Picture, dict[str, bytes | Path]]:
    """Return a picture and its files by their place in the site: itself without what cameras write into it, variants.

    Width and height keep the page from jumping. Raises `BuildError` for a file that browsers could not show.
    """
    content = _content(file)
    if file.suffix.lower() == ".svg":
        drawing = _read_drawing(file, content, scripts=scripts)
        path = _path(slug, file.stem, _digest(content), ".svg")
        return Picture(path, drawing.width, drawing.height, bare=not drawing.knows_dark), {path: file}
    try:
        stored = find_stored(content, cache, formats)
    except PictureError as error:
        raise BuildError(str(error), file) from error
    return _publish(slug, file, stored)


def read_thumbnail(slug: str, file: Path, cache: Path) -> tuple[Picture, dict[str, bytes | Path]]:
    """Return a picture, small, and its file in the site; a drawing is as it is.

    Raises `BuildError` for a file that browsers could not show.
    """
    if file.suffix.lower() == ".svg":
        return read_picture(slug, file, cache)
    try:
        stored = find_stored(_content(file), cache, (), THUMBNAIL_WIDTH)
    except PictureError as error:
        raise BuildError(str(error), file) from error
    return _publish(slug, file, stored)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BuildError(f"invalid picture: it cannot be read: {error.strerror or error}", file) from error


def _read_drawing(file: Path, content: bytes, *, scripts: bool = False) -> Drawing:
    try:
        return read_drawing(content, scripts=scripts)
    except PictureError as error:
        raise BuildError(str(error), file, error.line) from error


def _publish(slug: str, file: Path, stored: Stored) -> tuple[Picture, dict[str, bytes | Path]]:
    own = _path(slug, file.stem, stored.digest, stored.suffix)
    files: dict[str, bytes | Path] = {own: stored.clean or file}
    sources: dict[str, list[tuple[str, int]]] = {}
    for variant in stored.variants:
        path = own if variant.file is None else _variant_path(slug, file.stem, variant)
        if variant.file is not None:
            files[path] = variant.file
        sources.setdefault(f"image/{variant.format}", []).append((path, variant.width))
    found = tuple(Source(kind, tuple(sized)) for kind, sized in sources.items())
    return Picture(own, stored.width, stored.height, found, bare=stored.transparent), files


def _variant_path(slug: str, stem: str, variant: Variant) -> str:
    return _path(slug, f"{stem}-{variant.width}", variant.digest, f".{variant.format}")


def _path(slug: str, stem: str, digest: str, suffix: str) -> str:
    name = re.sub(r'[\x00-\x1f\\/:*?"<>|]', "-", stem)  # what is no name on every system that may serve the site
    return f"{slug}/{name}.{digest}{suffix}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]
