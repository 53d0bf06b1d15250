"""`make_theme`: the jinja2 templates of a site's theme and of the kinds, compiled once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2

from .numerals import shown_value
from .site import Site

__all__ = ["make_theme"]


def make_theme(site: Site) -> jinja2.Environment:
    """Return the templates: a site's `theme/` before ours, and each kind's folder under `figures/`.

    Ours are also there as `fanlight/NAME`: a site's own `article.html` extends `fanlight/article.html`.
    """
    return _compiler(site.folders("theme"), site.folders("figures"))


@cache
def _compiler(theme: tuple[Path, ...], kinds: tuple[Path, ...]) -> jinja2.Environment:
    """Compile each template once a process and again when its file changes: 0.2 s that `serve` does not pay twice.

    Nothing is kept on disk: jinja2's own cache of compiled templates is a pickle.
    """
    templates = jinja2.FileSystemLoader([str(folder) for folder in theme])
    figures = jinja2.FileSystemLoader([str(folder) for folder in kinds])
    ours = jinja2.FileSystemLoader(str(theme[-1]))
    loader = jinja2.ChoiceLoader([templates, jinja2.PrefixLoader({"figures": figures, "fanlight": ours})])
    environment = jinja2.Environment(
        loader=loader,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["shown"] = shown_value  # numbers have the same digits as in views and in prose
    return environment
