"""The manifest: which files of an output builds of ours made; its presence makes a folder ours."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

__all__ = ["MANIFEST", "STAGE", "is_inside", "read_manifest", "write_manifest"]

MANIFEST = ".fanlight.json"
STAGE = ".fanlight-tmp"
"""Where files are made ready: inside the output, so that a rename out of it stays on one file system."""


def is_inside(path: str) -> bool:
    """Whether a path of the site stays in it, here and on Windows, and is none of the names that are ours."""
    parts = path.split("/")
    if not {"", ".", ".."}.isdisjoint(parts) or parts[0] in {MANIFEST, STAGE}:
        return False
    return not any(character in path for character in "\\:\0")


def read_manifest(output: Path) -> frozenset[str]:
    """Return the files that builds made; names that lead out of the folder are not believed."""
    try:
        names = json.loads((output / MANIFEST).read_text(encoding="utf-8"))["files"]
        return frozenset(name for name in names if isinstance(name, str) and is_inside(name))
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def write_manifest(output: Path, paths: Iterable[str]) -> None:
    """Say which files builds made, in the place of what was said before."""
    text = json.dumps({"made by": "fanlight build", "files": sorted(paths)}, ensure_ascii=False, indent=0)
    staged = output / STAGE / "manifest"
    staged.write_text(text, encoding="utf-8")
    staged.replace(output / MANIFEST)
