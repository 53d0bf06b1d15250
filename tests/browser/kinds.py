"""The kinds of figures that a browser is shown, with their examples: those that are found in `figures/`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from builder.kind import load_kinds
from builder.site import find_site

SITE = find_site(Path(__file__).parents[2])
KINDS = {
    name: kind for name, kind in load_kinds(SITE.folders("figures")).items() if (kind.folder / "view.js").is_file()
}

HOSTILE = [
    "</script>", "<img src=x onerror=alert(1)>", '"><b>', "'", "{{ 1 }}", "&lt;", " 東京", "👩‍🔬", " שלום", " مرحبا",
    "\u202e", "\u200b", "\u00a0", "\t", "\n", "\r", "\x00", " ", "  ", "a" * 80, "%3C", "ﬁ", "é", "\\u003c", "]]>",
]  # fmt: skip
"""Texts a vocabulary may hold: markup, quotes, right-to-left, controls, nothing to see, too long."""


def example(kind: str) -> dict[str, Any]:
    """Return a kind's example, a copy that a test may change."""
    return json.loads((KINDS[kind].folder / "example.json").read_text(encoding="utf-8"))


def hostile(kind: str) -> dict[str, Any]:
    """Return a kind's example with hostile texts for its tokens, the first of them for the first output token."""
    result = example(kind)
    tokens = result["data"].get("tokens", [])
    first = next((i for i, token in enumerate(tokens) if token["type"] == "output"), 1)
    for i, token in enumerate(tokens):
        if token.get("span", 1) == 1:
            token["text"] = HOSTILE[(i - first) % len(HOSTILE)]
    if "vocabulary" in result["data"]:
        size = len(result["data"]["vocabulary"])
        result["data"]["vocabulary"] = [HOSTILE[i % len(HOSTILE)] for i in range(size)]
    return result
