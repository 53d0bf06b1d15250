"""A document and its results, through the theme, to HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from .. import __version__
from ..directives import make_parser
from ..document import Document
from .article_page import ArticlePage
from .matter import article_matter
from .metadata import script_json
from .site_page import SitePage

__all__ = ["common_context", "render_article"]


AFTER = ("appendix", "footnotes")
"""Tokens of a document that stand after the text."""


def render_article(page: ArticlePage) -> str:
    """Return the article's HTML."""
    document = page.document
    env: dict[str, Any] = {"page": page, "cards": {}, "scripts": {}}
    parser = make_parser(page.site.plugins)

    def render(tokens: Iterable[Token]) -> Markup:
        return Markup(parser.renderer.render(list(tokens), parser.options, env))

    content = render(token for token in document.tokens if token.type not in AFTER)
    after = {name: render(token for token in document.tokens if token.type == name) for name in AFTER}
    references = page.part("references", document=document, bibliography=page.bibliography, env=env)
    results = [panel.result for panels in page.panels.values() for panel in panels]
    kinds = sorted({result.kind for result in results})
    used = sorted({*kinds, *(name for kind in kinds for name in page.kinds[kind].uses)})
    template = page.theme.get_template("article.html")
    return template.render(
        **common_context(
            page,
            used,
            has_math=document.has_math,
            has_mentions=bool(document.mentions),
            asked=tuple(env["scripts"]),
            has_code=document.has_code or document.article.meta.citation,  # BibTeX is copied as code is
            has_tabs=document.has_tabs,
            has_pictures=any(spec.picture for spec in document.figures),
        ),
        article=document.article,
        meta=document.article.meta,
        document=document,
        content=content,
        **after,
        toc=_contents(document, parser, env),
        references=references,
        cards=Markup("\n").join(env["cards"].values()),
        kinds=kinds,
        has_math=document.has_math,
        newer=page.newer,
        older=page.older,
        social_image=page.social_image,
        **article_matter(page, results, page.social_image.url if page.social_image else None),
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
            "in_appendix": heading.in_appendix,
        }
        for heading in document.headings
        if heading.level <= (2 if heading.in_appendix else 3)
    ]


def common_context(
    page: SitePage,
    kinds: Sequence[str] = (),
    *,
    has_math: bool = False,
    has_mentions: bool = False,
    asked: Sequence[str] = (),
    has_code: bool = False,
    has_tabs: bool = False,
    has_pictures: bool = False,
) -> dict[str, Any]:
    """Return what every template gets."""
    styles = ["css/fanlight.css"]
    if has_math:
        styles.append("katex/katex.min.css")
    if kinds:
        styles.append("css/figures.css")
        styles += [name for kind in kinds if (name := f"figures/{kind}/view.css") in page.assets]
    scripts = ["js/theme-toggle.js", "js/toc.js", "js/reach.js", *(["js/mount.js"] if kinds else [])]
    scripts += ["js/mentions.js"] if kinds and has_mentions else []
    scripts += asked
    scripts += [f"js/{name}.js" for name, used in (("code", has_code), ("tabs", has_tabs)) if used]
    scripts += ["js/lightbox.js"] if has_pictures else []
    return {
        "page": page,
        "site": page.site,
        "root": page.url("index.html"),
        "version": __version__,
        "stylesheets": [page.asset(name) for name in styles],
        "scripts": [page.asset(name) for name in scripts if name in page.assets],
        "import_map": script_json({"imports": {"d3": page.asset("d3.js")}}) if kinds else None,
    }
