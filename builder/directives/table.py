"""Tables: GFM's pipes, in a box that scrolls; `{table}` gives one a number, a label, a caption and a layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from .fence import Directive, split_title
from .figure import caption

__all__ = ["table", "table_plugin"]

table = Directive("table", "caption", frozenset({"label", "name", "layout", "widths", "align", "class"}), titled=True)


def table_plugin(md: MarkdownIt) -> None:
    """Render tables::

        :::{table}
        :label: tbl-models
        :layout: page

        | model   | layers |
        |---------|-------:|
        | SmolLM2 |     30 |

        The caption is what is not a table, and what stands after `{table}`.
        :::

    `parts/table.html` gets `content`; `parts/table_figure.html` gets `number`, `anchor`, `layout`, `tables`, `caption`.
    """
    md.add_render_rule("table", _render_table)
    md.add_render_rule("directive_table", _render_directive)


def _render_table(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    content = Markup(self.render(tokens[index].children or [], options, env))
    return str(env["page"].part("table", content=content))


def _render_directive(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    title, body = split_title(token)
    tables = self.render([child for child in body if child.type == "table"], options, env)
    said = caption(self, [child for child in body if child.type != "table"], options, env)
    if title:
        said = Markup(" ").join(part for part in (Markup(self.render(title, options, env)), said) if part)
    return str(
        env["page"].part(
            "table_figure",
            number=token.meta.get("number"),
            anchor=token.meta.get("anchor", ""),
            layout=token.meta.get("layout", "body"),
            tables=Markup(tables),
            caption=said,
        )
    )
