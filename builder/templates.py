"""`make_theme`: the jinja2 templates of a site's theme and of the kinds, compiled once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import jinja2

from .numerals import shown_value
from .site import Site

__all__ = ["make_theme"]


def make_theme(site: Site) -> jinja2.Environment:
    """Return the templates: a site's `theme/` before ours, and each kind's folder under `figures/`.

    Ours are also there as `fanlight/NAME`: a site's own `article.html` extends `fanlight/article.html`.
    """
    theme, kinds = site.folders("theme"), site.folders("figures")
    return _compiler(theme, kinds, tuple(_stamps((*theme, *kinds))))


def _stamps(folders: Iterable[Path]) -> Iterator[tuple[str, int]]:
    """Yield the templates and when they changed, those two folders deep too: `theme/parts/`, `figures/KIND/`."""
    for folder in folders:
        inner = [entry.path for entry in os.scandir(folder) if entry.is_dir() and entry.name != "node_modules"]
        for place in (str(folder), *inner):
            for entry in os.scandir(place):
                if entry.name.endswith((".html", ".svg", ".xml", ".txt", ".cff")):
                    yield entry.path, entry.stat().st_mtime_ns


@lru_cache(maxsize=2)
def _compiler(
    theme: tuple[Path, ...],
    kinds: tuple[Path, ...],
    stamps: tuple[tuple[str, int], ...],  # noqa: ARG001 - part of what is remembered
) -> jinja2.Environment:
    """Compile each template once a process, until one changes: 0.2 s that `serve` does not pay twice.

    Nothing is kept on disk: jinja2's own cache of compiled templates is a pickle. A build asks for templates a hundred
    times an article, and does not look each time whether the file is still the same.
    """
    templates = jinja2.FileSystemLoader([str(folder) for folder in theme])
    figures = jinja2.FileSystemLoader([str(folder) for folder in kinds])
    ours = jinja2.FileSystemLoader(str(theme[-1]))
    loader = jinja2.ChoiceLoader([templates, jinja2.PrefixLoader({"figures": figures, "fanlight": ours})])
    environment = jinja2.Environment(
        loader=loader,
        autoescape=True,
        auto_reload=False,
        cache_size=-1,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["shown"] = shown_value  # numbers have the same digits as in views and in prose
    return environment
