"""A site to preview, articles of a few words and a theme of one style sheet; and what a server of it says."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from subprocess import Popen

__all__ = ["hear", "write_site"]

PATIENCE = 60.0
"""Seconds in which a server must have said what is waited for."""


def write_site(root: Path, articles: Mapping[str, str], style: str, *, settings: str = "") -> Path:
    """Write such a site, its articles by their folders' names, and return its root."""
    for name, text in articles.items():
        (root / "content" / name).mkdir(parents=True)
        (root / "content" / name / "article.md").write_text(text)
    (root / "theme/css").mkdir(parents=True)
    (root / "theme/css/main.css").write_text(style)
    (root / "pyproject.toml").write_text(f"[tool.fanlight]\n{settings}")
    return root


def hear(process: Popen[str], word: str = "") -> str:
    """Return the next line of a process that has a word in it; one that does not come in time fails the test."""
    assert process.stdout is not None
    lines = []
    late = threading.Timer(PATIENCE, process.kill)  # and its output ends
    late.start()
    try:
        for line in process.stdout:
            if word in line:
                return line
            lines.append(line)
    finally:
        late.cancel()
    raise AssertionError(f"it did not say {word!r}, but {''.join(lines)!r}")
