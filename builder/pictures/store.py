"""`find_stored`: what a picture's pixels were found to be, and its variants, kept in the user's cache."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..cache import write_atomically
from .metadata import without_metadata

__all__ = ["Stored", "Variant", "find_stored"]

RECIPE = 1  # another number for another way to make variants


@dataclass(frozen=True)
class Variant:
    """A picture in a format and a width; without a `file`, the picture's own. Bytes are not stored."""

    format: str
    width: int
    digest: str
    file: bytes | Path | None


@dataclass(frozen=True)
class Stored:
    """What is published of a picture. `clean` is its file without metadata, None where it had none to lose.

    Where the cache cannot be written, that and the variants are what would lie in their files.
    """

    suffix: str
    digest: str
    width: int
    height: int
    transparent: bool
    clean: bytes | Path | None
    variants: tuple[Variant, ...]


def find_stored(content: bytes, cache: Path, formats: tuple[str, ...], width: int | None = None) -> Stored:
    """Return what is stored of a picture, made now if it is not: the second build decodes and encodes nothing.

    With `width`, it is the picture scaled to that, where it is wider: a thumbnail has no variants.

    Raises `PictureError` for a file that is no picture.
    """
    from .raster import version

    digest = hashlib.sha256(content)
    digest.update(f"{RECIPE} {version()} {' '.join(formats)} {width}".encode())
    key = digest.hexdigest()
    folder = cache / "pictures" / key[:2]
    return _read(folder, key) or _make(folder, key, content, formats, width)


def _read(folder: Path, key: str) -> Stored | None:
    """Return what a former build found; None where it is not whole."""
    try:
        entry = json.loads((folder / f"{key}.json").read_text(encoding="utf-8"))
        files = {name: folder / name for name in entry.pop("files")}
        if any(file.stat().st_size != size for file, size in zip(files.values(), entry.pop("sizes"), strict=True)):
            return None
        variants = [Variant(**{**found, "file": files.get(found["file"])}) for found in entry.pop("variants")]
        return Stored(**{**entry, "clean": files.get(entry["clean"])}, variants=tuple(variants))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _make(folder: Path, key: str, content: bytes, formats: tuple[str, ...], width: int | None) -> Stored:
    from .raster import SUFFIXES, encode, recode, scale, survey

    given, picture = content, survey(content)
    if width is not None and picture.image is not None:
        small = scale(picture, width)
        if small is not None and len(small) < len(content):
            content, formats = small, ()
            picture = survey(small)
    suffix = SUFFIXES[picture.format]
    clean = without_metadata(content, picture.orientation)
    if picture.format == "AVIF" and picture.noted and picture.image is not None:
        clean = recode(picture)
    files: dict[Path, bytes] = {}
    own = None if clean == given else folder / f"{key}{suffix}"
    if own is not None:
        files[own] = clean
    name = hashlib.sha256(clean).hexdigest()[:8]
    variants = []
    for made in encode(picture, len(clean), formats):
        file = folder / f"{key}-{made.width}.{made.format}" if made.content is not None else None
        if file is not None and made.content is not None:
            files[file] = made.content
        digest = hashlib.sha256(made.content).hexdigest()[:8] if made.content is not None else name
        variants.append(Variant(made.format, made.width, digest, file))
    stored = Stored(suffix, name, picture.width, picture.height, picture.transparent, own, tuple(variants))
    entry = dataclasses.asdict(stored)
    entry["files"], entry["sizes"] = [file.name for file in files], [len(encoded) for encoded in files.values()]
    try:
        for file, encoded in files.items():
            write_atomically(file, encoded)
        write_atomically(folder / f"{key}.json", json.dumps(entry, default=lambda file: file.name).encode())
    except OSError:
        loose = tuple(dataclasses.replace(one, file=_content(one.file, files)) for one in variants)
        return dataclasses.replace(stored, clean=_content(own, files), variants=loose)
    return stored


def _content(file: bytes | Path | None, files: Mapping[Path, bytes]) -> bytes | None:
    return files[file] if isinstance(file, Path) else file
