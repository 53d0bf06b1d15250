"""Two sites, an older and a newer one, and what of a site lies in a folder."""

from __future__ import annotations

from pathlib import Path

from builder.write import MANIFEST

OLD = {"index.html": b"old index", "a/index.html": b"old a", "assets/1/a.css": b"old css", "gone/index.html": b"gone"}
NEW = {"index.html": b"new index", "a/index.html": b"new a", "assets/2/a.css": b"new css", "data/x.json": b"{}"}


def read(output: Path) -> dict[str, bytes]:
    """Return what lies in the output, without our own bookkeeping."""
    files = {file.relative_to(output).as_posix(): file.read_bytes() for file in output.rglob("*") if file.is_file()}
    return {path: content for path, content in files.items() if path not in {MANIFEST, ".nojekyll"}}
