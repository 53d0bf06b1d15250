"""Folding: what stands between an opening and a closing token becomes the children of one token."""

from __future__ import annotations

from collections.abc import Iterable

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

__all__ = ["fold_plugin"]


def fold_plugin(md: MarkdownIt, types: Iterable[str]) -> None:
    """Fold `TYPE_open … TYPE_close` into a token `TYPE` with children, so that a template can be given the inside.

    Last of the core rules: those before it see the flat stream that they expect. A token's
    `meta["type"]`, where it has one, is the folded token's type. Inline tokens are folded too, those of notes in place
    (`^[text]`) where the footnote plugin keeps them.
    """
    folded = frozenset(types)

    def rule(state: StateCore) -> None:
        for token in state.tokens:
            if token.type == "inline" and token.children:
                token.children = _fold(token.children, folded)
        for note in state.env.get("footnotes", {}).get("list", {}).values():
            if note.get("tokens"):
                note["tokens"] = _fold(note["tokens"], folded)
        state.tokens = _fold(state.tokens, folded)

    md.core.ruler.push("fold", rule)


def _fold(tokens: list[Token], types: frozenset[str]) -> list[Token]:
    stack: list[tuple[Token, list[Token]]] = []
    current: list[Token] = []
    for token in tokens:
        if token.nesting == 1 and token.type.removesuffix("_open") in types:
            stack.append((token, current))
            current = []
        elif token.nesting == -1 and token.type.removesuffix("_close") in types and stack:
            children, (token, current) = current, stack.pop()
            token.type = token.meta.get("type", token.type.removesuffix("_open"))
            token.nesting = 0
            token.children = children
            current.append(token)
        else:
            current.append(token)
    return current
