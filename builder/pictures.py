"""Pictures of an article: copied under a name with their digest, with the size they need on the page."""

from __future__ import annotations

import hashlib
from pathlib import Path

from .page import Picture

__all__ = ["read_picture"]


def read_picture(slug: str, file: Path) -> tuple[Picture, bytes]:
    """Return a picture's place in the site and its content; width and height keep the page from jumping."""
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:8]
    width, height = _size(file)
    return Picture(f"{slug}/{file.stem}.{digest}{file.suffix.lower()}", width, height), content


def _size(file: Path) -> tuple[int | None, int | None]:
    if file.suffix.lower() == ".svg":
        return None, None  # scales with its viewBox
    from PIL import Image, UnidentifiedImageError  # 30 ms, and only where there are pictures

    try:
        with Image.open(file) as picture:
            return picture.size
    except (OSError, UnidentifiedImageError):
        return None, None
