"""References: `@fig-x`, `@eq-x`, `@sec-x` and `@tbl-x` become "Figure 3" and so on, linked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markupsafe import Markup

__all__ = ["reference_plugin"]

_LABEL = r"(?:fig|eq|sec|tbl)-\w+(?:-+\w+)*"
_BARE = re.compile(rf"@({_LABEL})")
_BRACKETS = re.compile(rf"\[\s*-?@{_LABEL}(?:\s*;\s*-?@{_LABEL})*\s*\](?!\()")
_ITEM = re.compile(rf"(-?)@({_LABEL})")
_ROLE = re.compile(r"\{(ref|numref|eq)\}(`+)(?!`)((?P<text>[^`]*?)\s*<)?\s*(?P<label>[^`<>]+?)\s*(?(3)>)\s*\2(?!`)")


def reference_plugin(md: MarkdownIt) -> None:
    """Parse references to labels; whether a label exists is the document's to say.

    `@fig-ranks` is "Figure 2", `@eq-rank` "Equation 1", `@tbl-models` "Table 1", `@sec-method` the section's title.
    Brackets group: `[@fig-a; @fig-b]` is "Figure 1, Figure 2"; a minus leaves the number alone: `Figs. [-@fig-a]`.
    MyST's roles do, too: `{ref}` and `{numref}` before a label in backticks, or before `Fig. %s <fig-ranks>`, where
    the number stands for `%s`; `{eq}` is "(1)".
    Nothing is a reference in code, after a letter or digit (an e-mail address), or after a backslash.
    Tokens: `reference` with `meta` label, raw, bare (only the number), words (in place of ours).
    `parts/reference.html` gets `href`, `text`, `kind`.
    """
    md.inline.ruler.before("link", "reference", _parse)
    md.inline.ruler.before("escape", "reference_role", _parse_role)
    md.add_render_rule("reference", _render)


def _parse(state: StateInline, silent: bool) -> bool:
    char = "" if state.linkLevel else state.src[state.pos]  # links do not nest
    found = (_BRACKETS if char == "[" else _BARE).match(state.src, state.pos) if char and char in "[@" else None
    if found is None or found.end() > state.posMax:
        return False
    if char == "@" and state.pos and re.match(r"[\w.@/+-]", state.src[state.pos - 1]):
        return False
    if not silent:
        for number, item in enumerate(_ITEM.finditer(found[0])):
            if number:
                state.push("text", "", 0).content = ", "
            token = state.push("reference", "", 0)
            token.content = found[0]
            token.meta = {"label": item[2], "raw": item[0], "bare": bool(item[1])}
    state.pos = found.end()
    return True


def _parse_role(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "{" or state.linkLevel:
        return False
    found = _ROLE.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        token = state.push("reference", "", 0)
        token.content = found[0]
        words = found["text"] or ("(%s)" if found[1] == "eq" else "")
        token.meta = {"label": found["label"], "raw": found["label"], "bare": False, "words": words}
    state.pos = found.end()
    return True


def _render(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    meta = tokens[index].meta
    page = env["page"]
    label = page.document.labels.get(meta["label"])
    if label is None:  # reported; without --strict the page shows what was written
        return escapeHtml(meta["raw"])
    if words := meta.get("words"):
        number = label.number or label.text  # a section may have none
        text: str = words.replace("{number}", "%s").replace(" %s", f"\N{NO-BREAK SPACE}{number}").replace("%s", number)
    elif label.kind == "section":
        text = Markup(self.renderInline(list(label.tokens), options, env))
    else:
        text = label.number if meta["bare"] else f"{label.kind.capitalize()}\N{NO-BREAK SPACE}{label.number}"
    return str(page.part("reference", href=f"#{label.anchor}", text=text, kind=label.kind))
