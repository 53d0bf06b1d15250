"""Blocks of HTML between Markdown: made clean together, so that they are balanced over what stands between them."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from markdown_it.token import Token

from ..source_map import Source
from .elsewhere import replace_tag
from .safe_html import BLOCKS, PHRASING, VOID, attribute_message, clean, wrong_attributes

__all__ = ["WHOLE", "keep_blocks"]

WHOLE = ("script", "style", "textarea")
"""What swallows all the rest of a page where it never ends; then it is text."""
_ANY = re.compile(
    r"<!--.*?(?:-->|$)|<(?P<close>/?)(?P<name>[A-Za-z][\w-]*)(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>?", re.DOTALL
)
_MAY_END = frozenset(
    ("caption", "colgroup", "dd", "dt", "li", "p", "rp", "rt", "tbody", "td", "tfoot", "th", "thead", "tr")
)
"""What ends by itself, with what it is in."""


def keep_blocks(tokens: list[Token], source: Source, env: Any) -> list[Token]:
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
    pieces = re.split(slot.format(r"(\d{1,6})"), cleaned)
    if sorted(map(int, pieces[1::2])) != [number for number, gap in enumerate(gaps) if gap]:
        # never seen, but no text is to be lost: each block for itself
        pieces = [clean(tokens[places[0]].content)]
        for number, at in enumerate(places[1:]):
            pieces += [str(number), clean(tokens[at].content)]
    kept = tokens[: places[0]]
    for at, piece in enumerate(pieces):
        kept += gaps[int(piece)] if at % 2 else [_markup(piece)]
    return kept + tokens[places[-1] + 1 :]


def _markup(html: str) -> Token:
    return Token("markup", "", 0, content=html, block=True)


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
    count: Counter[str] = Counter()
    for token in blocks:
        for found, name in _tags(token.content):
            if name in VOID or name not in PHRASING | BLOCKS:
                continue
            if not found["close"]:
                opened.append((name, token, found.start()))
                count[name] += 1
            elif count[name]:
                while (last := opened.pop())[0] != name:
                    count[last[0]] -= 1
                    endless += [last] if last[0] not in _MAY_END else []
                count[name] -= 1
    ends: dict[int, list[str]] = {}
    told: set[str] = set()
    for name, token, offset in sorted([*endless, *opened], key=lambda tag: -tag[2]):
        if name not in _MAY_END and name not in told:
            told.add(name)
            first = token.map[0] if token.map else 0
            wrong = f"broken HTML: <{name}> never ends (write </{name}>)"
            source.complain(wrong, source.place(token.content, first, offset), "warning")
        if name != "p":
            ends.setdefault(id(token), []).append(f"</{name}>")
    for token in blocks:
        token.content += "".join(ends.get(id(token), ()))


def _tags(html: str) -> Iterator[tuple[re.Match[str], str]]:
    """Yield the tags of a block and their names; none of comments, nor of what stands in a script."""
    whole = None
    for found in _ANY.finditer(html):
        name = (found["name"] or "").lower()
        if name and (whole is None or name == whole):
            whole = name if name in WHOLE and not found["close"] else None
            yield found, name


def _faults(html: str) -> Iterator[tuple[int, str]]:
    for found, name in _tags(html):
        if name not in PHRASING | BLOCKS:
            if not found["close"]:
                yield found.start(), f"unsupported HTML: <{name}> is left out{replace_tag(name)}"
            continue
        for attribute, _ in wrong_attributes(found[0], name):
            yield found.start(), attribute_message(attribute, name)
