"""A cache that cannot be written, because it is read-only or its disk is full: what it would hold is made and used."""

from __future__ import annotations

import shutil
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from .conftest import ARTICLE, SiteFolder


def photograph() -> bytes:
    """Return a picture with metadata to lose, and variants."""
    stream, exif = BytesIO(), Image.Exif()
    exif[0x010E] = "where it was taken"
    Image.effect_mandelbrot((900, 600), (-2, -1.5, 1, 1.5), 60).convert("RGB").save(stream, "JPEG", exif=exif)
    return stream.getvalue()


def test_a_site_is_built_without_a_cache(folder: SiteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the answers in it, with pictures, drawings, cards and a search: byte for byte what it is with one."""
    settings = folder.root / "pyproject.toml"
    text = settings.read_text()
    settings.write_text(text.replace("[tool.fanlight]", "[tool.fanlight]\nbase_url = 'https://a.org/'", 1))
    folder.article(ARTICLE + "\n![A picture](photograph.jpg)\n")
    folder.write("content/a/photograph.jpg", photograph())
    (folder.root / "answers").mkdir()
    folder.build()
    made = folder.snapshot()
    assert {"a/card", "a/thumb", "a/photo"} <= {path[:7].rstrip(".n") for path in made}
    assert any(path.startswith("pagefind/") for path in made)
    shutil.rmtree(folder.root / "_site")
    (tmp_path / "blocked").write_text("no folder")
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / "blocked"))
    folder.build(frozen=True)
    assert folder.snapshot() == made
