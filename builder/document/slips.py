"""`tell_slips`: what was meant as syntax, of ours or of another program, and stands in the page as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal

from markdown_it.token import Token

from ..source_map import Source

__all__ = ["tell_slips"]

Told = tuple[str, Literal["error", "warning"]]

_TEXT = frozenset({"text", "text_special"})
_CODE = re.compile(r"(?<!\\)(`+)(?!`).{1,999}?(?<!`)\1(?!`)", re.DOTALL)

_SLIPS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Told]], ...] = (
    (
        re.compile(
            r"(?<!\\)(?:!|(?<!!))\[[^\[\]]{0,300}\]\(([^()<>\n\"']{0,99}[^()<>\n\"'\s] [^()<>\n\"']{0,99}\.\w{2,4})\)"
        ),
        lambda found: (f"invalid {_what(found[0])}: {found[1]} (write <{found[1]}>, for it has spaces)", "error"),
    ),
    (
        re.compile(r"\]\([^()\n]{0,300}\)(?P<rest>\{[^{}\n]{0,99}\w=[^{}\n]{0,99}\})"),
        lambda found: (
            f"invalid attributes: {found['rest']} (a size is a number of pixels, width=300; other signs want quotes)",
            "error",
        ),
    ),
    (
        re.compile(r"\$\$(?P<rest>\s{0,9}\{#(eq-[\w-]+)\})"),
        lambda found: (
            f"invalid label: {found[2]} is within a sentence (a formula with a number stands by itself)",
            "error",
        ),
    ),
    (
        re.compile(r"\A#{2,6}(?=[^#\s])[^\n]{1,40}"),
        lambda found: (f"invalid heading: {found[0]} (a space follows the signs)", "warning"),
    ),
    (
        re.compile(r"\\begin\{((?:equation|align|gather|multline|eqnarray|alignat|aligned|cases|[bpvBV]?matrix)\*?)\}"),
        lambda found: (f"unsupported TeX: {found[0]} is shown as text (write it between $$ and $$)", "warning"),
    ),
    (
        re.compile(r"(?<=[A-Za-z0-9)])~([A-Za-z0-9+-]{1,8})~(?!~)"),
        lambda found: (f"unsupported sign: {found[0]} is shown as text (write <sub>{found[1]}</sub>)", "warning"),
    ),
    (
        re.compile(r"(?<=[A-Za-z0-9)])\^([A-Za-z0-9+-]{1,8})\^"),
        lambda found: (f"unsupported sign: {found[0]} is shown as text (write <sup>{found[1]}</sup>)", "warning"),
    ),
    (
        re.compile(  # tokens such as [CLS][SEP] are none
            r"(?<![\w\\\]!])\[[^\[\]\n]{0,99}[A-Za-z][^\[\]\n]{0,99}\]"
            r"\[((?=[^\[\]\n]{0,99}[a-z])[A-Za-z][^\[\]\n]{0,99})\](?![\[({])"
        ),
        lambda found: (f"unknown link: {found[0]} (there is no line [{found[1]}]: address)", "warning"),
    ),
)
"""What each looks like, of limited length, for no text may take long, and what is said of it. It counts where it, or
its `rest`, is text in the end."""

_TEX = r"\\[A-Za-z]{2}|[\^=]|_[A-Za-z0-9{]"
_DELIMITED = re.compile(rf"(?<!\\)\\([(\[])((?:[^\\\n]|\\[^()\[\]\n]){{0,99}}?(?:{_TEX})[^\n]{{0,99}}?)\\[)\]]")
"""LaTeX's own signs around a formula; without TeX between them, they are brackets that Markdown is to leave alone."""


def tell_slips(token: Token, source: Source, line: int) -> None:
    """Tell of each slip in an inline token, whose content begins in `line`, counted from 0."""
    content = _CODE.sub(lambda found: " " * len(found[0]), token.content)  # offsets stay
    children = token.children or []
    for message, severity, offset in (*_slips(content, children), *_formulas(content, children)):
        source.complain(message, source.place(token.content, line, offset), severity)


def _slips(content: str, children: list[Token]) -> Iterator[tuple[str, Literal["error", "warning"], int]]:
    for pattern, say in _SLIPS:
        for found in pattern.finditer(content):
            left = found.groupdict().get("rest") or found[0]
            if any(child.type in _TEXT and left in child.content for child in children):
                yield (*say(found), found.end() - len(left.lstrip()))


def _formulas(content: str, children: list[Token]) -> Iterator[tuple[str, Literal["error", "warning"], int]]:
    for found in _DELIMITED.finditer(content) if "\\(" in content or "\\[" in content else ():
        if not any(child.type == "math_inline" and found[0] in child.content for child in children):
            sign = "$" if found[1] == "(" else "$$"
            wrong = f"unsupported TeX: {found[0]} is shown as text (write {sign}{found[2]}{sign})"
            yield wrong, "warning", found.start()


def _what(written: str) -> str:
    return "picture" if written.startswith("!") else "link"
