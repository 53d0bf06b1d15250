"""`Reading`: goes through an article's tokens in the order in which they are read, footnotes where they are called."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it.token import Token

from ..errors import nearest
from ..source_map import Place, Source

__all__ = ["Footnote", "Reading", "formulas", "is_displayed", "plain_text", "unlinked", "walk_inside"]

Locate = Callable[[int], Place]
"""Returns the place of a character of a token, counted from its first."""


@dataclass(frozen=True)
class Footnote:
    """A note at the end of the article: `n_marks` places in the text call it."""

    number: int
    label: str | None
    tokens: tuple[Token, ...]
    n_marks: int


@dataclass
class _Definition:
    tokens: list[Token]
    line: int
    number: int = 0
    n_marks: int = 0


class Reading:
    """One reading of an article. It takes definitions of footnotes out of `tokens`, and numbers the notes.

    `env` is what the parser left. After `walk()` is exhausted, `footnotes()` has the notes.
    """

    def __init__(self, tokens: list[Token], env: Mapping[str, Any], source: Source) -> None:
        self.source = source
        self.definitions: dict[str, _Definition] = {}
        self.tokens = self._take_definitions(tokens)
        self._inline_notes: Mapping[int, Mapping[str, Any]] = env.get("footnotes", {}).get("list", {})
        self._called: dict[str | int, _Definition] = {}
        self._line = 0

    def walk(self, tokens: Sequence[Token] | None = None) -> Iterator[tuple[Token, Locate]]:
        """Yield each token, inline ones too, with what locates it."""
        for token in self.tokens if tokens is None else tokens:
            if token.map:
                self._line = token.map[0]
            yield token, self._locate_block(token, self._line)
            if token.type == "inline":
                yield from self._walk_inline(token.children or (), token.content, self._line, 0)
            elif token.children:
                yield from self.walk(token.children)

    def footnotes(self) -> tuple[Footnote, ...]:
        """Return the notes that were called; complain of those that never were."""
        notes = [
            Footnote(note.number, key if isinstance(key, str) else None, tuple(note.tokens), note.n_marks)
            for key, note in self._called.items()
        ]
        for label, definition in self.definitions.items():
            if label not in self._called:
                message = f"missing mark: nothing in the text calls the footnote [^{label}]"
                self.source.complain(message, self.source.begin(definition.line), "warning")
        return tuple(notes)

    def _walk_inline(
        self, tokens: Sequence[Token], content: str, first: int, base: int
    ) -> Iterator[tuple[Token, Locate]]:
        for token in tokens:
            begin = base + token.meta.get("offset", 0)

            def locate(delta: int, begin: int = begin) -> Place:
                return self.source.place(content, first, begin + delta)

            yield token, locate
            if token.type == "mention":
                yield from self._walk_inline(token.children or (), content, first, base)
            if token.type == "footnote_ref":
                yield from self._walk_note(token, content, first, begin)

    def _walk_note(self, mark: Token, content: str, first: int, begin: int) -> Iterator[tuple[Token, Locate]]:
        label = mark.meta.get("label")
        key = mark.meta["id"] if label is None else label
        known = self._called.get(key)
        if known is None:
            known = self._inline_note(key, first) if label is None else self.definitions.get(label)
            if known is None:
                wrong = f"unknown footnote: {label}{nearest(str(label), self.definitions)}"
                self.source.complain(wrong, self.source.place(content, first, begin))
                return
            self._called[key] = known
            known.number = len(self._called)
        known.n_marks += 1
        mark.meta.update(number=known.number, mark=known.n_marks)
        if known.n_marks > 1:
            return
        line = self._line
        if label is None:
            yield from self._walk_inline(known.tokens[1].children or (), content, first, begin + len("^["))
        else:
            yield from self.walk(known.tokens)
        self._line = line

    def _inline_note(self, key: int, line: int) -> _Definition:
        note = self._inline_notes[key]
        inline = Token("inline", "", 0, children=note["tokens"], content=note["content"])
        opening, closing = Token("paragraph_open", "p", 1, block=True), Token("paragraph_close", "p", -1, block=True)
        return _Definition([opening, inline, closing], line)

    def _take_definitions(self, tokens: list[Token]) -> list[Token]:
        kept = []
        for token in tokens:
            if token.children and token.type != "inline":
                token.children = self._take_definitions(token.children)
            if token.type != "footnote_reference":
                kept.append(token)
                continue
            label, line = token.meta["label"], token.map[0] if token.map else 0
            if label in self.definitions:
                first = self.source.line(self.definitions[label].line)
                self.source.complain(f"duplicate footnote: {label} (first in line {first})", self.source.begin(line))
            else:
                self.definitions[label] = _Definition(token.children or [], line)
        return kept

    def _locate_block(self, token: Token, line: int) -> Locate:
        def locate(delta: int) -> Place:
            if token.type.startswith("math"):
                return self.source.place(token.content, line, delta)
            return self.source.begin(line)

        return locate


def formulas(tokens: Sequence[Token]) -> Iterator[tuple[str, bool]]:
    """Yield the formulas of an article, each with whether it is displayed, in no order that matters."""
    for token in tokens:
        if token.type.startswith("math"):
            yield token.content, is_displayed(token)
        elif token.children:
            yield from formulas(token.children)


def is_displayed(token: Token) -> bool:
    """Whether a formula stands in a line of its own."""
    return token.type != "math_inline" or token.markup == "$$"


def plain_text(tokens: Sequence[Token] | None) -> str:
    """Return inline tokens as text: code and TeX as written, without marks, notes and citations."""
    text = ""
    for token in tokens or ():
        if token.type in ("text", "code_inline", "math_inline", "tag"):
            text += token.content
        elif token.type in ("softbreak", "hardbreak"):
            text += " "
        elif token.type in ("image", "mention"):
            text += plain_text(token.children)
        elif token.type == "value":
            text += "…"  # known when the results are
    return " ".join(text.split())


def walk_inside(token: Token) -> Iterator[Token]:
    """Yield what is within a token, but the notes that are called there."""
    for child in token.children or ():
        yield child
        yield from walk_inside(child)


def unlinked(tokens: Sequence[Token], links: Collection[str]) -> Iterator[Token]:
    """Yield inline tokens without those of types `links`; of mentions the words are left."""
    for token in tokens:
        if token.type == "mention":
            yield from unlinked(token.children or (), links)
        elif token.type not in links:
            yield token
