"""Mathematics: `$…$` in a line, `$$…$$` by itself, and `$$…$$ {#eq-x}` with a number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markupsafe import Markup

from .fence import Directive

__all__ = ["math", "math_plugin"]

math = Directive("math", "TeX", frozenset({"label", "name", "class", "nowrap", "enumerated"}), verbatim=True)
"""MyST's way to write a block of mathematics; the document makes `math_block` of it."""

_INLINE = re.compile(r"\$(?![\s$])((?:\\.|[^\\$])*?(?:\\.|[^\\$\s]))\$(?!\d)", re.DOTALL)
_DISPLAYED = re.compile(r"\$\$((?:\\.|[^\\$])*?(?:\\.|[^\\$]))\$\$", re.DOTALL)
_END = re.compile(r"(?<!\\)\$\$[ \t]*(?:\{#([\w:.-]+)\})?[ \t]*$")


def math_plugin(md: MarkdownIt) -> None:
    r"""Parse TeX between dollars by Pandoc's rules, so that money stays money.

    An opening `$` has no space behind it and no digit before it, a closing one no space before and no digit behind:
    `$5 and $10` is text, and so is `\$x$`. `$$` begins a block; it ends at the next `$$` that ends a line, a label
    in braces behind it, and there is no blank line within. (mdit-py-plugins' dollarmath has labels in parentheses,
    and takes `$x$ is 5` for text, because 5 stands before the first character when one counts from the end.)

    Tokens: `math_inline` (markup `$`, or `$$` for displayed mathematics in a sentence), `math_block`, and
    `math_block_label` with the label as `info`; content is the TeX just as written between the dollars. A block that
    never ends keeps its dollars, which TeX then complains of.
    Blocks are `parts/equation.html` (`html`, `number`, `anchor`).
    """
    md.inline.ruler.before("escape", "math_inline", _inline)
    md.block.ruler.before("fence", "math_block", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    md.add_render_rule("math_inline", _render_inline)
    md.add_render_rule("math_block", _render_block)
    md.add_render_rule("math_block_label", _render_block)


def _inline(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "$":
        return False
    before = state.src[state.pos - 1] if state.pos else ""
    if before.isdigit():
        return False
    displayed = state.src.startswith("$$", state.pos)
    found = (_DISPLAYED if displayed else _INLINE).match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        token = state.push("math_inline", "math", 0)
        token.content = found[1]
        token.markup = "$$" if displayed else "$"
    state.pos = found.end()
    return True


def _block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.is_code_block(start):
        return False
    begin = state.bMarks[start] + state.tShift[start]
    if not state.src.startswith("$$", begin):
        return False
    found = None
    first = state.src[begin : state.eMarks[start]]
    parts: list[str] = []
    last = start
    for last in range(start, end):
        line = state.src[state.bMarks[last] + state.tShift[last] : state.eMarks[last]] if last > start else first
        if last > start and (state.isEmpty(last) or state.sCount[last] < state.blkIndent):
            break  # a blank line, or the end of the list item or quotation that it stands in
        found = _END.search(line, 2 if last == start else 0)
        parts.append(line[: found.start()] if found else line)
        if found:
            break
    if found is None:
        if "$$" in first[2:]:
            return False  # `$$x$$ begins a sentence`
        content, after, label = "\n".join(parts), start + len(parts), None
    else:
        content, after, label = "\n".join(parts)[2:], last + 1, found[1]
        if not content.strip() or "$$" in content.replace("\\$", ""):
            return False
    if not silent:
        token = state.push("math_block_label" if label else "math_block", "math", 0)
        token.block = True
        token.content = content
        token.markup = "$$"
        token.map = [start, after]
        token.info = label or ""
        state.line = after
    return True


def _render_inline(_self: Any, tokens: Sequence[Token], index: int, _options: Any, env: Any) -> str:
    token = tokens[index]
    return str(env["page"].math(token.content, token.markup == "$$"))


def _render_block(_self: Any, tokens: Sequence[Token], index: int, _options: Any, env: Any) -> str:
    token, page = tokens[index], env["page"]
    html = Markup(page.math(token.content, True))
    label = page.document.labels.get(token.info) if token.info else None
    number = label.number if label else None
    return f"{page.part('equation', html=html, number=number, anchor=token.info or None)}\n"
