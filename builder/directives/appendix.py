"""Appendix: `## Acknowledgements {.appendix}` takes a section out of the text and puts it after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

__all__ = ["appendix_plugin"]


def appendix_plugin(md: MarkdownIt) -> None:
    """Move each section whose heading has the class `appendix` into the children of a last token `appendix`.

    A section ends at the next heading of its level or a higher one. Last of the core rules, after headings are folded:
    what is moved is numbered as it is read, after the text.
    """
    md.core.ruler.push("appendix", _move)
    md.add_render_rule("appendix", _render)


def _move(state: StateCore) -> None:
    text: list[Token] = []
    appendix: list[Token] = []
    level = 0  # of the appendix section that we are in, 0 in the text
    for token in state.tokens:
        if token.type == "heading" and token.level == 0:
            own = int(token.tag[1:])
            if not level or own <= level:
                level = own if _take_class(token) else 0
        (appendix if level else text).append(token)
    if appendix:
        state.tokens = [*text, Token("appendix", "", 0, block=True, children=appendix)]


def _take_class(heading: Token) -> bool:
    """Return whether a heading has the class, which has done its work then: the theme's `.appendix` is all of it."""
    classes = str(heading.attrs.get("class", "")).split()
    if "appendix" not in classes:
        return False
    heading.attrs["class"] = " ".join(name for name in classes if name != "appendix")
    return True


def _render(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return str(self.render(tokens[index].children or [], options, env))
