"""A site with a tiny model in it, and a way to build it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from builder.build import Builder, Built
from builder.errors import BuildError
from builder.finding import with_columns
from builder.site import ModelSource, find_site

ARTICLE = """---
title: An article
runs:
  letters: {prompt: "The countries", generate: 3}
---

Words before @fig-a, and a formula $x^2$ [@known2020].

:::{figure}
:label: fig-a
:analysis: saliency
:run: letters

A caption.
:::

:::{figure}
:label: fig-b
:analysis: rankings
:run: letters

Another.
:::
"""

SETTINGS = """[tool.fanlight]
model = "nobodys"
search = false
social_cards = false
[tool.fanlight.models.nobodys]
source = "pypi:never-fetched==1.0"
"""
"""Of a site whose model nobody has: its answers are stored, or missing."""

BIB = "@article{known2020, author={Known, K.}, title={Known Things}, journal={Journal}, year={2020}}\n"


@dataclass
class SiteFolder:
    """A site on disk that a test writes into and builds."""

    root: Path

    def write(self, path: str, text: str | bytes) -> Path:
        """Write one of the site's files."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def article(self, body: str, slug: str = "a") -> Path:
        """Write an article; without front matter it gets a title."""
        text = body if body.startswith("---") else f"---\ntitle: An article\n---\n{body}"
        return self.write(f"content/{slug}/article.md", text)

    def build(self, *, settings: dict[str, Any] | None = None, **options: Any) -> Built:
        """Build the site as the command does."""
        return Builder(find_site(self.root, **(settings or {})), **options).build()

    def fail(self, **options: Any) -> list[str]:
        """Build, and return the problems as the command tells them, seen from the site's folder."""
        with pytest.raises(BuildError) as caught:
            self.build(**options)
        return [str(problem).replace(f"{self.root}/", "") for problem in with_columns(caught.value.problems)]

    def read(self, path: str) -> str:
        """Return a file of the built site."""
        return (self.root / "_site" / path).read_text(encoding="utf-8")

    def snapshot(self) -> dict[str, bytes]:
        """Return the built site, file by file."""
        site = self.root / "_site"
        return {str(f.relative_to(site)): f.read_bytes() for f in sorted(site.rglob("*")) if f.is_file()}


@pytest.fixture
def modelless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SiteFolder:
    """An empty site without a model, and with a cache of its own. It is the current folder."""
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / "cache"))
    site = SiteFolder(tmp_path / "site")
    site.write("pyproject.toml", SETTINGS)
    monkeypatch.chdir(site.root)
    return site


@pytest.fixture
def folder(tmp_path: Path, tiny_source: Callable[[str], ModelSource], monkeypatch: pytest.MonkeyPatch) -> SiteFolder:
    """A site with one article, two figures and a tiny GPT-2, and a cache of its own."""
    monkeypatch.setenv("FANLIGHT_CACHE", str(tmp_path / "cache"))
    site = SiteFolder(tmp_path / "site")
    shutil.copytree(tiny_source("gpt2").source, site.root / "tiny")
    site.write(
        "pyproject.toml",
        '[tool.fanlight]\ntitle = "A site"\nmodel = "tiny"\n[tool.fanlight.models.tiny]\nsource = "./tiny"\n',
    )
    site.write("bib/site.bib", BIB)
    site.article(ARTICLE)
    return site
