"""How long Chromium takes to draw attention and to answer a pointer, on our pages and on BertViz'."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from . import browser

if TYPE_CHECKING:
    from .attention import Subject

DRAWN = f"{browser.DRAWN} && [...document.querySelectorAll('#fig-it canvas')]"
OURS = {
    "head_view": (f"{DRAWN}.some((c) => c.width > 300)", "#fig-it .strip .token[role]", "pointerover"),
    "model_view": (f"{DRAWN}.some((c) => c.width > 300)", "#fig-it .board td", "pointerover"),
    "attention_matrix": (f"{DRAWN}.some((c) => c.width > 300)", "#fig-it .weights-queries > span", "pointerover"),
}
THEIRS = {
    "head_view": ("document.querySelector('#vis line')", "#vis #left > g:last-of-type > g", "mouseover"),
    "model_view": ("document.querySelector('svg line')", "", ""),  # its small pictures answer clicks alone
}


def measure(subjects: Sequence[Subject], scripts: Mapping[str, bytes]) -> None:
    """Print milliseconds to the first paint, and what pointing at a token costs a page's main thread."""
    with browser.served() as harness, browser.chromium() as chromium:
        browser.tell_columns()
        for one in subjects:
            for kind, answer in one.answers.items():
                address = browser.write(harness, kind, answer.data, answer.pieces)
                browser.tell(f"{one.name}: {kind}", browser.time_page(chromium, address, *OURS[kind], scripts))
            for view, html in one.pages.items():
                file = harness.folder / f"bertviz-{hashlib.sha256(html.encode()).hexdigest()[:12]}.html"
                file.write_text(html, encoding="utf-8")
                told = browser.time_page(chromium, f"{harness.url}/{file.name}", *THEIRS[view], scripts)
                browser.tell(f"{one.name}: BertViz {view}", told)
