"""Raw HTML: comments vanish, what is harmless is kept, everything else is shown as it is written, and said to be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.html_re import HTML_TAG_RE
from markdown_it.common.normalize_url import normalizeLink
from markdown_it.common.utils import escapeHtml
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.html_block import html_block
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from ..source_map import source_of
from .elsewhere import replace_tag
from .html_blocks import WHOLE, keep_blocks
from .safe_html import (
    ATTRIBUTE,
    BLOCKS,
    PHRASING,
    VOID,
    as_browsers_read,
    attribute_message,
    clean_tag,
    is_harmless_link,
    unescape,
    wrong_attributes,
)

__all__ = ["markup_plugin", "tag_message"]

_NAMES = (
    "a|abbr|address|article|aside|audio|b|bdi|bdo|big|blockquote|br|button|canvas|caption|center|cite|code|col|colgroup|dd"
    "|del|details|dfn|div|dl|dt|em|embed|fieldset|figcaption|figure|font|footer|form|h[1-6r]|header|i|iframe|img|input"
    "|ins|kbd|li|link|main|mark|math|meta|nav|noscript|ol|p|picture|pre|q|rp|rt|ruby|s|samp|script|section|select|small"
    "|source|span|strike|strong|style|su[bp]|summary|svg|table|tbody|td|textarea|tfoot|th|thead|tr|tt|u|ul|var|video|wbr"
    "|d-[a-z-]+"
)
_TAG = re.compile(rf"</?({_NAMES})(?=[\s/>])", re.IGNORECASE)
"""Only what is HTML beyond doubt: `<y and z>` in a formula without dollars is nothing to warn of."""
_BEGIN = re.compile(rf"</?({_NAMES})(?=[\s/>]|$)", re.IGNORECASE)


def markup_plugin(md: MarkdownIt) -> None:
    """Drop `<!-- comments -->`, whole lines of them or within a line; keep the HTML that the site allows.

    `env["html"]` is the site's setting. `safe`, the default: the tags of `safe_html`, balanced whatever was written,
    Markdown between blocks of HTML as in CommonMark; links become Markdown's. `refuse`: none. `raw`: all, as it stands.
    Tokens: `markup`, whose content is clean HTML; `tag`, a tag that is shown as text, or `<!--` where a comment never
    ends. In their `meta`, `told` is what an author is to be told: messages, each with its offset in the tag.
    """
    md.options["html"] = True  # for markdown-it's own rule, which `_block` calls
    md.disable("html_inline")
    md.block.ruler.before("html_block", "comment", _comment_block, {"alt": ["paragraph", "reference", "blockquote"]})
    md.block.ruler.at("html_block", _block, {"alt": ["paragraph", "reference", "blockquote"]})
    md.inline.ruler.before("autolink", "comment", _comment)
    md.inline.ruler.after("html_inline", "tag", _tag)
    md.core.ruler.after("inline", "markup", _keep)
    md.add_render_rule("tag", _render_text)
    md.add_render_rule("html_block", _render_text)
    md.add_render_rule("html_inline", _render_text)
    md.add_render_rule("markup", _render)


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


def _block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    begin = state.bMarks[start] + state.tShift[start]
    if state.src[begin : begin + 1] != "<":
        return False
    mode = state.env.get("html", "safe")
    found = _BEGIN.match(state.src, begin, state.eMarks[start])
    if mode == "refuse" or (found is None and (mode == "safe" or state.src.startswith("<!--", begin))):
        return False
    name = found[1].lower() if found else ""
    if name in WHOLE and not re.search(f"</{name}>", state.src[begin : state.eMarks[end - 1]], re.IGNORECASE):
        return False
    if name.startswith("d-") and mode == "safe":
        return False
    return html_block(state, start, end, silent)


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
    if not unclosed and not _TAG.match(state.src, state.pos) and state.env.get("html") != "raw":
        return False
    found = HTML_TAG_RE.match(state.src, state.pos, state.posMax)
    if found is None and not unclosed:
        return False
    if not silent:
        token = state.push("tag", "", 0)
        token.content = found[0] if found else "<!--"
        token.info = state.env.get("html", "safe")
        if found and re.match(r"</?a[\s>]", found[0], re.IGNORECASE):
            state.linkLevel += -1 if found[0][1] == "/" else 1  # nothing within a link becomes another
    state.pos += len(found[0]) if found else 4
    return True


# what is kept


def _keep(state: StateCore) -> None:
    mode = state.env.get("html", "safe")
    if mode == "refuse":
        return
    for token in state.tokens:
        if token.type == "inline" and token.children and "<" in token.content:
            token.children = _keep_inline(token.children, mode)
    for note in state.env.get("footnotes", {}).get("list", {}).values():
        if note.get("tokens"):
            note["tokens"] = _keep_inline(note["tokens"], mode)
    blocks = [token for token in state.tokens if token.type == "html_block"]
    if mode == "raw":
        for token in blocks:
            token.type = "markup"
    elif blocks:
        state.tokens = keep_blocks(state.tokens, source_of(state), state.env)


def _keep_inline(tokens: list[Token], mode: str) -> list[Token]:
    """Make `markup` of each tag that may stay. One without its other half, or with it out of reach, stays text."""
    levels: list[list[tuple[str, int]]] = [[]]  # the tags that are open in each of Markdown's elements that are
    counts: list[Counter[str]] = [Counter()]
    n_links = 0
    for at, token in enumerate(tokens):
        if token.type != "tag" or token.content.startswith("<!--"):
            n_links += token.nesting if token.tag == "a" else 0
            if token.nesting == 1:
                levels.append([])
                counts.append(Counter())
            elif token.nesting == -1 and len(levels) > 1:
                levels.pop()  # tags that do not end within it are text
                counts.pop()
            continue
        if mode == "raw":
            token.type = "markup"
            continue
        name = _name(token.content)
        if name not in PHRASING and name != "a":
            continue
        opened, count = levels[-1], counts[-1]
        if not token.content.startswith("</"):
            if name in VOID:
                _keep_tag(token, name)
            else:
                opened.append((name, at))
                count[name] += 1
        elif count[name]:
            known, begin = opened.pop()
            while known != name:  # what was opened since is text
                count[known] -= 1
                known, begin = opened.pop()
            count[name] -= 1
            if name != "a":
                _keep_tag(tokens[begin], name)
                token.type, token.content = "markup", f"</{name}>"
            elif not n_links and not any(inner.type in ("link_open", "footnote_ref") for inner in tokens[begin:at]):
                _make_link(tokens[begin], token)  # links do not nest
    return tokens


def _keep_tag(token: Token, name: str) -> None:
    token.meta["told"] = [
        (attribute_message(attribute, name), token.content.lower().find(attribute))
        for attribute, _ in wrong_attributes(token.content, name)
    ]
    token.type, token.content = "markup", clean_tag(token.content, name)


def _make_link(opening: Token, closing: Token) -> None:
    """Make one of Markdown's links, which is looked up as all links are."""
    found = re.search(r"\shref\s*=\s*(\"[^\"]*\"|'[^']*'|[^\"'=<>`\s]+)", opening.content, re.IGNORECASE)
    address = as_browsers_read(unescape(found[1].strip("\"'"))) if found else ""
    if not address or not is_harmless_link(address):
        return
    for token, kind, nesting in ((opening, "link_open", 1), (closing, "link_close", -1)):
        token.type, token.tag, token.nesting = kind, "a", nesting  # type: ignore[assignment]
    opening.attrs = {"href": normalizeLink(address)}
    for attribute in ATTRIBUTE.finditer(opening.content):
        if attribute[1].lower() in ("class", "lang", "title") and attribute[2]:
            opening.attrs[attribute[1].lower()] = unescape(attribute[2].strip("\"'"))


def tag_message(tag: str, name: str, mode: str) -> str:
    """Return what an author is told of a tag that is shown as text."""
    if mode == "refuse":
        return f"unsupported HTML: {tag} is shown as text{replace_tag(name)}"
    if name not in PHRASING:
        hint = "the tag on a line of its own" if name in BLOCKS else ""
        if name == "a":
            hint = "[words](address)" if "href" in tag else "[words]{#name}"
        return f"unsupported HTML: {tag} is shown as text{replace_tag(name, hint)}"
    if tag.startswith("</"):
        return f"broken HTML: {tag} ends nothing, and is shown as text"
    return f"broken HTML: {tag} does not end where it began, and is shown as text (write </{name}>, or \\{tag})"


def _name(tag: str) -> str:
    found = re.match(r"</?([A-Za-z][\w-]*)", tag)
    return found[1].lower() if found else ""


def _render(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return tokens[index].content


def _render_text(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return escapeHtml(tokens[index].content)
