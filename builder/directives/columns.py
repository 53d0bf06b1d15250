"""Columns: things side by side where there is room, one below the other on a phone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from .fence import Directive, split_title

__all__ = ["MAX_COLUMNS", "columns", "columns_plugin"]

MAX_COLUMNS = 6

columns = (
    Directive("grid", "number of columns", frozenset({"layout", "gutter", "class"})),
    Directive("grid-item", options=frozenset({"class"})),
    Directive("grid-item-card", "title", frozenset({"class"}), titled=True, kind="grid-item"),
)


def columns_plugin(md: MarkdownIt) -> None:
    """Render columns, under MyST's names::

        ::::{grid} 2
        :layout: page

        :::{grid-item}
        On the left.
        :::
        :::{grid-item-card} A title
        In a frame, on the right.
        :::
        ::::

    Of several numbers, MyST's for several widths of the window, the last one counts.
    `parts/columns.html` gets `columns`, `layout` and `content`; `parts/column.html` gets `framed`, `title`, `content`.
    """
    md.add_render_rule("directive_grid", _render_grid)
    md.add_render_rule("directive_grid-item", _render_item)


def _render_grid(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    meta = tokens[index].meta
    content = Markup(self.render(tokens[index].children or [], options, env))
    given = {"columns": meta.get("columns", 2), "layout": meta.get("layout", "body")}
    return str(env["page"].part("columns", **given, content=content))


def _render_item(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    title, body = split_title(token)
    return str(
        env["page"].part(
            "column",
            framed=token.info == "grid-item-card",
            title=Markup(self.render(title, options, env)) if title else "",
            content=Markup(self.render(body, options, env)),
        )
    )
