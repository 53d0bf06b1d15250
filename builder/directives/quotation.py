"""Quotations with a name under them: a last line `-- Name` in a block quote or in `{epigraph}`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup

from .fence import Directive

__all__ = ["epigraphs", "quotation_plugin"]

epigraphs = tuple(Directive(name, kind="epigraph") for name in ("epigraph", "pull-quote"))

_DASH = re.compile(r"(?:---?|[—–])(?:\s+|$|(?=\w))")


def quotation_plugin(md: MarkdownIt) -> None:
    """Render quotations that say whose they are::

        > What I cannot create, I do not understand.
        >
        > -- Richard Feynman

        :::{epigraph}
        What I cannot create, I do not understand.
        -- Richard Feynman
        :::

    `parts/quotation.html` gets `content`, `attribution` and `epigraph`. A block quote without a name is markdown-it's.
    """
    md.core.ruler.after("inline", "quotation", _read)
    md.add_render_rule("quotation", _render)
    md.add_render_rule("directive_epigraph", _render)


def _read(state: StateCore) -> None:
    opened: list[Token] = []
    kept: list[Token] = []
    for token in state.tokens:
        if token.type in ("blockquote_open", "directive_open"):
            opened.append(token)
        elif token.type in ("blockquote_close", "directive_close"):
            opening = opened.pop()
            is_quote = token.type == "blockquote_close"
            if is_quote or opening.meta["type"] == "directive_epigraph":
                found = _take_attribution(kept, opening)
                kept += found
                if found and is_quote:
                    opening.type, token.type = "quotation_open", "quotation_close"
        kept.append(token)
    state.tokens = kept


def _take_attribution(kept: list[Token], opening: Token) -> list[Token]:
    """Take the last line out of what was quoted, if it is a name; what is left must not be nothing."""
    if kept[-1].type != "paragraph_close" or kept[-1].level != opening.level + 1:
        return []
    inline = kept[-2]
    children = inline.children or []
    breaks = [at for at, child in enumerate(children) if child.type in ("softbreak", "hardbreak")]
    first = breaks[-1] + 1 if breaks else 0
    if first >= len(children) or children[first].type != "text":
        return []
    found = _DASH.match(children[first].content)
    if found is None or (first == 0 and kept[-4] is opening):
        return []
    children[first].content = children[first].content[found.end() :]
    name = Token("inline", "", 0, content=inline.content, map=inline.map, children=children[first:])
    if first:
        inline.children = children[: first - 1]
    else:
        del kept[-3:]
    return [Token("attribution_open", "", 1, map=inline.map), name, Token("attribution_close", "", -1)]


def _render(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    children = token.children or []
    name = children[-1].children if children and children[-1].type == "attribution" else None
    body = children[:-1] if name else children
    return str(
        env["page"].part(
            "quotation",
            epigraph=token.type != "quotation",
            content=Markup(self.render(body, options, env)),
            attribution=Markup(self.render(name, options, env)) if name else "",
        )
    )
