"""Sparks: `` {spark}`token=27 of=fig-ranks` `` draws a part of a figure as a graphic the size of a word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markupsafe import Markup

from .attributes import read_attributes

__all__ = ["spark_plugin"]

_ROLE = re.compile(r"\{spark\}(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)


def spark_plugin(md: MarkdownIt) -> None:
    """Parse sparks; their attributes are a mention's, and they are mentions too: pointed at, the figure shows the part.

    `[Croatia]{.spark token=Croatia of=fig-ranks}` sets one right after the words it belongs to. Which parts can be
    drawn is the kind's to say. Token: `spark`, `meta` attributes, linked. `parts/spark.html` is the graphic.
    """
    md.inline.ruler.before("escape", "spark", _parse)
    md.add_render_rule("spark", _render)


def _parse(state: StateInline, silent: bool) -> bool:
    found = _ROLE.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "{" else None
    if found is None:
        return False
    if not silent:
        token = state.push("spark", "", 0)
        token.content = found[0]
        attributes = read_attributes(found[2], found.start(2) - state.pos)
        token.meta = {"attributes": attributes, "linked": bool(state.linkLevel)}
    state.pos = found.end()
    return True


def _render(_self: Any, tokens: Sequence[Token], index: int, _options: Any, env: Any) -> str:
    return str(env["page"].mention(tokens[index].meta.get("mention"), words=Markup())).strip("\n")
