"""Tables: GFM's pipes, in a box that scrolls; `{table}` gives one a number, a label, a caption and a layout."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup

from ..figure import Option
from ..source_map import Source, source_of
from .fence import Directive, split_title
from .figure import caption

__all__ = ["table", "table_plugin"]

_CAPTION = re.compile(r"(?:[Tt]able)?: +(?=\S)")
_RULE = re.compile(r"[ \t]*(?=.*\|)\|?(?:[ \t]*:?-+:?[ \t]*\|)*(?:[ \t]*:?-+:?)?[ \t]*")
"""The line of dashes below a table's head."""
_LABEL = re.compile(r"\s*\{#([\w:.-]+)[^{}]*\}\s*$")

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

    Pandoc's caption, a paragraph `: A caption. {#tbl-models}` below a table, makes the same of it.
    `parts/table.html` gets `content`; `parts/table_figure.html` gets `number`, `anchor`, `layout`, `tables`, `caption`.
    """
    md.core.ruler.after("inline", "table_caption", _read_captions)
    md.add_render_rule("table", _render_table)
    md.add_render_rule("directive_table", _render_directive)


def _read_captions(state: StateCore) -> None:
    """Put a table and Pandoc's caption below it into a directive."""
    kept: list[Token] = []
    begin = width = 0
    for at, token in enumerate(state.tokens):
        if token.type == "table_open":
            begin = len(kept)
            width = 0
        elif token.type == "th_open":
            width += 1
        elif token.type == "tr_open" and width:
            _check_row(token, width, source_of(state))
        kept.append(token)
        if token.type != "paragraph_close":
            continue
        if at < 3 or state.tokens[at - 3].type != "table_close":
            _tell(state.tokens[at - 1], source_of(state))
            continue
        inline = state.tokens[at - 1]
        text = inline.children[0] if inline.children else None
        found = _CAPTION.match(text.content) if text is not None and text.type == "text" else None
        if text is None or found is None:
            _tell(inline, source_of(state))
            continue
        text.content = text.content[found.end() :]
        opening = Token("directive_open", "div", 1, block=True, info="table", map=kept[begin].map)
        opening.meta = _caption_meta(inline, source_of(state))
        kept.insert(begin, opening)
        kept.append(Token("directive_close", "div", -1, block=True))
    state.tokens = kept


def _tell(inline: Token, source: Source) -> None:
    """Tell of a paragraph that was meant as a table, or as a table's caption."""
    place = source.begin(inline.map[0] if inline.map else 0)
    head, _, rest = inline.content.partition("\n")
    below = rest.partition("\n")[0]
    if "|" in head and _RULE.fullmatch(below):
        wrong = f"invalid table: its head has {_count(head)} columns, and the line below it {_count(below)}"
        source.complain(wrong, place)
    label = _LABEL.search(inline.content)
    if label and label[1].startswith("tbl-"):
        source.complain(f"invalid caption: {label[1]} stands below no table", place)


def _check_row(row: Token, width: int, source: Source) -> None:
    """Tell of a row with more cells than there are columns: markdown-it leaves them out."""
    first = row.map[0] if row.map else len(source.lines)
    found = _count(re.sub(r"^[>\s]*", "", source.lines[first])) if first < len(source.lines) else 0
    if found > width:
        hint = " (| within a cell is written \\|)" if "$" in source.lines[first] or "`" in source.lines[first] else ""
        source.complain(f"invalid table: a row has {found} cells, the head {width}{hint}", source.begin(first))


def _count(row: str) -> int:
    """Return how many cells a row has."""
    return len(re.split(r"(?<!\\)\|", re.sub(r"^\||(?<!\\)\|$", "", row.strip())))


def _caption_meta(inline: Token, source: Source) -> dict[str, Any]:
    """Return what a directive would say, and take the label off the caption's end."""
    line, column = source.begin(inline.map[0] if inline.map else 0)
    options: dict[str, Option] = {}
    last = (inline.children or [])[-1]
    label = _LABEL.search(last.content) if last.type == "text" else None
    if label:
        last.content = last.content[: label.start()]
        options["label"] = Option(label[1], line or 0)
    return {
        "argument": "",
        "options": options,
        "line": line,
        "column": column,
        "unread": False,
        "type": "directive_table",
    }


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
