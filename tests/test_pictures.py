"""Pictures have their size on the page, so that nothing jumps when they come."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.pictures import read_picture


@pytest.mark.parametrize(
    ("tag", "size"),
    [
        ('<svg width="480" height="400" viewBox="0 0 10 10">', (480, 400)),
        ('<?xml version="1.0"?>\n<svg viewBox="0 0 240.4 100">', (240, 100)),
        ("<svg width='12px' height='8px'>", (12, 8)),
        ('<svg width="100%" height="100%" viewBox="0 0 30 20">', (30, 20)),
        ('<svg stroke-width="4" viewBox="0 0 3 2">', (3, 2)),
        ('<svg width="1.2.3" height="4">', (None, None)),
        ('<svg width="0" height="4">', (None, None)),
        ("<svg>", (None, None)),
        ("no drawing", (None, None)),
    ],
)
def test_a_drawing_has_the_size_it_names(tag: str, size: tuple[int | None, int | None], tmp_path: Path) -> None:
    """Its width and height in pixels, else its viewBox; what names neither has none."""
    file = tmp_path / "drawing.svg"
    file.write_text(tag)
    picture, _ = read_picture("a", file)
    assert (picture.width, picture.height) == size
