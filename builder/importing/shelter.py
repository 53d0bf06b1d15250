"""`Shelter`: code and formulas are put aside while the text around them is read, and come back as Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["Shelter", "displayed", "fenced", "inline"]

_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK = re.compile(rf"(\d?){_OPEN}(\d+)\n*{_CLOSE}(\d?)")
_MATH_IN_TEXT = re.compile(r"(\\(?:text|mbox|textrm|textbf|textit)\s*\{[^{}]*?)\$([^${}]*)\$")
_LABEL = re.compile(r"\\label\s*\{([^{}]*)\}[ \t]*\n?")

_ENVIRONMENTS = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\\(begin|end)\s*\{(align|gather|equation|alignat)\}", r"\\\1{\2*}"),  # numbers come from labels alone
        (r"\\(begin|end)\s*\{multline\*?\}", r"\\\1{gather*}"),
        (r"\\begin\s*\{eqnarray\*?\}", r"\\begin{array}{rcl}"),
        (r"\\end\s*\{eqnarray\*?\}", r"\\end{array}"),
    )
)
"""What KaTeX does not have, and what it has in its place."""


class Shelter:
    """Keeps pieces of Markdown under marks that nothing else reads; a mark has as many lines as what it stands for."""

    def __init__(self) -> None:
        self._kept: list[str] = []

    @staticmethod
    def clear(text: str) -> str:
        """Return a text without the characters that marks are made of."""
        return text.replace(_OPEN, "").replace(_CLOSE, "")

    def keep(self, markdown: str, source: str = "") -> str:
        """Return the mark of a piece; `source` is what it stands for, if its lines are to be counted."""
        self._kept.append(markdown)
        lines = "\n" * source.count("\n")
        return f"{_OPEN}{len(self._kept) - 1}{lines}{_CLOSE}"

    def replace(self, pattern: re.Pattern[str], write: Callable[[re.Match[str]], str | None], text: str) -> str:
        """Keep what `write` returns for each match; a match for which it returns None stays as it is."""

        def found(match: re.Match[str]) -> str:
            written = write(match)
            return match[0] if written is None else self.keep(written, match[0])

        return pattern.sub(found, text)

    def restore(self, text: str) -> str:
        """Return a text with all pieces back in their places, in those of several lines as far to the right."""
        for _ in range(3):  # a formula may stand in a piece of code that was kept later
            text, count = _MARK.subn(self._piece, text)
            if not count:
                break
        return text

    def _piece(self, found: re.Match[str]) -> str:
        piece, before, after = self._kept[int(found[2])], found[1], found[3]
        margin = found.string[: found.start(2) - 1].rpartition("\n")[2]
        if piece.startswith("$"):  # `3$x$` would be money
            before, after = (f"&#{ord(digit)};" if digit else "" for digit in (before, after))
        if margin and not margin.strip(" \t>"):
            piece = piece.replace("\n", "\n" + margin)
        return f"{before}{piece}{after}"


def inline(tex: str) -> str:
    """Return a formula in a sentence; what is wide is displayed even there."""
    tex, name = _written(tex)
    if name or re.search(r"\\begin\s*\{(?:align|equation|gather|multline|eqnarray)", tex):
        return f"\n{displayed(tex, name)}\n"
    tex = " ".join(tex.split())
    return f"${tex}$" if tex else ""


def displayed(tex: str, name: str = "") -> str:
    """Return a formula on lines of its own."""
    tex, own = _written(tex)
    name = name or own
    lines = [line.rstrip() for line in tex.strip().splitlines() if line.strip()]
    return "\n".join(["$$", *lines, f"$$ {{#{name}}}" if name else "$$"]) if lines else ""


def _written(tex: str) -> tuple[str, str]:
    r"""Return TeX as KaTeX takes it, and its label: `\label{eq:x}` is `eq-x` here."""
    found = _LABEL.search(tex)
    tex = _LABEL.sub("", tex)
    for pattern, replacement in _ENVIRONMENTS:
        tex = pattern.sub(replacement, tex)
    for _ in range(20):
        tex, count = _MATH_IN_TEXT.subn(r"\1\\(\2\\)", tex)
        if not count:
            break
    tex = re.sub(r"(?<!\\)\$", "", tex)  # no formula ends within another
    return tex, equation_label(found[1]) if found else ""


def equation_label(name: str) -> str:
    """Return a label as references to equations have it."""
    return label("eq", re.sub(r"^eqn?[:.\-_]", "", name.strip()))


def label(prefix: str, name: str) -> str:
    """Return a label as ours are written, or the empty string.

    >>> label("fig", "Loss_curve (a)")
    'fig-loss-curve-a'
    """
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return f"{prefix}-{words}" if words else ""


def fenced(code: str, language: str = "") -> str:
    """Return code on lines of its own, in a fence longer than those in it."""
    ticks = max((len(found) for found in re.findall(r"^\s*(`{3,})", code, re.MULTILINE)), default=2) + 1
    fence = "`" * max(ticks, 3)
    return "\n".join([f"{fence}{language}", code.strip("\n").rstrip(), fence])
