"""Keys that move a tab stop: along lines either way, over grids, and onto what names their rows and columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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


@pytest.mark.parametrize("kind", ["factors", "layer_predictions", "saliency", "tokens"])
def test_an_arrow_goes_where_it_points_in_every_strip(kind: str, open_figure: Callable[..., Page]) -> None:
    """In Arabic, left of a token is the one after it, right of it the one before."""
    page = open_figure(arabic(kind), width=1600)
    chips = page.locator("#fig-it .strip .token[role=button]")
    chips.nth(1).focus()
    for key, index in (("ArrowLeft", 2), ("ArrowRight", 1), ("ArrowRight", 0)):
        page.keyboard.press(key)
        assert chips.nth(index).evaluate("chip => chip === document.activeElement")
    boxes = [chips.nth(index).bounding_box() for index in (0, 1)]
    assert boxes[0]["x"] > boxes[1]["x"]  # type: ignore[index]


def test_an_arrow_with_shift_leads_from_a_prediction_to_the_token_that_it_points_to(
    open_figure: Callable[..., Page],
) -> None:
    """The cells stay where they are, the text above them turns."""
    page = open_figure(arabic("layer_predictions"), width=1600)
    page.locator("#fig-it .prediction").first.focus()
    position = "document.querySelector('#fig-it .view').value.position"
    first = page.evaluate(position)
    page.keyboard.press("Shift+ArrowLeft")
    assert page.evaluate(position) > first
    page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate(position) == first


def arabic(kind: str) -> dict[str, Any]:
    """Return a kind's example with a word of Arabic for each of its tokens."""
    result = example(kind)
    for token in result["data"]["tokens"]:
        token["text"] = " قمر"
    return result


@pytest.mark.parametrize(("kind", "frame"), [("attention_matrix", ".matrix-cell"), ("neuron_view", ".column.k > i")])
def test_what_is_drawn_from_left_to_right_is_walked_so(kind: str, frame: str, open_figure: Callable[..., Page]) -> None:
    """Also on a page that is written from right to left, of Arabic: columns and neurons stay where they are."""
    page = open_figure(arabic(kind), width=1600)
    left = "(selector) => document.querySelector(`#fig-it ${selector}`).getBoundingClientRect().x"
    before = page.evaluate(left, "canvas")
    page.evaluate("document.dir = 'rtl'")
    assert page.evaluate(left, "canvas") == pytest.approx(before, abs=1)
    page.locator("#fig-it .view [data-item][tabindex='0']").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    first = page.evaluate(left, frame)
    page.keyboard.press("ArrowRight")
    assert page.evaluate(left, frame) > first
