"""`Writer`: words, sentences and formulas, drawn from lists by a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

__all__ = ["NAMES", "Writer", "lines"]

SEED = "fanlight"
CORPUS = Path(__file__).parent


def lines(name: str) -> list[str]:
    """Return the lines of one of the lists beside this file."""
    return (CORPUS / f"{name}.txt").read_text(encoding="utf-8").splitlines()


WORDS = " ".join(lines("words")).split()
"""Common words first: they are drawn more often, as in a language."""
NAMES = lines("names")
STOCK = lines("stock")
"""Symbols and short terms, in the order in which they are common."""
SHORT, LONG = lines("short"), lines("long")
"""Formulas with `@a` and `@b` for letters, `@g` for a Greek one, `@i` and `@j` for indices and `@n` for a number."""
LETTERS, INDICES = "xyzuvwhqkabcgrs", "ijmnt"
GREEK = [f"\\{name}" for name in ("alpha", "beta", "gamma", "delta", "theta", "mu", "nu", "xi", "phi", "psi", "omega")]


class Writer:
    """Draws words, sentences and formulas of one article."""

    def __init__(self, number: int, *, distinct: bool) -> None:
        self.draw = random.Random(f"{SEED}-{number}")
        self.number = number
        self.distinct = distinct
        self.formulas: list[str] = []

    def word(self) -> str:
        """Return a word, a common one more likely."""
        return WORDS[int(len(WORDS) * self.draw.random() ** 2)]

    def words(self, n: int) -> list[str]:
        """Return `n` words, a few of them emphasised, quoted or in code."""
        return [self._dress(self.word()) for _ in range(n)]

    def _dress(self, word: str) -> str:
        chance = self.draw.random()
        if chance > 0.03:
            return word
        return (
            f"*{word}*"
            if chance > 0.018
            else f"**{word}**"
            if chance > 0.012
            else f"“{word}”"
            if chance > 0.006
            else f"`{word}`"
        )

    def title(self, n: int) -> str:
        """Return a title of `n` words."""
        return " ".join(self.word() for _ in range(n)).capitalize()

    def formula(self, *, displayed: bool = False) -> str:
        """Return TeX, and note it."""
        draw = self.draw
        if not displayed and not self.distinct and draw.random() < 0.6:
            tex = STOCK[int(len(STOCK) * draw.random() ** 2)]
        else:
            letters, indices = draw.sample(LETTERS, 2), draw.sample(INDICES, 2)
            n = f"{self.number}{len(self.formulas):02}" if self.distinct else str(draw.randint(2, 40))
            tex = shape = draw.choice(LONG if displayed else SHORT)
            for mark, letter in zip("abijgn", [*letters, *indices, draw.choice(GREEK), n], strict=True):
                tex = tex.replace(f"@{mark}", letter)
            if self.distinct and "@n" not in shape:
                tex += rf" \ne {n}"
        self.formulas.append(tex)
        return tex

    def paragraph(self, n: int, insets: Sequence[str] = ()) -> str:
        """Return `n` words in sentences, with `insets` (formulas, citations, links) spread among them."""
        words = self.words(n)
        places = sorted(self.draw.sample(range(3, n - 1), len(insets)))
        for place, inset in zip(places, insets, strict=True):
            words[place] = f"{words[place]} {inset}"
        begin = 0
        while begin < n:
            end = min(begin + self.draw.randint(7, 24), n)
            end = n if n - end < 4 else end
            words[begin] = words[begin][:1].upper() + words[begin][1:]
            if end - begin > 14:
                words[begin + 6] += ","
            words[end - 1] += "."
            begin = end
        return wrap(words)


def wrap(words: Sequence[str], width: int = 110) -> str:
    """Return words in lines, as an editor would break them; no line begins like a list or a heading."""
    lines, line = [], ""
    for word in words:
        if line and len(line) + len(word) >= width and word[0] not in "+-#=>*1234567890":
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\n".join([*lines, line])
