"""Pictures of an article: copied under a name with their digest, with the size they need on the page."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from .errors import BuildError
from .page import Picture

__all__ = ["read_picture"]


def read_picture(slug: str, file: Path) -> tuple[Picture, bytes]:
    """Return a picture's place in the site and its content; width and height keep the page from jumping.

    Raises `BuildError` for a file that cannot be read.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BuildError(f"invalid picture: it cannot be read: {error.strerror or error}", file) from error
    digest = hashlib.sha256(content).hexdigest()[:8]
    width, height = _svg_size(content) if file.suffix.lower() == ".svg" else _size(file)
    name = re.sub(r'[\x00-\x1f\\/:*?"<>|]', "-", file.stem)  # what is no name on every system that may serve the site
    return Picture(f"{slug}/{name}.{digest}{file.suffix.lower()}", width, height), content


def _svg_size(content: bytes) -> tuple[int | None, int | None]:
    """Return the width and height that a drawing names, in pixels, else those of its viewBox; read, not parsed."""
    tag = re.search(rb"<svg\b[^>]*>", content)
    named = dict(re.findall(rb"""(?<![-\w])(width|height|viewBox)\s*=\s*["']([^"']*)["']""", tag[0])) if tag else {}
    lengths = [re.fullmatch(rb"\s*([\d.]+)(?:px)?\s*", named.get(name, b"")) for name in (b"width", b"height")]
    sides = [length[1] for length in lengths if length] if all(lengths) else named.get(b"viewBox", b"").split()[2:]
    try:
        width, height = (round(float(side)) for side in sides)
    except ValueError:
        return None, None
    return (width, height) if width > 0 and height > 0 else (None, None)


def _size(file: Path) -> tuple[int | None, int | None]:
    from PIL import Image, UnidentifiedImageError  # 30 ms, and only where there are pictures

    try:
        with Image.open(file) as picture:
            return picture.size
    except (OSError, UnidentifiedImageError):
        return None, None
