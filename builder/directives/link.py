"""Links and pictures: what lies in the site is addressed from the page, what lies elsewhere stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token

from .fence import Directive

__all__ = ["image", "link_plugin"]

image = Directive("image", "path", frozenset({"alt", "width", "height", "align", "class", "name"}), verbatim=True)
"""MyST's way to write a picture that has no number; the document makes a token `image` of it."""


def link_plugin(md: MarkdownIt) -> None:
    """Render links and pictures; `builder.document.links` has looked up what they name.

    A link's `meta["target"]` is a path in the site, `meta["fragment"]` what follows `#`. A picture's `meta["source"]`
    is its name in `page.pictures`; the rendering is the page's (`page.picture`). What could not be found, without
    `strict`, is as good as its alt text.

    | written | in the page |
    |---|---|
    | `![What it shows.](x.png)` | the picture; `x.dark.png` beside it is shown by night |
    | `![What it shows.](x.png){dark="y.png" width=300}` | … or `y.png`; in this width |
    | `![](x.png){alt=""}` | a picture that says nothing, and is left out when a page is read aloud |
    """

    def render_link(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        token = tokens[index]
        if "target" in token.meta:
            token.attrs["href"] = env["page"].url(token.meta["target"]) + token.meta["fragment"]
        return str(self.renderToken(tokens, index, options, env))

    def render_picture(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        token = tokens[index]
        alt = self.renderInlineAsText(token.children or [], options, env)
        if token.meta.get("source") not in env["page"].pictures:
            return escapeHtml(alt)
        given = {key: str(value) for key, value in token.attrs.items() if key in ("id", "lang", "title")}
        sides = {key: str(token.attrs[key]) for key in ("width", "height") if str(token.attrs.get(key)).isdecimal()}
        classes = str(token.attrs.get("class", "")).split()
        return str(env["page"].picture(token.meta["source"], alt, classes=classes, **given, **sides)).strip()

    md.add_render_rule("link_open", render_link)
    md.add_render_rule("image", render_picture)
