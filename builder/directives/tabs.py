"""Tabs: several versions of one thing, of which a reader chooses one; on paper and without scripts all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from .fence import Directive, split_title

__all__ = ["tabs", "tabs_plugin"]

tabs = (
    Directive("tab-set", options=frozenset({"sync_group", "class"})),
    Directive("tab-item", "title", frozenset({"sync", "selected", "label", "name", "class"}), titled=True),
)


def tabs_plugin(md: MarkdownIt) -> None:
    """Render tabs, under MyST's names::

        ::::{tab-set}
        :::{tab-item} Python
        :sync: python

        Sets on a page whose items have the same `sync` show the same.
        :::
        :::{tab-item} JavaScript
        :sync: js
        :::
        ::::

    `parts/tabs.html` gets `content`; `parts/tab.html` gets `anchor`, `title`, `sync`, `selected` and `content`.
    """
    md.add_render_rule("directive_tab-set", _render_set)
    md.add_render_rule("directive_tab-item", _render_item)


def _render_set(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    content = Markup(self.render(tokens[index].children or [], options, env))
    return str(env["page"].part("tabs", content=content))


def _render_item(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    title, body = split_title(token)
    given = {name: str(option.value).strip() for name, option in token.meta["options"].items()}
    return str(
        env["page"].part(
            "tab",
            anchor=token.meta.get("anchor", ""),
            sync=given.get("sync", ""),
            selected=given.get("selected", "false").lower() != "false",
            title=Markup(self.render(title, options, env)) if title else "",
            content=Markup(self.render(body, options, env)),
        )
    )
