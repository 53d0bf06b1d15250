"""Raw HTML: comments vanish, everything else is shown as it is written, and said to be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.html_re import HTML_TAG_RE
from markdown_it.common.utils import escapeHtml
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

__all__ = ["markup_plugin"]

_TAG = re.compile(
    r"</?(a|abbr|audio|b|blockquote|br|button|center|code|dd|del|details|div|dl|dt|em|embed|figcaption|figure|font|form"
    r"|h[1-6r]|i|iframe|img|input|ins|kbd|li|link|mark|math|meta|ol|p|picture|pre|q|s|script|section|small|source|span"
    r"|strike|strong|style|su[bp]|summary|svg|table|tbody|td|textarea|th|thead|tr|u|ul|video)(?=[\s/>])",
    re.IGNORECASE,
)
"""Only what is HTML beyond doubt: `<b and c>` in a formula without dollars is nothing to warn of."""


def markup_plugin(md: MarkdownIt) -> None:
    """Drop `<!-- comments -->`, whole lines of them or within a line; warn of tags, which are shown as text.

    Articles are not trusted to write HTML: what they need of it has a notation (`[text]{.class}`, directives).
    Tokens: `tag`, whose content is the tag, or `<!--` where a comment never ends.
    """
    md.block.ruler.before("html_block", "comment", _comment_block, {"alt": ["paragraph", "reference", "blockquote"]})
    md.inline.ruler.before("autolink", "comment", _comment)
    md.inline.ruler.after("html_inline", "tag", _tag)
    md.add_render_rule("tag", _render)


def _comment_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.is_code_block(start):
        return False
    begin = state.bMarks[start] + state.tShift[start]
    if not state.src.startswith("<!--", begin):
        return False
    last = start
    close = state.src.find("-->", begin + 4, state.eMarks[end - 1])
    while close >= 0 and last < end and state.eMarks[last] < close:
        last += 1
    if close < 0 or state.src[close + 3 : state.eMarks[last]].strip():
        return False  # within a line, or never closed: that is for the inline rule
    if not silent:
        state.line = last + 1
    return True


def _comment(state: StateInline, silent: bool) -> bool:
    if not state.src.startswith("<!--", state.pos):
        return False
    close = state.src.find("-->", state.pos + 4, state.posMax)
    if close < 0:
        return False
    state.pos = close + 3
    return True


def _tag(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "<":
        return False
    unclosed = state.src.startswith("<!--", state.pos)
    if not unclosed and not _TAG.match(state.src, state.pos):
        return False
    found = HTML_TAG_RE.match(state.src[state.pos : state.posMax])
    if found is None and not unclosed:
        return False
    if not silent:
        state.push("tag", "", 0).content = found[0] if found else "<!--"
    state.pos += len(found[0]) if found else 4
    return True


def _render(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return escapeHtml(tokens[index].content)
