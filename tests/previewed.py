"""A site to preview: articles of a few words, and a theme of one style sheet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["write_site"]


def write_site(root: Path, articles: Mapping[str, str], style: str, *, settings: str = "") -> Path:
    """Write such a site, its articles by their folders' names, and return its root."""
    for name, text in articles.items():
        (root / "content" / name).mkdir(parents=True)
        (root / "content" / name / "article.md").write_text(text)
    (root / "theme/css").mkdir(parents=True)
    (root / "theme/css/main.css").write_text(style)
    (root / "pyproject.toml").write_text(f"[tool.fanlight]\n{settings}")
    return root
