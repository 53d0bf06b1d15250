"""Tokens and shares as a sentence says them: the words of alt texts, without a mark that a screen reader skips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["counted", "listed", "share", "token"]

_BLANKS = {" ": "space", "\n": "new line", "\t": "tab"}


def token(entry: Mapping[str, Any]) -> str:
    r"""Return an entry of `data.tokens` in quotes; white space by name, bytes that have no text in hex.

    >>> token({"text": " Paris"}), token({"text": "\n\n"}), token({"text": "", "bytes": "9d"})
    ('“Paris”', 'new line, new line', 'byte 9d')
    """
    text = str(entry["text"])
    if (not text or "\ufffd" in text) and entry.get("bytes"):
        return f"byte {entry['bytes']}" if len(entry["bytes"]) == 2 else f"bytes {entry['bytes']}"
    if not text.strip():
        return ", ".join(_BLANKS.get(sign, "blank") for sign in text) or "an empty token"
    return f"“{' '.join(text.split())}”"


def share(value: float) -> str:
    """Return a share as a percentage; never 0% for something, never 100% for less than all.

    >>> share(0.314), share(0.00001), share(0.9999)
    ('31%', 'less than 1%', 'more than 99%')
    """
    if 0 < value < 0.01:
        return "less than 1%"
    return "more than 99%" if 0.99 < value < 1 else f"{value:.0%}"


def listed(parts: Sequence[str]) -> str:
    """Return parts joined as in a sentence.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join(part for part in (", ".join(parts[:-1]), parts[-1]) if part) if parts else "none"


def counted(number: int, noun: str) -> str:
    """Return a number and its noun.

    >>> counted(1, "token"), counted(30, "layer")
    ('1 token', '30 layers')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
