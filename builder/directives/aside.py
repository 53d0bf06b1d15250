"""Asides: what stands in the margin, and boxes that stand out from the text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from .fence import Directive

__all__ = ["aside_plugin", "asides"]

BOXES = {"note": "Note", "tip": "Tip", "warning": "Warning"}

asides = (Directive("aside"), *(Directive(name, argument="title") for name in BOXES))


def aside_plugin(md: MarkdownIt) -> None:
    """Render margin notes and boxes::

        :::{aside}
        In the margin, beside the next paragraph.
        :::

        :::{warning} A title
        `note`, `tip` and `warning` are boxes; without a title they have their name.
        :::

    `parts/aside.html` gets `content`; `parts/box.html` gets `kind`, `title` (plain text) and `content`.
    """
    md.add_render_rule("directive_aside", _render)
    for name in BOXES:
        md.add_render_rule(f"directive_{name}", _render)


def _render(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    content = Markup(self.render(token.children or [], options, env))
    if token.info == "aside":
        return str(env["page"].part("aside", content=content))
    title = token.meta["argument"] or BOXES[token.info]
    return str(env["page"].part("box", kind=token.info, title=title, content=content))
