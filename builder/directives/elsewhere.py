"""What authors know from Quarto, MyST, Distill, Jekyll and HTML, and what to write in its place."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["DIRECTIVES", "ROLES", "TAGS", "replace_class", "replace_directive", "replace_shortcode", "replace_tag"]

DIRECTIVES: Mapping[str, str] = {
    **dict.fromkeys(("margin", "sidebar", "sidenote", "marginnote", "topic", "column-margin"), ":::{aside}"),
    **dict.fromkeys(("dropdown", "details", "toggle"), ":::{note} Title, with `:collapse: true`"),
    **dict.fromkeys(("card", "button", "blockquote"), ":::{note}, or > before each line of a quotation"),
    **dict.fromkeys(("grid-item-column", "column", "item"), ":::{grid-item}"),
    **dict.fromkeys(("columns", "hstack", "card-carousel"), ":::{grid} 2"),
    **dict.fromkeys(("tabs", "tabset", "panel-tabset"), "::::{tab-set}"),
    **dict.fromkeys(("tab", "tabbed"), ":::{tab-item} Title"),
    **dict.fromkeys(("video", "iframe", "youtube", "raw", "anywidget"), "a link: [what it shows](https://…)"),
    **dict.fromkeys(("subfigure", "figure-md", "carousel", "gallery"), ":::{figure}"),
    **dict.fromkeys(("csv-table", "tabularcolumns"), ":::{table}, with lines of | a | b |"),
    **dict.fromkeys(("python", "r", "julia", "code-cell", "mermaid", "ojs"), "code, with no braces about its language"),
    **dict.fromkeys(("bibliography", "footbibliography"), "nothing: what is cited is listed"),
    **dict.fromkeys(("toctree", "tableofcontents", "contents"), "nothing: the page has its contents"),
    **dict.fromkeys(("include", "literalinclude", "embed"), "the text itself"),
    **dict.fromkeys(("proof", "theorem", "lemma", "definition", "exercise", "example"), ":::{note} Title"),
    "equation": ":::{math}, or $$ … $$",
    "glossary": "a line with the term, and `: its definition` in the next",
    "highlights": ":::{epigraph}",
    "footnote": "[^1] in the text, and `[^1]: its words` below",
    "cite": "[@key]",
}  # fmt: skip
"""Names of directives that we do not have."""

_CLASSES: Mapping[str, str] = {
    **{f"callout-{name}": f"{{{name}}}" for name in ("note", "tip", "important", "warning", "caution")},
    "callout": "{note}",
    "panel-tabset": "{tab-set}, with {tab-item} Title in it",
    "columns": "{grid} 2, with {grid-item} in it",
    "column": "{grid-item}",
    "column-margin": "{aside}",
    "aside": "{aside}",
    "margin": "{aside}",
    "epigraph": "{epigraph}",
    "subfigures": "{figure}",
}
"""Classes of Pandoc's divs, to directives."""

ROLES: Mapping[str, str] = {
    **dict.fromkeys(("prf:ref",), "@fig-…, @tbl-…, @eq-… or @sec-…"),
    **dict.fromkeys(("doc", "download"), "[words](../slug/)"),
    **dict.fromkeys(("math",), "$…$"),
    **dict.fromkeys(("code", "py:class", "py:func"), "`…`"),
    **dict.fromkeys(("kbd", "sub", "sup", "abbr", "del"), "<NAME>…</NAME>"),
    **dict.fromkeys(("subscript",), "<sub>…</sub>"),
    **dict.fromkeys(("superscript",), "<sup>…</sup>"),
    **dict.fromkeys(("abbreviation",), '<abbr title="…">…</abbr>'),
    **dict.fromkeys(("footcite", "citep", "citet"), "[@key]"),
    **dict.fromkeys(("term", "u", "underline", "smallcaps", "index"), "*…*"),
    "strike": "~~…~~",
    "eval": "{value}`…`",
}
"""Roles that we do not have, `{name}` before backticks."""

TAGS: Mapping[str, str] = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "## Title"),
    **dict.fromkeys(
        ("font", "center", "big", "tt", "strike", "style"), "[words]{.class}, and a rule in theme/css/site.css"
    ),
    **dict.fromkeys(("iframe", "embed", "video", "audio", "source"), "a link: [what it shows](https://…)"),
    **dict.fromkeys(("svg", "picture", "canvas", "img"), "![what it shows](picture.svg)"),
    **dict.fromkeys(("math", "d-math"), "$…$"),
    **dict.fromkeys(("aside", "d-aside"), ":::{aside}"),
    "d-footnote": "^[words]",
    "d-figure": ":::{figure}",
    "d-code": "```python",
    "d-cite": "[@key]",
    "d-toc": "nothing: the page has its contents",
    "d-appendix": "## Appendix {.appendix}",
    "d-bibliography": "nothing: what is cited is listed",
    "div": ":::{note}, or the tag on a line of its own",
}
"""Tags that are not kept where they stand."""


def replace_directive(name: str) -> str:
    """Return ` (write X)` for a directive of another program, or the empty string."""
    known = DIRECTIVES.get(name.casefold())
    return f" (write {known})" if known else ""


def replace_class(info: str) -> str | None:
    """Return what to write for `{.callout-note title="x"}` and the like, None if nothing comes near."""
    for name in re.findall(r"\.([\w-]+)", info):
        if name in _CLASSES:
            return _CLASSES[name]
    for prefix, name in (
        ("#fig-", "{figure}"),
        ("#tbl-", "{table}"),
        ("layout-ncol", "{grid} 2"),
        (".column-", "{figure}"),
    ):
        if prefix in info:
            return name
    return None


def replace_tag(name: str, otherwise: str = "") -> str:
    """Return ` (write X)` for a tag of HTML, or the empty string."""
    known = TAGS.get(name, otherwise)
    return f" (write {known})" if known else ""


def replace_shortcode(name: str) -> str:
    """Return ` (write X)` for a shortcode of Quarto or a tag of Liquid, or the empty string."""
    known = {"video": "a link", "include": "the text, or ![what it shows](picture.png)", "figure": ":::{figure}",
             "highlight": "```python", "cite": "[@key]", "details": ":::{note} Title, with `:collapse: true`",
             "link": "[words](../slug/)", "post_url": "[words](../slug/)", "embed": "a link"}.get(name)  # fmt: skip
    return f" (write {known})" if known else ""
