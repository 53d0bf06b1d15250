"""Keys that move a tab stop: along lines either way, over grids, and onto what names their rows and columns."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from kinds import example
from playwright.sync_api import Page

WALK = """async ([rows, columns, options, start, keys]) => {
  const view = new URL(document.querySelector('#fig-it').dataset.view, document.baseURI);
  const { overGrid, placeInGrid } = await import(new URL('../shared/roving.js', view));
  const next = overGrid(rows, columns, options);
  const seen = [];
  let index = start;
  for (const key of keys) {
    index = next(index, { key: key.replace('Control+', ''), ctrlKey: key.startsWith('Control+') });
    seen.push(placeInGrid(index, rows, columns, options.names));
  }
  return seen;
}"""


@pytest.fixture
def page(open_figure: Callable[..., Page]) -> Page:
    """A page that has the module."""
    return open_figure("tokens")


def test_a_grid_without_names_ends_at_its_cells(page: Page) -> None:
    """Arrows and page keys stop at the edges."""
    keys = ["ArrowLeft", "ArrowUp", "PageUp", "ArrowRight", "ArrowRight", "ArrowRight", "PageDown", "ArrowDown", "Home"]
    walked = page.evaluate(WALK, [4, 3, {}, 0, keys])
    assert walked == [[0, 0], [0, 0], [0, 0], [0, 1], [0, 2], [0, 2], [3, 2], [3, 2], [3, 0]]
    assert page.evaluate(WALK, [4, 3, {}, 4, ["Control+End", "Control+Home"]]) == [[3, 2], [0, 0]]


@pytest.mark.parametrize(("below", "out", "back"), [(False, "ArrowUp", "ArrowDown"), (True, "ArrowDown", "ArrowUp")])
def test_arrows_lead_onto_names_and_back(below: bool, out: str, back: str, page: Page) -> None:
    """A row's is left of its first cell, a column's above or below them; there is nothing at their corner."""
    options = {"names": 2, "heads": True, "below": below}
    keys = ["ArrowLeft", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowRight"]
    assert page.evaluate(WALK, [2, 3, options, 0, keys]) == [[0, None], [1, None], [1, None], [1, None], [1, 0]]
    end = 5 if below else 2
    row = 1 if below else 0
    keys = [out, out, "ArrowLeft", "ArrowLeft", "ArrowLeft", "End", "PageUp" if not below else "PageDown", back]
    walked = page.evaluate(WALK, [2, 3, options, end, keys])
    assert walked == [*[[None, 2]] * 2, [None, 1], *[[None, 0]] * 2, *[[None, 2]] * 2, [row, 2]]


def test_only_arrows_leave_the_cells(page: Page) -> None:
    """Page keys, Home and End stay among them; rows that have no name keep what they had."""
    options = {"names": 2, "heads": True}
    keys = ["PageUp", "Home", "Control+Home", "PageDown", "ArrowLeft"]
    assert page.evaluate(WALK, [4, 3, options, 7, keys]) == [[0, 1], [0, 0], [0, 0], [3, 0], [3, 0]]


@pytest.mark.parametrize(("texts", "onward"), [(["one", " two"], "ArrowRight"), (["شمس", " قمر"], "ArrowLeft")])
def test_an_arrow_goes_where_it_points(texts: list[str], onward: str, open_figure: Callable[..., Page]) -> None:
    """In a text that is read from right to left the next token is at the left."""
    result = example("tokens")
    result["data"] |= {
        "tokens": [{"text": text, "id": i, "type": "input"} for i, text in enumerate(texts)],
        "targets": [],
    }
    page = open_figure(result)
    page.locator("#fig-it .token[tabindex='0']").focus()
    boxes = page.locator("#fig-it .strip .token").evaluate_all("e => e.map((chip) => chip.getBoundingClientRect().x)")
    assert (boxes[1] > boxes[0]) == (onward == "ArrowRight")
    page.keyboard.press(onward)
    assert page.evaluate("document.activeElement.dataset.item") == "1"
    page.keyboard.press("ArrowLeft" if onward == "ArrowRight" else "ArrowRight")
    assert page.evaluate("document.activeElement.dataset.item") == "0"
