"""`Labels`: the names that an article gives to figures, equations, sections and tables, and its other anchors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from markdown_it.token import Token

from ..directives.heading import slugify
from ..errors import nearest
from ..source_map import Place, Source

__all__ = ["PAGE_ANCHORS", "PREFIXES", "Label", "LabelKind", "Labels"]

LabelKind = Literal["figure", "equation", "section", "table"]
PREFIXES: dict[LabelKind, str] = {"figure": "fig-", "equation": "eq-", "section": "sec-", "table": "tbl-"}

PAGE_ANCHORS = frozenset({"appendix", "footnotes", "references", "cite-as"})
"""Anchors that the page adds by itself, and that an article may link to."""
TAKEN = frozenset({"main", "content", "contents", "toc", "top", "title", "cards", "licence", "colophon"}) | PAGE_ANCHORS
"""Anchors that a heading does not get by its title, for the theme may use them."""


_HOW = {
    "fig-": ":::{figure} with `:label:`",
    "tbl-": ":::{table} with `:label:`",
    "eq-": "$$ … $$ {#eq-…}",
    "sec-": "## Title {#sec-…}",
}
"""What has a number, and so a label; a name alone (`![x](y.png){#fig-y}`) is for links."""


@dataclass(frozen=True)
class Label:
    """What a reference leads to: `number` is shown, for a section its title, in `tokens`."""

    kind: LabelKind
    number: str
    anchor: str
    text: str = ""
    tokens: tuple[Token, ...] = ()


class Labels:
    """Labels by name, and all anchors; what is wrong with them goes to the source's problems."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.by_name: dict[str, Label] = {}
        self.anchors: dict[str, int | None] = {}

    def add(self, name: str, label: Label, place: Place) -> bool:
        """Add a label; False if another element has it. One that is not well formed is added, and complained of."""
        prefix = PREFIXES[label.kind]
        fresh = self.add_anchor(name, place)
        if fresh:
            self.by_name[name] = label
        if re.fullmatch(rf"{prefix}[a-z0-9]+(?:-+[a-z0-9]+)*", name):
            return fresh
        stem = name if not name.casefold().startswith(prefix) else name[len(prefix) :]
        right = prefix + slugify(re.sub(r"[^\x00-\x7f]", "", stem))
        self.source.complain(f"invalid label: {name} (did you mean {right}?)", place)
        return fresh

    def add_anchor(self, name: str, place: Place) -> bool:
        """Add an anchor that the author wrote; False if another element has it."""
        if name in self.anchors:
            self.source.complain(f"duplicate label: {name} (first in line {self.anchors[name]})", place)
            return False
        self.anchors[name] = place[0]
        return True

    def make_anchor(self, title: str) -> str:
        """Return a new anchor made from a title."""
        stem = anchor = slugify(title)
        number = 1
        while anchor in self.anchors or anchor in TAKEN:
            number += 1
            anchor = f"{stem}-{number}"
        self.anchors[anchor] = None
        return anchor

    def check_reference(self, name: str, place: Place) -> None:
        """Complain if no label has that name."""
        if name in self.by_name:
            return
        meant = next((how for prefix, how in _HOW.items() if name.startswith(prefix)), "")
        is_named = meant and name in self.anchors
        known = f" (what has it is none; write {meant})" if is_named else nearest(name, self.by_name)
        self.source.complain(f"unknown label: {name}{known}", place)

    def check_fragment(self, fragment: str, place: Place) -> None:
        """Complain if a link within the page leads nowhere."""
        known = {*self.anchors, *PAGE_ANCHORS}
        if fragment and fragment not in known:
            self.source.complain(f"broken link: #{fragment}{nearest(fragment, known)}", place)
