"""The attention matrix: cells, rows and columns say what the data say, by mouse, touch and keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from kinds import example
from playwright.sync_api import Page

from builder.numerals import shown_value
from builder.quantised import unpack_weights

VALUE = "() => structuredClone(document.querySelector('#fig-it .view').value)"
PLOT = "#fig-it .weights-plot"
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


def test_a_cell_tells_who_looks_at_whom_and_how_much(open_figure: Callable[..., Page]) -> None:
    """In the sentence and on a card; the row, the column and both names are marked."""
    result = whole(head=2)
    page = open_figure(result, width=1280)
    weight = unpack_weights(result["data"]["weights"])[2, 6, 3]
    page.mouse.move(*cell(page, 6, 3))
    value = page.evaluate(VALUE)
    assert value == {"part": "self", "layer": 15, "head": 2, "first": True, "token": 6, "to": 3, "pinned": False}
    share = shown_value(float(weight), "percent")
    assert told(page) == f" is 6 looks at  England 3: {share} of its attention in head 2 of layer 15."
    assert (page.locator("#fig-it .tip").text_content() or "").startswith(share)
    assert page.locator("#fig-it .matrix-line:visible").count() == 2
    assert page.locator("#fig-it .weights [aria-pressed=true]").all_text_contents() == [" is", " England"]
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


def test_another_head_or_layer_is_shown_in_place(open_figure: Callable[..., Page]) -> None:
    """A layer is fetched once; of the mean over all layers there is one, so heads cannot be chosen."""
    page = open_figure(whole(), width=1280)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    page.mouse.click(*cell(page, 6, 3))
    layer, head = page.get_by_label("Layer"), page.get_by_label("Head")
    for number in ("3", "15", "3"):
        layer.select_option(number)
        page.wait_for_function(
            "(n) => document.querySelector('#fig-it .readout').textContent.includes(`layer ${n}`)", arg=number
        )
    assert asked == ["self-3.json"]
    head.select_option("8")
    page.wait_for_function("document.querySelector('#fig-it .readout').textContent.includes('head 8 of layer 3')")
    value = page.evaluate(VALUE)
    assert (value["layer"], value["head"], value["token"], value["to"]) == (3, 8, 6, 3)
    layer.select_option("mean")
    page.wait_for_function("document.querySelector('#fig-it .readout').textContent.includes('all heads and layers')")
    assert head.is_disabled()
    value = page.evaluate(VALUE)
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert page.evaluate(VALUE) == value
    assert (value["layer"], value["head"]) == ("mean", "mean")


def test_a_layer_that_cannot_be_fetched_is_said(open_page: Callable[..., Page], harness: Any) -> None:
    """The figure stays, and shows it once it comes."""
    page = open_page(harness.write("matrix-lost", {"fig-it": whole()}), without="**/self-3.json")
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    page.get_by_label("Layer").select_option("3")
    page.locator("#fig-it .readout p", has_text="Layer 3 could not be loaded.").first.wait_for()
    page.get_by_label("Layer").select_option("15")
    page.locator("#fig-it .readout p", has_text="heads of layer 15").first.wait_for()


def test_the_first_token_can_be_left_out(open_figure: Callable[..., Page]) -> None:
    """The rest of each row adds up to 100% again, and the column is crossed out."""
    result = whole(head=2)
    page = open_figure(result, width=1280)
    row = unpack_weights(result["data"]["weights"])[2, 6]
    page.get_by_label("Leave out the first token").check()
    page.mouse.move(*cell(page, 6, 3))
    assert f": {shown_value(float(row[3] / row[1:].sum()), 'percent')} of its attention" in told(page)
    assert page.evaluate(VALUE)["first"] is False
    assert page.locator("#fig-it .matrix-out").is_visible()


def test_it_follows_other_views_and_says_nothing(open_figure: Callable[..., Page]) -> None:
    """Part, layer, head and token, as far as they are known; nothing is pinned, no `input` comes."""
    page = open_figure(whole(), width=1280)
    page.evaluate("document.querySelector('#fig-it').addEventListener('input', () => (window.heard = true))")
    follow = "(to) => document.querySelector('#fig-it .view').follow(to)"
    page.evaluate(follow, {"part": "self", "layer": 3, "head": 4, "token": 5})
    value = page.evaluate(VALUE)
    assert value == {"part": "self", "layer": 3, "head": 4, "first": True, "token": 5, "to": None, "pinned": False}
    page.wait_for_function("document.querySelector('#fig-it .readout').textContent.includes('head 4 of layer 3')")
    page.evaluate(follow, {"part": "cross", "layer": 99, "head": None, "token": 99})
    value = page.evaluate(VALUE)
    assert (value["layer"], value["head"], value["token"]) == (3, "mean", None)
    assert page.evaluate("window.heard") is None


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"token": 5}, " Paris 5 looks most at"),
        ({"layer": "self.4"}, "in the mean of the 9 heads of layer 4."),
        ({"head": "self.4.7"}, "in head 7 of layer 4."),
    ],
)
def test_prose_can_point_at_tokens_layers_and_heads(
    part: dict[str, Any], words: str, open_figure: Callable[..., Page]
) -> None:
    """Pointing is transient; with `pin` a token is pinned, a layer or a head is chosen."""
    page = open_figure(whole(), width=1280)
    before = page.evaluate(VALUE)
    show = "([part, options]) => document.querySelector('#fig-it .view').show(part, options)"
    page.evaluate(show, [part, {}])
    assert words in told(page)
    assert page.evaluate(VALUE) == before
    page.evaluate(show, [None, {}])
    assert "of layer 15" in told(page)
    page.evaluate(show, [part, {"pin": True}])
    assert words in told(page)
    assert page.evaluate(VALUE) != before
