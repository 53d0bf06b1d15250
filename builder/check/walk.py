"""`walk`: all tokens of an article, those within others and in notes too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from markdown_it.token import Token

from ..document import Document

__all__ = ["walk"]


def walk(document: Document) -> Iterator[tuple[Token, int]]:
    """Yield each token with the line of the file that its block begins in."""
    yield from _walk(document.tokens, document.article.body_line, document.article.body_line)


def _walk(tokens: Iterable[Token], first: int, line: int) -> Iterator[tuple[Token, int]]:
    for token in tokens:
        line = first + token.map[0] if token.map else line
        yield token, line
        yield from _walk(token.children or (), first, line)
        for note in token.meta.get("notes", ()) if token.type == "footnotes" else ():
            yield from _walk(note.tokens, first, line)
