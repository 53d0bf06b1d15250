"""Headings: `## Title {#sec-x}` gives a section a name; without one its anchor is made from the title.

`## Title {-}` is one without a number, Pandoc's way to write `{.unnumbered}`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup
from mdit_py_plugins.attrs.parse import ParseError, parse

from ..slug import slugify

__all__ = ["heading_plugin", "slugify"]

_TRAILING = re.compile(r"(?:^|\s+)(\{[^{}]*\})\s*$")
_DASH = re.compile(r"(?<=[{\s])-(?=[\s}])")


def heading_plugin(md: MarkdownIt) -> None:
    """Parse `{#id .class}` at the end of a heading, and render headings with a link to themselves.

    `parts/heading.html` gets `level`, `anchor`, `number`, `classes` and `content`.
    """
    md.core.ruler.after("block", "heading_attributes", _read_attributes)
    md.add_render_rule("heading", _render)


def _read_attributes(state: StateCore) -> None:
    for opening, inline in zip(state.tokens, state.tokens[1:], strict=False):
        if opening.type != "heading_open" or inline.type != "inline":
            continue
        found = _TRAILING.search(inline.content)
        if found is None:
            continue
        try:
            _, attributes = parse(_DASH.sub(".unnumbered", found[1]))
        except ParseError:
            continue
        if attributes and attributes.keys() <= {"id", "class"}:
            opening.attrs.update(attributes)
            inline.content = inline.content[: found.start()]


def _render(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    content = Markup(self.render(token.children or [], options, env))
    return str(
        env["page"].part(
            "heading",
            level=int(token.tag[1:]),
            anchor=token.attrs.get("id", ""),
            number=token.meta.get("number"),
            classes=token.attrs.get("class", ""),
            content=content,
        )
    )
