"""Task lists: `- [ ] to do` and `- [x] done`, as boxes that nobody can tick in the page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

__all__ = ["task_plugin"]

_SIGN = re.compile(r"\[([ xX])\]\s+")
_LISTS = ("bullet_list_open", "ordered_list_open")


def task_plugin(md: MarkdownIt) -> None:
    """Read GitHub's sign at the beginning of a list's item.

    A token `task` (`meta` done) is `parts/task.html` (`done`); lists have the class `tasks`, items `task`.
    (mdit-py-plugins' tasklists writes HTML of its own, and its boxes have no names.)
    """
    md.core.ruler.after("inline", "task", _read)
    md.add_render_rule("task", _render)


def _read(state: StateCore) -> None:
    lists: list[Token] = []
    for at, token in enumerate(state.tokens):
        if token.type in _LISTS:
            lists.append(token)
        elif token.type.endswith("_list_close"):
            lists.pop()
        elif token.type == "list_item_open" and lists and at + 2 < len(state.tokens):
            inline = state.tokens[at + 2]
            if inline.type != "inline" or not inline.children or inline.children[0].type != "text":
                continue
            text = inline.children[0]
            found = _SIGN.match(text.content)
            if found is None:
                continue
            text.content = text.content[found.end() :]
            inline.children.insert(0, Token("task", "", 0, meta={"done": found[1] != " "}))
            token.attrJoin("class", "task")
            if "tasks" not in str(lists[-1].attrs.get("class", "")):
                lists[-1].attrJoin("class", "tasks")


def _render(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return str(env["page"].part("task", done=tokens[index].meta["done"]))
