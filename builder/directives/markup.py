"""Raw HTML: comments vanish, what is harmless is kept, everything else is shown as it is written, and said to be."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from html import unescape
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

from ..source_map import Source, source_of
from .elsewhere import replace_tag
from .safe_html import BLOCKS, PHRASING, VOID, as_browsers_read, clean, clean_tag, is_harmless_link, wrong_attributes

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
_ANY = re.compile(
    r"<!--.*?(?:-->|$)|<(?P<close>/?)(?P<name>[A-Za-z][\w-]*)(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>?", re.DOTALL
)
_WHOLE = ("script", "style", "textarea")
"""What swallows all the rest of a page where it never ends; then it is text."""
_MAY_END = frozenset(
    ("caption", "colgroup", "dd", "dt", "li", "p", "rp", "rt", "tbody", "td", "tfoot", "th", "thead", "tr")
)
"""What ends by itself, with what it is in."""


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
    if name in _WHOLE and not re.search(f"</{name}>", state.src[begin : state.eMarks[end - 1]], re.IGNORECASE):
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
        state.tokens = _keep_blocks(state.tokens, source_of(state), state.env)


def _keep_inline(tokens: list[Token], mode: str) -> list[Token]:
    """Make `markup` of each tag that may stay. One without its other half, or with it out of reach, stays text."""
    opened: list[Token] = []  # tags and Markdown's own, as they nest
    for token in tokens:
        if token.type != "tag" or token.content.startswith("<!--"):
            if token.nesting == 1:
                opened.append(token)
            while token.nesting == -1 and opened and opened.pop().nesting != 1:
                pass  # tags that do not end within it are text
            continue
        if mode == "raw":
            token.type = "markup"
            continue
        name = _name(token.content)
        if name not in PHRASING and name != "a":
            continue
        if token.content.startswith("</"):
            at = _find_opening(opened, name)
            if at is not None:
                _keep_pair(opened[at], token, name)
                del opened[at:]
        elif name in VOID:
            _keep_tag(token, name)
        else:
            opened.append(token)
    return tokens


def _find_opening(opened: Sequence[Token], name: str) -> int | None:
    """Return which of the open tags a closing one ends; it does not reach over what Markdown has opened since."""
    for at in reversed(range(len(opened))):
        if opened[at].nesting == 1:
            break
        if _name(opened[at].content) == name:
            return at
    return None


def _keep_pair(opening: Token, closing: Token, name: str) -> None:
    if name == "a":
        _make_link(opening, closing)
        return
    _keep_tag(opening, name)
    closing.type, closing.content = "markup", f"</{name}>"


def _keep_tag(token: Token, name: str) -> None:
    token.meta["told"] = [
        (_attribute_message(attribute, name), token.content.lower().find(attribute))
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


def _keep_blocks(tokens: list[Token], source: Source, env: Any) -> list[Token]:
    """Replace each level's blocks of HTML by clean ones, balanced over what stands between them."""
    level: list[Token] = []
    stack: list[list[Token]] = []
    for token in tokens:
        if token.type == "html_block":
            _tell(token, source, env)
        if token.nesting == 1:
            stack.append(level)
            level = []
        elif token.nesting == -1:
            inside, level = _balance(level, source), stack.pop()
            level += inside
        level.append(token)
    return _balance(level, source)


def _balance(tokens: list[Token], source: Source) -> list[Token]:
    places = [at for at, token in enumerate(tokens) if token.type == "html_block"]
    if not places:
        return tokens
    _end_what_never_ends([tokens[at] for at in places], source)
    text = "".join(tokens[at].content for at in places)
    key = "slot"
    while key in text:
        key += "-"
    # what stands between two blocks of HTML is a rule to the cleaner; where it comes out, the text goes back
    slot = f'<hr title="{key}{{}}">'
    for at in places:
        if slot.format("") not in clean(tokens[at].content + slot.format("")):
            tokens[at] = _markup(clean(tokens[at].content))  # a comment or a quote that never ends: it swallows all
    places = [at for at in places if tokens[at].type == "html_block"]
    if not places:
        return tokens
    gaps = [tokens[first + 1 : last] for first, last in itertools.pairwise(places)]
    slots = [slot.format(number) if gap else "" for number, gap in enumerate(gaps)]
    cleaned = clean("".join(f"{tokens[at].content}{slot}" for at, slot in zip(places, [*slots, ""], strict=True)))
    kept = tokens[: places[0]]
    for at, piece in enumerate(re.split(slot.format(r"(\d+)"), cleaned)):
        kept += gaps[int(piece)] if at % 2 else [_markup(piece)]
    return kept + tokens[places[-1] + 1 :]


