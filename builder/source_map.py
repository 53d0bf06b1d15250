"""`Source`: an article's text as it was written, which knows the line and column of everything parsed from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from .errors import Problem

__all__ = ["Place", "Source", "place_plugin", "source_of"]

Place = tuple[int | None, int | None]
"""A line and a column, both from 1, as far as they are known."""


class Source:
    r"""The body of an article: `first_line` is where it begins in the file, `problems` what was found in it so far.

    >>> source = Source(None, "One.\n\nA [link](x.md).", first_line=5)
    >>> source.line(2)
    7
    """

    def __init__(self, path: Path | None, text: str, first_line: int = 1) -> None:
        self.path = path
        self.lines = text.split("\n")
        self.first_line = first_line
        self.problems: list[Problem] = []

    def line(self, index: int) -> int:
        """Return the line of the file for a line of the body counted from 0, as markdown-it counts."""
        return self.first_line + index

    def complain(
        self, message: str, place: Place = (None, None), severity: Literal["error", "warning"] = "error"
    ) -> None:
        """Note a problem at a place of the file."""
        self.problems.append(Problem(message, self.path, *place, severity=severity))

    def begin(self, index: int) -> Place:
        """Return the place of the first character of a line of the body."""
        text = self.lines[index] if index < len(self.lines) else ""
        return self.line(index), len(text) - len(text.lstrip()) + 1

    def place(self, content: str, first: int, offset: int) -> Place:
        """Return the place of `content[offset]`, where `content` was taken from the lines from `first` on.

        Block parsing strips quote signs, indentation and heading marks, so a line of the content is looked for in its
        line of the source: at the end of it (paragraphs) or within (headings, table cells).
        """
        offset = max(0, min(offset, len(content)))
        index = first + content.count("\n", 0, offset)
        start = content.rfind("\n", 0, offset) + 1
        end = content.find("\n", start)
        part = content[start : end if end >= 0 else len(content)].rstrip()
        if index >= len(self.lines):
            return self.line(first), None
        text = self.lines[index].rstrip()
        at = len(text) - len(part) if text.endswith(part) else text.find(part)
        return self.line(index), None if at < 0 else at + offset - start + 1


def source_of(state: Any) -> Source:
    """Return the source that a rule's state is parsed from; a parser used by itself gets one without a path."""
    found = state.env.get("source")
    if not isinstance(found, Source):
        found = state.env["source"] = Source(None, state.src)
    return found


def place_plugin(md: MarkdownIt) -> None:
    """Note in each inline token's `meta["offset"]` where in its block's content it begins.

    markdown-it knows the lines of blocks and no columns. Every rule that makes a token does so while it is tried at
    some position; a rule that never matches, tried first, remembers that position.
    """
    md.inline = _PlacedInline()
    md.inline.ruler.before("text", "place", _remember)


class _PlacedState(StateInline):
    def __init__(self, src: str, md: MarkdownIt, env: Any, out: list[Token]) -> None:
        super().__init__(src, md, env, out)
        self.tried = 0
        self.offsets: dict[int, int] = {}

    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        token = super().push(ttype, tag, nesting)
        self.offsets[id(token)] = self.tried
        return token


def _remember(state: StateInline, silent: bool) -> bool:
    if not silent and isinstance(state, _PlacedState):
        state.tried = state.pos
    return False


class _PlacedInline(ParserInline):
    def parse(self, src: str, md: MarkdownIt, env: Any, tokens: list[Token]) -> list[Token]:
        state = _PlacedState(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        for token in state.tokens:
            if id(token) in state.offsets:
                token.meta["offset"] = state.offsets[id(token)]
        return state.tokens
