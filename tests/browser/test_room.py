"""Names keep their room: none of a column is cut by the next one, and what scrolls goes under those of rows whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from large import large_rankings
from playwright.sync_api import Page

STICKING_OUT = """() => [...document.querySelectorAll('#fig-it .neurons .title')].map((title) => {
  const range = document.createRange();
  range.selectNodeContents(title);
  return Math.round(range.getBoundingClientRect().right - title.getBoundingClientRect().right);
})"""


@pytest.mark.parametrize("width", [360, 1000, 1600])
def test_a_column_has_room_for_its_name_and_its_scale(width: int, open_figure: Callable[..., Page]) -> None:
    """Also over the strips of a small head, which are narrower than their titles."""
    page = open_figure("neuron_view", width=width)
    assert max(page.evaluate(STICKING_OUT)) <= 0
    strip = page.locator("#fig-it .v .cells canvas").bounding_box()
    column = page.locator("#fig-it .column.v").bounding_box()
    assert strip
    assert column
    assert strip["width"] % 64 == 0  # whole pixels a number, however wide the column is
    assert strip["width"] <= column["width"]


@pytest.mark.parametrize(
    ("result", "room", "cell"),
    [("layer_predictions", ".predictions", ".prediction"), (large_rankings(), ".heat", "td")],
)
def test_what_scrolls_goes_under_the_names_of_rows(
    result: Any, room: str, cell: str, open_figure: Callable[..., Page]
) -> None:
    """With its frames and lines, which reach into the gaps between the rows: the names look as if nothing lay there."""
    page = open_figure(result, width=360)
    page.locator(f"#fig-it {cell}").nth(1).click()
    page.mouse.move(0, 0)
    names = [name.bounding_box() for name in page.locator(f"#fig-it {room} tbody th").all()]
    first, last = names[0], names[-1]
    assert first
    assert last
    clip = {
        "x": first["x"],
        "y": first["y"],
        "width": first["width"] - 3,  # the frame of a first cell reaches over its edge
        "height": last["y"] + last["height"] - first["y"],
    }
    scroller = page.locator(f"#fig-it {room}")
    hide = "(hidden) => document.querySelector('#fig-it').classList.toggle('without-cells', hidden)"
    page.add_style_tag(content=".without-cells :is(td, .heat-frame) { visibility: hidden; }")
    for left in (20, 45, 70):
        scroller.evaluate("(room, left) => (room.scrollLeft = left)", left)
        page.locator("#fig-it .tip").wait_for(state="hidden")  # it may lie over the names
        seen = page.screenshot(clip=clip, full_page=True)
        page.evaluate(hide, True)
        assert seen == page.screenshot(clip=clip, full_page=True)
        page.evaluate(hide, False)
