"""A document and its results, through the theme, to HTML; the index and the pages that list articles."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

from .. import __version__
from ..article import Article
from ..directives import make_parser
from ..document import Document
from ..figure import Result
from .article_page import ArticlePage
from .site_page import SitePage, page_path

__all__ = ["render_article", "render_index"]


def render_article(page: ArticlePage) -> str:
    """Return the article's HTML."""
    document = page.document
    env: dict[str, Any] = {"page": page, "cards": {}, "scripts": {}}
    parser = make_parser()
    content = Markup(parser.renderer.render(list(document.tokens), parser.options, env))
    references = page.part("references", document=document, bibliography=page.bibliography, env=env)
    results = [panel.result for panels in page.panels.values() for panel in panels]
    kinds = sorted({result.kind for result in results})
    used = sorted({*kinds, *(name for kind in kinds for name in page.kinds[kind].uses)})
    template = page.theme.get_template("article.html")
    return template.render(
        **_common(page, used, has_math=document.has_math, has_mentions=bool(document.mentions), asked=tuple(env["scripts"])),
        article=document.article,
        meta=document.article.meta,
        document=document,
        content=content,
        toc=_contents(document, parser, env),
        references=references,
        cards=Markup("\n").join(env["cards"].values()),
        kinds=kinds,
        has_math=document.has_math,
        reading_minutes=max(1, round(document.n_words / 230)),
        models=_models(results),
    )


def _contents(document: Document, parser: MarkdownIt, env: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the headings that a table of contents shows, each with its words as HTML: a title may hold a formula."""
    renderer: Any = parser.renderer
    return [
        {
            "level": heading.level,
            "number": heading.number,
            "anchor": heading.anchor,
            "text": heading.text,
            "html": Markup(renderer.renderInline(list(heading.tokens), parser.options, env)),
        }
        for heading in document.headings
        if heading.level <= 3
    ]


def render_index(page: SitePage, articles: Sequence[Article], template: str = "index.html") -> str:
    """Return the index page of all articles, or another page that is not an article's."""
    entries = [{"url": page.url(page_path(article)), "meta": article.meta, "article": article} for article in articles]
    return page.theme.get_template(template).render(**_common(page, [], has_math=False), articles=entries)


def _common(page: SitePage, kinds: Sequence[str], *, has_math: bool, has_mentions: bool = False, asked: Sequence[str] = ()) -> dict[str, Any]:
    """Return what every template gets."""
    styles = ["css/fanlight.css"]
    if has_math:
        styles.append("katex/katex.min.css")
    if kinds:
        styles += [name for name in page.assets.names if name.startswith("figures/shared/") and name.endswith(".css")]
        styles += [name for kind in kinds if (name := f"figures/{kind}/view.css") in page.assets]
    scripts = ["js/theme-toggle.js", "js/toc.js", "js/cards.js", *(["js/mount.js"] if kinds else [])]
    scripts += ["js/mentions.js"] if kinds and has_mentions else []
    scripts += asked
    return {
        "page": page,
        "site": page.site,
        "root": page.url("index.html"),
        "version": __version__,
        "stylesheets": [page.asset(name) for name in styles],
        "scripts": [page.asset(name) for name in scripts if name in page.assets],
        "import_map": _json({"imports": {"d3": page.asset("d3.js")}}) if kinds else None,
    }


def _models(results: Iterable[Result]) -> list[Mapping[str, Any]]:
    """Return the provenance of each model an article shows, once."""
    found: dict[str, Mapping[str, Any]] = {}
    for result in results:
        found.setdefault(str(result.provenance.get("model")), result.provenance)
    return list(found.values())


def _json(value: Any) -> Markup:
    """Return JSON that may stand inside a script element."""
    return Markup(json.dumps(value, separators=(",", ":")).replace("<", "\\u003c"))
