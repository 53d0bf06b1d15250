"""Fingers on grids whose cells are smaller than a fingertip: they slide to the one that is meant, and still scroll."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from large import large_activations, large_rankings, large_similarity
from playwright.sync_api import CDPSession, Page
from views import VALUE

PHONE = {"width": 360, "has_touch": True, "is_mobile": True}


class Finger:
    """A finger on a page, as the browser's own protocol sends it: with its taps, and what scrolls."""

    def __init__(self, page: Page) -> None:
        """It begins above the page."""
        self.page = page
        self.session: CDPSession = page.context.new_cdp_session(page)

    def touch(self, kind: str, *points: tuple[float, float]) -> None:
        """Send a touch event."""
        given = {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]}
        self.session.send("Input.dispatchTouchEvent", given)

    def move(self, *places: tuple[float, float], steps: int = 8) -> None:
        """Come down at the first place, move from each to the next, and rest at the last: a fling would eat a tap."""
        self.touch("touchStart", places[0])
        for (x, y), (x1, y1) in pairwise(places):
            for i in range(1, steps + 1):
                self.touch("touchMove", (x + (x1 - x) * i / steps, y + (y1 - y) * i / steps))
        self.page.wait_for_timeout(150)

    def drag(self, *places: tuple[float, float]) -> None:
        """Move, and lift."""
        self.move(*places)
        self.touch("touchEnd")


def middle(page: Page, selector: str, index: int) -> tuple[float, float]:
    """Return the middle of an item that is in sight."""
    item = page.locator(selector).nth(index)
    item.scroll_into_view_if_needed()
    box = item.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


GRIDS = [("causal_trace", ".cell"), ("logit_attribution", ".sheet-head"), ("ablation", ".sheet-head")]
LARGE = [
    (large_similarity(31, 31), ".cell"),
    (large_rankings(columns=8), "td"),
    (large_activations(60, 6), "td[data-item]"),
]


@pytest.mark.parametrize(("result", "cell"), [*GRIDS, *LARGE])
def test_a_finger_slides_to_the_cell_that_it_means(result: Any, cell: str, open_figure: Callable[..., Page]) -> None:
    """Each cell on the way is shown, the one where it lifts is pinned, whichever was before."""
    page = open_figure(result, **PHONE)
    cell = f"#fig-it {cell}"
    start, end = middle(page, cell, 1), middle(page, cell, 5)
    assert start[1] == end[1]
    finger = Finger(page)
    finger.move(start, end)
    shown = page.evaluate(VALUE)
    assert shown["pinned"] is False
    assert "fig-it=" not in page.url
    finger.touch("touchEnd")
    assert page.evaluate(VALUE) == {**shown, "pinned": True}
    page.locator(cell).nth(5).tap()
    assert page.evaluate(VALUE) == {**shown, "pinned": False}
    page.locator(cell).nth(1).tap()
    finger.drag(start, end)
    assert page.evaluate(VALUE) == {**shown, "pinned": True}


def test_a_finger_that_began_sideways_goes_anywhere(open_figure: Callable[..., Page]) -> None:
    """Down the rows too, without scrolling, and past the edge, where the last cell stays."""
    page = open_figure(large_similarity(31, 31), **PHONE)
    places = [middle(page, "#fig-it .cell", index) for index in (0, 6, 6 + 4 * 31)]
    before = page.evaluate("scrollY")
    Finger(page).drag(*places)
    assert page.evaluate("scrollY") == before
    value = page.evaluate(VALUE)
    assert (value["row"], value["column"], value["pinned"]) == (4, 6, True)
    Finger(page).drag(places[0], places[1], (places[1][0], places[0][1] - 60))
    value = page.evaluate(VALUE)
    assert (value["row"], value["column"], value["pinned"]) == (0, 6, True)


@pytest.mark.parametrize("sideways", [0, 12])
def test_a_finger_that_goes_up_scrolls(sideways: int, open_figure: Callable[..., Page]) -> None:
    """It chooses nothing, and lets nothing go, even where it wavers."""
    page = open_figure(large_similarity(31, 31), height=500, **PHONE)
    page.locator("#fig-it .cell").nth(3).tap()
    before = page.evaluate(VALUE)
    x, y = middle(page, "#fig-it .cell", 31 * 20 + 10)
    top = page.evaluate("scrollY")
    Finger(page).drag((x, y), (x + sideways, y - 150))
    page.wait_for_function("(top) => scrollY > top + 50", arg=top)
    assert page.evaluate(VALUE) == before


def test_a_finger_scrolls_sideways_what_is_wider_than_the_screen(open_figure: Callable[..., Page]) -> None:
    """Of forty tokens a phone shows a part: the others are reached, and a pin stays; a tap pins as ever."""
    page = open_figure(large_rankings(columns=40), **PHONE)
    heat = page.locator("#fig-it .heat")
    page.locator("#fig-it td").nth(3).tap()
    before = page.evaluate(VALUE)
    start = middle(page, "#fig-it td", 12)
    Finger(page).drag(start, (start[0] - 120, start[1]))
    page.wait_for_function("document.querySelector('#fig-it .heat').scrollLeft > 50")
    assert page.evaluate(VALUE) == before
    assert heat.evaluate("heat => heat.style.touchAction") == ""
