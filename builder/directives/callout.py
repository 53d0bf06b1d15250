"""Callouts: boxes that stand out from the text, some of them folded until a reader opens them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup

from ..figure import Option
from ..source_map import Source, source_of
from .fence import Directive, split_title

__all__ = ["CALLOUTS", "KINDS", "callout_plugin", "callouts"]

KINDS = ("note", "tip", "important", "warning", "caution")

CALLOUTS: Mapping[str, tuple[str, str]] = {
    **{kind: (kind, kind.capitalize()) for kind in KINDS},
    "admonition": ("note", "Note"),
    "hint": ("tip", "Hint"),
    "attention": ("warning", "Attention"),
    "danger": ("caution", "Danger"),
    "error": ("caution", "Error"),
    "seealso": ("note", "See also"),
}
"""Quarto's five, and MyST's others: the kind of each, and what it is called where it has no title."""

_ALERT = re.compile(r"\[!(\w+)\]([+-]?)[ \t]*")

_OPTIONS = frozenset({"collapse", "class", "open", "label", "name", "title"})

callouts = tuple(Directive(name, "title", _OPTIONS, titled=True, kind="callout") for name in CALLOUTS)


def callout_plugin(md: MarkdownIt) -> None:
    """Render callouts::

        :::{warning} A *title*
        :collapse: true

        `note`, `tip`, `important`, `warning` and `caution`; without a title they have their name.
        :::

    With `collapse`, readers open and close it; `true` begins closed, `false` open, as in Quarto. MyST's `:class:
    dropdown`, `:open:` and its other names are understood, and so is GitHub's `> [!NOTE]`, with Obsidian's title behind
    it.
    `parts/box.html` gets `kind`, `name`, `title`, `label` (what it is called), `fold` (`closed`, `open` or empty),
    `anchor` and `content`.
    """
    md.core.ruler.after("inline", "alert", _read_alerts)
    md.add_render_rule("directive_callout", _render)


def _read_alerts(state: StateCore) -> None:
    """Make callouts of block quotes that begin with a name in `[!…]`."""
    kept: list[Token] = []
    quotes: list[Token | None] = []
    for at, token in enumerate(state.tokens):
        kept.append(token)
        if token.type == "blockquote_close":
            alert = quotes.pop()
            token.type = "directive_close" if alert else token.type
        elif token.type == "blockquote_open":
            inline = state.tokens[at + 2] if at + 2 < len(state.tokens) else token
            found = _ALERT.match(inline.content) if inline.type == "inline" else None
            quotes.append(token if found and found[1].lower() in CALLOUTS else None)
            if found and quotes[-1]:
                kept += _make_callout(token, inline, found, source_of(state))
                state.tokens[at + 1].hidden = state.tokens[at + 3].hidden = not inline.children  # an empty paragraph
    state.tokens = kept


def _make_callout(token: Token, inline: Token, found: re.Match[str], source: Source) -> list[Token]:
    """Make a directive of a block quote's opening token; return its title, taken out of the first paragraph."""
    line, column = source.begin(token.map[0] if token.map else 0)
    fold = {"+": "false", "-": "true"}.get(found[2])
    token.type, token.info = "directive_open", found[1].lower()
    token.meta = {"argument": "", "line": line, "column": column, "unread": False, "type": "directive_callout"}
    token.meta["options"] = {"collapse": Option(fold, line or 0)} if fold else {}
    children = inline.children or []
    end = next((at for at, child in enumerate(children) if child.type in ("softbreak", "hardbreak")), len(children))
    first, inline.children = children[:end], children[end + 1 :]
    rest = found.end()
    while rest and first and first[0].type == "text":  # the name may be in several pieces
        cut = min(rest, len(first[0].content))
        first[0].content, rest = first[0].content[cut:], rest - cut
        first = first if first[0].content else first[1:]
    if not first:
        return []
    title = Token("inline", "", 0, content=inline.content, map=inline.map, children=first)
    return [Token("title_open", "p", 1, map=inline.map), title, Token("title_close", "p", -1)]


def read_fold(options: Mapping[str, Option]) -> str:
    """Return whether a callout can be closed: `closed`, `open`, or the empty string."""
    written = {name: str(option.value).strip().lower() for name, option in options.items()}
    if written.get("open", "false") != "false" or written.get("collapse") == "false":
        return "open"
    return "closed" if written.get("collapse") or "dropdown" in written.get("class", "").split() else ""


def _render(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    title, body = split_title(token)
    kind, name = CALLOUTS[token.info]
    option = token.meta["options"].get("class")
    named = [word for word in str(option.value if option else "").split() if word in CALLOUTS]
    if named:  # MyST's `{admonition} Title` with `:class: tip`
        kind, name = CALLOUTS[named[0]]
    plain = token.meta.get("title", "")
    return str(
        env["page"].part(
            "box",
            kind=kind,
            label=f"{name}: {plain}" if plain else name,
            fold=read_fold(token.meta["options"]),
            anchor=token.meta.get("anchor", ""),
            title=Markup(self.render(title, options, env)) if title else plain or name,
            content=Markup(self.render(body, options, env)),
        )
    )
