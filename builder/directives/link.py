"""Links and pictures: what lies in the site is addressed from the page, what lies elsewhere stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

__all__ = ["link_plugin"]


def link_plugin(md: MarkdownIt) -> None:
    """Render links and pictures; `builder.document.links` has looked up what they name.

    A link's `meta["target"]` is a path in the site, `meta["fragment"]` what follows `#`. A picture's `meta["source"]`
    is its name in `page.pictures`, which knows its size, so that the page does not jump when it arrives.
    """
    picture = RendererHTML.image

    def render_link(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        token = tokens[index]
        if "target" in token.meta:
            token.attrs["href"] = env["page"].url(token.meta["target"]) + token.meta["fragment"]
        return str(self.renderToken(tokens, index, options, env))

    def render_picture(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        token = tokens[index]
        found = env["page"].pictures.get(token.meta["source"]) if "source" in token.meta else None
        if found is not None:
            token.attrs["src"] = env["page"].url(found.path)
            token.attrs["loading"] = "lazy"
            if found.width and not {"width", "height"} & token.attrs.keys():
                token.attrs.update(width=found.width, height=found.height)
        return picture(self, tokens, index, options, env)

    md.add_render_rule("link_open", render_link)
    md.add_render_rule("image", render_picture)
