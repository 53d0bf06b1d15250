"""The attention matrix: cells, rows and columns say what the data say, by mouse, touch and keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from matrix_views import VALUE, cell, told, whole
from playwright.sync_api import Page, expect

from builder.numerals import shown_value
from builder.quantised import unpack_weights

COLOUR = """([q, k]) => {
  const drawn = document.querySelector('#fig-it .weights-plot canvas');
  const { width, height } = drawn;
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(drawn, 0, 0);
  const count = (side) => document.querySelectorAll(`#fig-it .weights-${side} > span`).length;
  const at = [((k + 0.5) * width) / count('keys'), ((q + 0.5) * height) / count('queries')];
  return [...context.getImageData(...at, 1, 1).data];
}"""


def test_a_cell_tells_who_looks_at_whom_and_how_much(open_figure: Callable[..., Page]) -> None:
    """In the sentence and on a card; the row, the column and both names are marked."""
    result = whole(head=2)
    page = open_figure(result, width=1280)
    weight = unpack_weights(result["data"]["weights"])[2, 6, 3]
    page.mouse.move(*cell(page, 6, 3))
    value = page.evaluate(VALUE)
    assert value == {
        "part": "self",
        "layer": 15,
        "head": 2,
        "first": True,
        "words": False,
        "token": 6,
        "to": 3,
        "pinned": False,
    }
    share = shown_value(float(weight), "percent")
    assert told(page) == f" is 6 looks at  England 3: {share} of its attention in head 2 of layer 15."
    assert (page.locator("#fig-it .tip").text_content() or "").startswith(share)
    assert page.locator("#fig-it .matrix-line:visible").count() == 2
    assert page.locator("#fig-it .weights .is-on").all_text_contents() == [" is", " England"]
    assert page.locator("#fig-it .weights [aria-pressed=true]").count() == 0
    page.mouse.move(5, 5)
    assert page.evaluate(VALUE)["token"] is None
    assert page.locator("#fig-it .tip").is_hidden()


def test_what_comes_later_is_no_cell(open_figure: Callable[..., Page]) -> None:
    """Above the diagonal there is nothing to look at."""
    page = open_figure(whole(), width=1280)
    page.mouse.move(*cell(page, 3, 6))
    assert page.evaluate(VALUE)["token"] is None
    page.mouse.click(*cell(page, 3, 6))
    assert page.evaluate(VALUE)["pinned"] is False


def test_a_click_on_a_cell_pins_it_and_another_lets_go(open_figure: Callable[..., Page]) -> None:
    """While it is pinned, only the card tells of other cells."""
    page = open_figure(whole(), width=1280)
    page.mouse.click(*cell(page, 6, 3))
    page.mouse.move(*cell(page, 7, 2))
    value = page.evaluate(VALUE)
    assert (value["token"], value["to"], value["pinned"]) == (6, 3, True)
    assert "token.6_to.3" in page.url
    page.mouse.click(*cell(page, 6, 3))
    assert page.evaluate(VALUE)["pinned"] is False


def test_a_pin_is_heard_and_arrows_alone_press_nothing(open_figure: Callable[..., Page]) -> None:
    """A name is pressed while its row, its column or a cell of it is pinned; and the sentence says that it is."""
    page = open_figure(whole(), width=1280)
    heard = page.locator("#fig-it [aria-live]")
    pressed = page.locator("#fig-it .weights [aria-pressed=true]")
    page.locator("#fig-it [data-item][tabindex='0']").focus()
    for key in ("Home", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
        assert pressed.count() == 0
    page.keyboard.press("Enter")
    assert pressed.all_text_contents() == [" is", "London"]
    expect(heard).to_have_text(re.compile(r"of layer 15\. Pinned$"))
    page.keyboard.press("Escape")
    assert pressed.count() == 0
    expect(heard).not_to_contain_text("Pinned")


@pytest.mark.parametrize("pin", ["a row", "a column", "a cell"])
def test_the_card_stands_by_the_cell_it_tells_of(pin: str, open_figure: Callable[..., Page]) -> None:
    """Whatever is pinned meanwhile; a frame shows which it is."""
    page = open_figure(whole(), width=1280)
    if pin == "a cell":
        page.mouse.click(*cell(page, 12, 2))
    else:
        page.locator(f"#fig-it .weights-{'queries' if pin == 'a row' else 'keys'} > span").nth(2).click()
    for at in ((7, 3), (10, 5)):
        page.mouse.move(*cell(page, *at))
        x, y = cell(page, *at)
        card, frame = (page.locator(f"#fig-it {name}").bounding_box() for name in (".tip", ".matrix-look"))
        assert card
        assert frame
        assert (frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2) == pytest.approx((x, y), abs=1)
        assert card["x"] == pytest.approx(frame["x"] + frame["width"] + 8, abs=2)
        assert abs(card["y"] - frame["y"]) < 2
    page.mouse.move(5, 5)
    assert page.locator("#fig-it .matrix-look").is_hidden()
    assert page.evaluate(VALUE)["pinned"] is True


def test_a_tap_on_a_cell_pins_it(open_figure: Callable[..., Page]) -> None:
    """A finger has no hover."""
    page = open_figure(whole(), width=390, has_touch=True, is_mobile=True)
    page.touchscreen.tap(*cell(page, 6, 3))
    value = page.evaluate(VALUE)
    assert (value["token"], value["to"], value["pinned"]) == (6, 3, True)


def test_shades_are_the_roots_of_the_weights(open_figure: Callable[..., Page]) -> None:
    """The same everywhere: a cell of all of the attention has the colour of the scale's end."""
    page = open_figure(whole(), width=1280)
    page.wait_for_function("document.querySelector('#fig-it .readout').textContent.includes('Each row')")
    end = page.evaluate("""() => {
      const context = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d');
      const view = document.querySelector('#fig-it .view');
      view.style.color = 'var(--scale-high)';
      context.fillStyle = getComputedStyle(view).color;
      context.fillRect(0, 0, 1, 1);
      return [...context.getImageData(0, 0, 1, 1).data];
    }""")
    assert page.evaluate(COLOUR, [0, 0]) == end
    assert page.evaluate(COLOUR, [0, 5])[3] == 0
    weights = unpack_weights(whole()["data"]["weights"]).mean(0)
    faint, strong = sorted(((q, k) for q in range(2, 14) for k in range(1, q)), key=lambda at: weights[at])[:: 11 * 6]
    assert sum(page.evaluate(COLOUR, list(faint))) > sum(page.evaluate(COLOUR, list(strong)))


