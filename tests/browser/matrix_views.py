"""What is shown in tests of the attention matrix, and what it shows."""

from __future__ import annotations

from typing import Any

from kinds import example
from playwright.sync_api import Page

__all__ = ["VALUE", "cell", "told", "whole"]

VALUE = "() => structuredClone(document.querySelector('#fig-it .view').value)"
PLOT = "#fig-it .weights-plot"


def cell(page: Page, q: int, k: int) -> tuple[float, float]:
    """Return where a cell's middle is on the screen."""
    page.locator(PLOT).scroll_into_view_if_needed()
    box = page.locator(PLOT).bounding_box()
    assert box
    rows, columns = (page.locator(f"#fig-it .weights-{side} > span").count() for side in ("queries", "keys"))
    return box["x"] + (k + 0.5) * box["width"] / columns, box["y"] + (q + 0.5) * box["height"] / rows


def whole(**shown: Any) -> dict[str, Any]:
    """Return the example with the first token, and with other things shown first."""
    result = example("attention_matrix")
    result["data"]["exclude_first"] = False
    result["data"]["shown"] |= shown
    return result


def told(page: Page) -> str:
    """Return the sentence that is seen."""
    return page.locator("#fig-it .readout p").first.text_content() or ""
