"""Asides: what stands in the margin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from .fence import Directive

__all__ = ["aside", "aside_plugin"]

aside = Directive("aside")


def aside_plugin(md: MarkdownIt) -> None:
    """Render margin notes::

        :::{aside}
        In the margin, beside the next paragraph.
        :::

    `parts/aside.html` gets `content`.
    """
    md.add_render_rule("directive_aside", _render)


def _render(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    content = Markup(self.render(tokens[index].children or [], options, env))
    return str(env["page"].part("aside", content=content))