def test_keys_walk_rows_columns_and_cells(open_figure: Callable[..., Page]) -> None:
    """Up and down the rows, left and right in one, as far as it goes; from the first row up to the columns."""
    page = open_figure(whole(), width=1280)
    page.locator("#fig-it [data-item][tabindex='0']").focus()
    at = lambda: (page.evaluate(VALUE)["token"], page.evaluate(VALUE)["to"])  # noqa: E731
    steps = [
        ("Home", (0, None)), ("ArrowDown", (1, None)), ("ArrowRight", (1, 0)), ("ArrowRight", (1, 1)),
        ("ArrowRight", (1, 1)), ("ArrowDown", (2, 1)), ("ArrowUp", (1, 1)), ("ArrowUp", (0, 0)),
        ("ArrowLeft", (0, None)), ("ArrowUp", (None, 0)), ("ArrowRight", (None, 1)), ("End", (None, 13)),
        ("ArrowDown", (0, 0)), ("End", (13, 0)), ("ArrowLeft", (13, None)), ("ArrowLeft", (13, 13)),
    ]  # fmt: skip
    for key, expected in steps:
        page.keyboard.press(key)
        assert at() == expected, key
    page.keyboard.press("Enter")
    assert page.evaluate(VALUE)["pinned"] is True


def test_every_row_can_be_reached_where_names_have_no_room(open_figure: Callable[..., Page]) -> None:
    """Names that are thinned out are there for the keyboard."""
    page = open_figure(whole(), width=1280)
    page.add_style_tag(content="#fig-it .weights { --cell: 5px }")
    page.wait_for_function("document.querySelector('#fig-it [data-out]')")
    page.locator("#fig-it [data-item][tabindex='0']").focus()
    for row in (12, 11, 10, 9):
        page.keyboard.press("ArrowUp")
        assert page.evaluate(VALUE)["token"] == row
