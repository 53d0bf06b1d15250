"""TeX macros that a text defines on the way: the front matter's, where every formula has them."""

from __future__ import annotations

import re

__all__ = ["take_macros"]

_DEFINITION = re.compile(
    r"\\(?:(?:re)?newcommand\*?|providecommand|DeclareMathOperator(\*?)|def)\s*\{?\s*(\\[A-Za-z]+|\\[^A-Za-z\s])\s*\}?"
    r"\s*(?:\[(\d)\])?((?:#\d)*)\s*(?=\{)"
)


def take_macros(text: str) -> tuple[str, dict[str, str]]:
    r"""Return a text without definitions, with as many lines, and the macros by name.

    >>> take_macros(r"$$\def\R{\mathbb{R}}x$$")
    ('$$x$$', {'\\R': '\\mathbb{R}'})
    """
    macros: dict[str, str] = {}
    parts, at = [], 0
    for found in _DEFINITION.finditer(text):
        end = _end_of_braces(text, found.end())
        if found.start() < at or end < 0:
            continue
        body = " ".join(text[found.end() + 1 : end - 1].split())
        if "DeclareMathOperator" in found[0]:
            body = f"\\operatorname{found[1]}{{{body}}}"
        macros[found[2]] = body
        parts += [text[at : found.start()], "\n" * text.count("\n", found.start(), end)]
        at = end
    return "".join([*parts, text[at:]]), macros


def _end_of_braces(text: str, begin: int) -> int:
    """Return where a group ends that begins there, -1 if it does not end within 2,000 characters."""
    depth = 0
    for at in range(begin, min(len(text), begin + 2000)):
        depth += (text[at] == "{") - (text[at] == "}")
        if not depth:
            return at + 1
    return -1
