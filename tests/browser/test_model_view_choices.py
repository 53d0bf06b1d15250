"""The model view: heads are compared, sorted, narrowed and chosen, by readers, by prose and by other figures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from model_views import CELLS, PAINTED, PIXEL, VALUE, attend, made, order, part, told
from playwright.sync_api import Page, expect


def test_heads_are_sorted_by_what_is_compared(open_painted: Callable[..., Page]) -> None:
    """All of them in one order, best first, and back to layers and heads; arrows follow the order."""
    result = made(attend(3, 4, 8))
    page = open_painted(result, width=1280)
    page.get_by_label("Order").select_option("highest first")
    value = page.evaluate(VALUE)
    assert (value["order"], value["measure"]) == ("high", "induction")
    assert order(page) == list(range(11, -1, -1))
    page.get_by_label("Compare by").select_option("first token")
    first = np.array(result["data"]["parts"]["self"]["stats"]["first"]).reshape(-1)
    assert order(page) == np.argsort(-first, kind="stable").tolist()
    page.get_by_label("Order").select_option("lowest first")
    assert order(page) == np.argsort(first, kind="stable").tolist()
    page.locator("#fig-it .board [tabindex='0']").focus()
    page.keyboard.press("Control+Home")
    page.keyboard.press("ArrowRight")
    assert int(page.evaluate("document.activeElement.dataset.item")) == order(page)[1]
    page.keyboard.press("Control+End")
    assert int(page.evaluate("document.activeElement.dataset.item")) == order(page)[-1]
    rows = page.locator("#fig-it .board tr")
    page.set_viewport_size({"width": 320, "height": 800})
    expect(rows).not_to_have_count(1)
    assert int(page.evaluate("document.activeElement.dataset.item")) == order(page)[-1], "the place is kept"
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(rows).to_have_count(1)
    page.get_by_label("Compare by").select_option("nothing")
    assert page.evaluate(VALUE)["order"] == "grid"
    assert order(page) == list(range(12))
    assert page.locator("#fig-it .board tbody th").all_text_contents() == ["layer 0", "1", "2"]


def test_rows_and_columns_are_narrowed(open_painted: Callable[..., Page]) -> None:
    """To some layers and some heads; sorting keeps to them, and the address keeps them."""
    page = open_painted(made(attend(5, 4, 8)), width=1280)
    page.get_by_label("first of the layers").select_option("2")
    page.get_by_label("last of the layers").select_option("3")
    page.get_by_label("first of the heads").select_option("1")
    page.get_by_label("last of the heads").select_option("2")
    assert order(page) == [9, 10, 13, 14]
    page.get_by_label("Order").select_option("highest first")
    assert order(page) == [14, 13, 10, 9]
    page.locator(CELLS).first.click()
    value = page.evaluate(VALUE)
    assert (value["layers"], value["heads"], value["layer"], value["head"]) == ("2-3", "1-2", 3, 2)
    page.reload()
    page.wait_for_function(PAINTED)
    assert page.evaluate(VALUE) == value
    assert order(page) == [14, 13, 10, 9]
    page.get_by_label("last of the layers").select_option("0")
    assert page.evaluate(VALUE)["layers"] == "0-0"
    assert page.locator("#fig-it .board [tabindex='0']").count() == 1


def test_on_a_phone_a_head_unfolds_under_its_row(open_painted: Callable[..., Page]) -> None:
    """Nine columns fit; the large head stands between the pinned row and the next, and folds away."""
    page = open_painted("model_view", width=360, height=740, has_touch=True, is_mobile=True)
    board = page.locator("#fig-it .board")
    assert board.evaluate("e => e.scrollWidth <= e.clientWidth")
    height = page.locator("#fig-it .view").bounding_box()
    cell = page.locator(CELLS).nth(31)
    cell.tap()
    large, own = page.locator("#fig-it .large").bounding_box(), cell.bounding_box()
    below = page.locator(CELLS).nth(31 + 9).bounding_box()
    assert own
    assert large
    assert below
    assert own["y"] + own["height"] <= large["y"]
    assert large["y"] + large["height"] <= below["y"]
    assert large["x"] + large["width"] <= 360
    assert page.evaluate(PIXEL, [below["x"] + 2, below["y"] + below["height"] - 3])[3] == 255  # painted where it is now
    cell.tap()
    assert page.locator("#fig-it .scene > .large").count() == 1
    assert page.locator("#fig-it .view").bounding_box() == height


def test_many_heads_scroll_under_the_names_of_layers(open_painted: Callable[..., Page]) -> None:
    """Sixteen columns are wider than a phone; the page itself does not scroll."""
    page = open_painted(made(attend(2, 16, 6)), width=360)
    board = page.locator("#fig-it .board")
    assert board.evaluate("e => e.scrollWidth > e.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    name = page.locator("#fig-it .board tbody th").first
    before = name.bounding_box()
    board.evaluate("e => (e.scrollLeft = 100)")
    assert name.bounding_box() == before


def test_sliding_windows_are_named(open_painted: Callable[..., Page]) -> None:
    """Beside their layers, and in words."""
    page = open_painted(made(attend(2, 3, 8), windows=[4, None]), width=1280)
    assert page.locator("#fig-it .board tbody th").all_text_contents() == ["layer 0window 4", "1"]
    page.locator(CELLS).first.hover()
    assert told(page).startswith("Layer 0 head 0, a window of 4 tokens: entropy")


def test_a_layer_can_be_chosen(open_painted: Callable[..., Page]) -> None:
    """By its name: then the figure tells what its heads do on average, and a linked figure shows it."""
    page = open_painted(made(attend(3, 4, 8)), width=1280)
    page.locator("#fig-it .board tbody th").nth(1).click()
    value = page.evaluate(VALUE)
    assert (value["layer"], value["head"], value["pinned"]) == (1, None, True)
    words = "Layer 1, all heads on average: entropy 1.88 nats, 54% on the first token, induction 0.46"
    assert told(page) == f"{words}pinned"


def test_a_layer_is_chosen_with_the_keyboard(open_painted: Callable[..., Page]) -> None:
    """Left of its first head is its name; Enter pins it, and a screen reader knows which name or picture is pinned."""
    page = open_painted(made(attend(3, 4, 8)), width=1280)
    selected = page.locator("#fig-it [aria-selected=true]")
    page.locator("#fig-it .board [tabindex='0']").focus()
    steps = [
        ("ArrowRight", (0, 1)), ("ArrowLeft", (0, 0)), ("ArrowLeft", (0, None)), ("ArrowLeft", (0, None)),
        ("ArrowDown", (1, None)), ("ArrowRight", (1, 0)), ("Home", (1, 0)), ("ArrowLeft", (1, None)),
    ]  # fmt: skip
    for key, place in steps:
        page.keyboard.press(key)
        value = page.evaluate(VALUE)
        assert (value["layer"], value["head"], value["pinned"]) == (*place, False), key
    assert told(page).startswith("Layer 1, all heads on average: ")
    assert page.locator("#fig-it .board [tabindex='0']").count() == 1
    assert selected.count() == 0
    page.keyboard.press("Enter")
    assert page.evaluate(VALUE) == {**value, "pinned": True}
    assert selected.all_text_contents() == ["1"]
    page.reload()
    page.wait_for_function(PAINTED)
    assert page.evaluate(VALUE) == {**value, "pinned": True}
    page.locator(CELLS).nth(6).click()
    assert selected.get_attribute("data-item") == "6"
    assert selected.count() == 1
    page.locator(CELLS).nth(6).press("Escape")
    assert selected.count() == 0


def test_without_rows_there_are_no_names_to_walk_to(open_painted: Callable[..., Page]) -> None:
    """Sorted, all heads are one line after another."""
    page = open_painted(made(attend(3, 4, 8)), width=1280)
    page.locator("#fig-it .board [tabindex='0']").focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_label("Order").select_option("highest first")
    page.locator("#fig-it .board [tabindex='0']").focus()
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
        assert int(page.evaluate("document.activeElement.dataset.item")) == order(page)[0]


def test_on_a_phone_nothing_unfolds_under_a_layer(open_painted: Callable[..., Page]) -> None:
    """There is no one head to draw large in the table."""
    page = open_painted(made(attend(3, 4, 8)), width=360, has_touch=True, is_mobile=True)
    page.locator("#fig-it .board tbody th").nth(1).tap()
    assert page.evaluate(VALUE)["pinned"]
    assert page.locator("#fig-it .unfolded").count() == 0
    assert page.locator("#fig-it .scene > .large").count() == 1


def test_prose_and_other_figures_can_point_at_heads(open_painted: Callable[..., Page]) -> None:
    """`show` is as hovering, with `pin` as a click; `follow` selects and tells nobody."""
    page = open_painted(made(attend(3, 4, 8)), width=1280)
    page.evaluate("""() => {
      window.inputs = 0;
      window.view = document.querySelector('#fig-it .view');
      view.addEventListener('input', () => window.inputs++);
    }""")
    before, value = told(page), page.evaluate(VALUE)
    page.evaluate("view.show({ head: '1.2' })")
    assert told(page).startswith("Layer 1 head 2:")
    assert page.evaluate(VALUE) == value
    page.evaluate("view.show(null)")
    assert told(page) == before
    page.evaluate("view.show({ layer: 2 })")
    assert told(page).startswith("Layer 2, all heads on average")
    page.evaluate("view.show({ head: '1.2' }, { pin: true })")
    assert page.evaluate(VALUE) == {**value, "layer": 1, "head": 2, "pinned": True}
    assert page.evaluate("inputs") == 1
    page.evaluate("view.follow({ part: 'self', layer: 2, head: 1, token: 3 })")
    assert page.evaluate(VALUE) == {**value, "layer": 2, "head": 1}
    page.evaluate("view.follow({ layer: 7, head: 1 })")
    assert page.evaluate(VALUE)["layer"] is None
    assert page.evaluate("inputs") == 1


def test_parts_of_an_encoder_decoder_are_chosen(open_painted: Callable[..., Page]) -> None:
    """Each has its own heads and its own measures; across two texts there is no distance."""
    result = made(attend(2, 3, 8))
    data = result["data"]
    rectangle = np.full((1, 2, 3, 5), 0.2)
    cross = part(rectangle, causal=False, queries=[5, 8], keys=[0, 5])
    del cross["stats"]["induction"]
    data["parts"] = {"decoder": data["parts"]["self"], "cross": cross}
    data["shown"]["part"] = "decoder"
    page = open_painted(result, width=1280)
    page.get_by_label("Compare by").select_option("induction")
    page.get_by_role("radio", name="decoder").press("ArrowRight")
    page.wait_for_function(PAINTED)
    expect(page.get_by_role("radio", name="cross")).to_be_focused()
    value = page.evaluate(VALUE)
    assert (value["part"], value["measure"]) == ("cross", "none")
    assert order(page) == [0, 1]
    page.locator(CELLS).nth(1).hover()
    assert told(page) == "Layer 0 head 1: entropy 0.50 nats, 37% on the first token"
    names = page.locator("#fig-it .weights-queries > span").all_text_contents()
    assert names == [" t5", " t6", " t7"]
    page.evaluate("document.querySelector('#fig-it .view').follow({ part: 'decoder', layer: 1, head: 2 })")
    assert page.evaluate(VALUE)["part"] == "decoder"
    expect(page.get_by_role("radio", name="decoder")).to_be_checked()
