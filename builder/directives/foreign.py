"""Roles, shortcodes and tags of templates that other programs read: text to us, of which an author is told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from .elsewhere import ROLES, replace_shortcode

__all__ = ["foreign_plugin"]

_ROLE = re.compile(r"\{([a-z][\w:.-]*)\}(?=`)")
_SHORTCODE = re.compile(r"\{\{[<%]\s*/?\s*([\w-]+)[^{}\n]*[>%]\}\}")
_LIQUID = re.compile(
    r"\{%-?\s*((?:end)?(?:include(?:_relative)?|cite|link|post_url|highlight|details|bibliography|raw|assign|comment))\b"
    r"[^{}\n]*%\}"
)
"""Not `{% for %}` and `{% if %}`: those are also how chat templates are written about."""


def foreign_plugin(md: MarkdownIt) -> None:
    """Find MyST's roles that we do not have, Quarto's and Hugo's shortcodes, and Jekyll's tags.

    Tokens: `foreign`, content as written, `meta` message. They are shown as text.
    """
    md.inline.ruler.before("escape", "foreign", _parse)
    md.block.ruler.before("attr", "template", _line, {"alt": ["paragraph"]})
    md.add_render_rule("foreign", _render)


def _line(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Keep a line `{% … %}`, which would be a comment among attributes, and vanish."""
    begin, end = state.bMarks[start] + state.tShift[start], state.eMarks[start]
    if state.is_code_block(start) or not state.src.startswith("{%", begin):
        return False
    if not silent:
        state.push("paragraph_open", "p", 1).map = [start, start + 1]
        inline = state.push("inline", "", 0)
        inline.content, inline.map, inline.children = state.src[begin:end], [start, start + 1], []
        state.push("paragraph_close", "p", -1)
        state.line = start + 1
    return True


def _parse(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "{":
        return False
    following = state.src[state.pos + 1 : state.pos + 2]
    if following in ("{", "%"):
        pattern = _SHORTCODE if following == "{" else _LIQUID
        found = pattern.match(state.src, state.pos, state.posMax)
        message = found and f"unsupported shortcode: {found[0]} is shown as text{replace_shortcode(found[1])}"
    else:
        found = _ROLE.match(state.src, state.pos, state.posMax)
        known = ROLES.get(found[1]) if found else None
        message = found and known and f"unknown role: {found[1]} (write {known.replace('NAME', found[1])})"
    if not found or not message:
        return False
    if not silent:
        token = state.push("foreign", "", 0)
        token.content = found[0]
        token.meta["message"] = message
    state.pos = found.end()
    return True


def _render(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return escapeHtml(tokens[index].content)
