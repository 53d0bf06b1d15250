"""Attributes as authors write them in braces and backticks: `.class #id key=word key="two words"`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

__all__ = ["QUOTED", "Attributes", "Pair", "read_attributes", "unquote"]

QUOTED = r'"(?:\\.|[^"\\])*"'
_ITEM = re.compile(
    rf'\s*(?:\.(?P<class>[\w-]+)|#(?P<id>[\w:.-]+)|(?P<key>[A-Za-z][\w-]*)=(?:(?P<quoted>{QUOTED})|(?P<word>[^\s"{{}}]+)))'
    r"(?=\s|$)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Pair:
    """A key and its value; `offset` is where it stands in its notation."""

    key: str
    value: str
    offset: int

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


@dataclass(frozen=True)
class Attributes:
    """What was read: pairs in their order, and in `rest` what cannot be read, from its first character on."""

    pairs: tuple[Pair, ...] = ()
    classes: tuple[str, ...] = ()
    anchor: str | None = None
    rest: str = ""
    rest_offset: int = 0

    def find(self, key: str) -> Pair | None:
        """Return the pair of that key, the last one as for HTML's attributes."""
        return next((pair for pair in reversed(self.pairs) if pair.key == key), None)


def read_attributes(text: str, offset: int = 0) -> Attributes:
    r"""Read attributes; `offset` is where `text` stands in its notation.

    A value in double quotes may hold anything, `\"` and `\n` as in JSON.

    >>> read_attributes('token=" is" of=fig-a .spark').pairs[0].value
    ' is'
    """
    pairs: list[Pair] = []
    classes: list[str] = []
    anchor, at = None, 0
    while found := _ITEM.match(text, at):
        if found["class"]:
            classes.append(found["class"])
        elif found["id"]:
            anchor = found["id"]
        else:
            value = unquote(found["quoted"]) if found["quoted"] else found["word"]
            pairs.append(Pair(found["key"], value, offset + found.start("key")))
        at = found.end()
    rest = text[at:].lstrip()
    return Attributes(tuple(pairs), tuple(classes), anchor, rest.rstrip(), offset + len(text) - len(rest))


def unquote(quoted: str) -> str:
    r"""Return what stands in double quotes; an escape that JSON does not know stands for itself."""
    try:
        return str(json.loads(quoted, strict=False))
    except ValueError:
        return re.sub(r'\\(["\\])', r"\1", quoted[1:-1])