def _markup(html: str) -> Token:
    return Token("markup", "", 0, content=html, block=True)


# what is told


def tag_message(tag: str, name: str, mode: str) -> str:
    """Return what an author is told of a tag that is shown as text."""
    if mode == "refuse":
        return f"unsupported HTML: {tag} is shown as text{replace_tag(name)}"
    if name not in PHRASING:
        hint = "[words](address)" if name == "a" else "the tag on a line of its own" if name in BLOCKS else ""
        return f"unsupported HTML: {tag} is shown as text{replace_tag(name, hint)}"
    if tag.startswith("</"):
        return f"broken HTML: {tag} ends nothing, and is shown as text"
    return f"broken HTML: {tag} does not end where it began, and is shown as text (write </{name}>, or \\{tag})"


def _tell(token: Token, source: Source, env: Any) -> None:
    """Tell of each tag and attribute of a block that is left out, once in an article, and of what never ends."""
    first = token.map[0] if token.map else 0
    told: set[str] = env.setdefault("told_html", set())
    for offset, message in _faults(token.content):
        if message not in told:
            told.add(message)
            source.complain(message, source.place(token.content, first, offset), "warning")


def _end_what_never_ends(blocks: Sequence[Token], source: Source) -> None:
    """End with its block what is never ended, and tell of it: it would swallow the rest of its level."""
    opened: list[tuple[str, Token, int]] = []
    endless: list[tuple[str, Token, int]] = []
    for token in blocks:
        for found, name in _tags(token.content):
            if name in VOID or name not in PHRASING | BLOCKS:
                continue
            if not found["close"]:
                opened.append((name, token, found.start()))
                continue
            at = next((i for i in reversed(range(len(opened))) if opened[i][0] == name), None)
            if at is not None:
                endless += [tag for tag in opened[at + 1 :] if tag[0] not in _MAY_END]
                del opened[at:]
    endless += opened
    for name, token, offset in sorted(endless, key=lambda tag: -tag[2]):
        first = token.map[0] if token.map else 0
        if name not in _MAY_END:
            wrong = f"broken HTML: <{name}> never ends (write </{name}>)"
            source.complain(wrong, source.place(token.content, first, offset), "warning")
        if name != "p":
            token.content += f"</{name}>"


def _tags(html: str) -> Iterator[tuple[re.Match[str], str]]:
    """Yield the tags of a block and their names; none of comments, nor of what stands in a script."""
    whole = None
    for found in _ANY.finditer(html):
        name = (found["name"] or "").lower()
        if name and (whole is None or name == whole):
            whole = name if name in _WHOLE and not found["close"] else None
            yield found, name


def _faults(html: str) -> Iterator[tuple[int, str]]:
    for found, name in _tags(html):
        if name not in PHRASING | BLOCKS:
            if not found["close"]:
                yield found.start(), f"unsupported HTML: <{name}> is left out{replace_tag(name)}"
            continue
        for attribute, _ in wrong_attributes(found[0], name):
            yield found.start(), _attribute_message(attribute, name)


def _attribute_message(attribute: str, name: str) -> str:
    known = {"style": "class, and a rule in theme/css/", "id": "[words]{#name}", "href": "[words](address)",
             "name": "[words]{#name}", "align": "class, and a rule in theme/css/"}.get(attribute)  # fmt: skip
    return f"unsupported HTML: {attribute} of <{name}> is left out" + (f" (write {known})" if known else "")


def _name(tag: str) -> str:
    found = re.match(r"</?([A-Za-z][\w-]*)", tag)
    return found[1].lower() if found else ""


def _render(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return tokens[index].content


def _render_text(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return escapeHtml(tokens[index].content)
