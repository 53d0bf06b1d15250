"""Text as Markdown has it: signs that would mean something, addresses, emphasis, and code as it was written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape

from .tree import Element

__all__ = ["around", "destination", "escape", "escape_attribute", "escape_signs", "language_of", "raw_text"]

_SPECIAL = re.compile(r"[\\`*\[\]<$~{]|(?<!\w)_|_(?!\w)|@(?=\w)|&(?=#?\w+;)|\^(?=\[)")


def escape(text: str) -> str:
    """Return plain text as Markdown."""
    return escape_signs(" ".join(text.split()))


def escape_signs(text: str) -> str:
    """Return text with a backslash before each sign that means something in Markdown; spaces stay as they are."""
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", text)


def escape_attribute(text: str) -> str:
    """Return plain text as the value of an attribute."""
    return " ".join(text.split()).replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def around(mark: str, text: str) -> str:
    """Return emphasised text; spaces stay outside, where they must."""
    inside = text.strip()
    if not inside or "\n\n" in inside:
        return text
    return f"{text[: len(text) - len(text.lstrip())]}{mark}{inside}{mark}{text[len(text.rstrip()) :]}"


def destination(address: str) -> str:
    """Return an address as it stands between the parentheses of a link."""
    address = re.sub(r"\s", "%20", address)
    return (
        f"<{address}>"
        if re.search(r"[()<>]", address) and not re.search(r"[<>]", address)
        else re.sub(r"[<>]", "", address)
    )


def raw_text(element: Element, encoded: bool) -> str:
    """Return code or TeX as it was written; `encoded` says whether its text still has `&lt;` for `<`."""
    text = element.text
    if element.tag in ("d-math", "dt-math", "d-code", "dt-code"):
        lines = text.strip("\n").split("\n")
        margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
        text = "\n".join(line[margin:] for line in lines)
        encoded = True
    return unescape(text) if encoded else text


def language_of(classes: Sequence[str]) -> str:
    """Return the language of code that an element's classes name, if it can be highlighted."""
    from ..directives.code import is_known

    for name in classes:
        bare = re.sub(r"^(?:language-|lang-|highlight-source-|brush:)", "", name.lower())
        if (
            bare
            and re.fullmatch(r"[\w+#.-]+", bare)
            and bare not in ("highlight", "highlighter-rouge")
            and is_known(bare)
        ):
            return bare
    return ""
