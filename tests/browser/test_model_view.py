"""The model view: hundreds of heads on one canvas, compared, sorted, narrowed, and one of them drawn large."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from harness import Harness
from kinds import KINDS, example
from playwright.sync_api import Page, expect

from builder.quantised import pack_weights, unpack_weights

VALUE = "() => structuredClone(document.querySelector('#fig-it .view').value)"
CELLS = "#fig-it .board td[data-item]"
PAINTED = "document.querySelector('#fig-it .board')?.ariaBusy === 'false'"

HOVER = """async (times) => {
  const cells = document.querySelectorAll('#fig-it .board td[data-item]');
  const board = document.querySelector('#fig-it .board canvas').getContext('2d');
  let painted = 0;
  const put = CanvasRenderingContext2D.prototype.putImageData;
  CanvasRenderingContext2D.prototype.putImageData = function (...given) {
    painted += this === board;
    return put.apply(this, given);
  };
  const over = () => new PointerEvent('pointerover', { bubbles: true, pointerType: 'mouse' });
  for (let i = 0; i < times; i++) {
    cells[(i * 37) % cells.length].dispatchEvent(over());
    await new Promise(requestAnimationFrame);
  }
  CanvasRenderingContext2D.prototype.putImageData = put;
  return painted;
}"""
"""How often all heads are painted while a pointer moves over them."""

PIXEL = """([x, y]) => {
  const canvas = document.querySelector('#fig-it .board canvas');
  const box = canvas.getBoundingClientRect();
  const scale = canvas.width / box.width;
  const context = document.createElement('canvas').getContext('2d');
  context.drawImage(canvas, -Math.floor((x - box.left) * scale), -Math.floor((y - box.top) * scale));
  return [...context.getImageData(0, 0, 1, 1).data];
}"""


def part(weights: np.ndarray, *, causal: bool = True, dots: int = 1, **more: Any) -> dict[str, Any]:
    """Return a part of weights [layers, heads, queries, keys], as the analysis publishes it."""
    n_layers, n_heads, queries, keys = weights.shape
    flat = weights.reshape(-1, queries, keys)
    for axis in (1, 2):
        flat = np.maximum.reduceat(flat, range(0, flat.shape[axis], dots), axis=axis)
    table = np.arange(n_layers * n_heads).reshape(n_layers, n_heads)
    return {
        "queries": [0, queries],
        "keys": [0, keys],
        "causal": causal,
        "layers": list(range(n_layers)),
        "n_heads": n_heads,
        "windows": [None] * n_layers,
        "heads": list(range(n_heads)),
        "dots": [dots, dots],
        "thumbs": pack_weights(flat, triangle=causal),
        "stats": {
            "entropy": (table % 7 / 2).tolist(),
            "first": ((table * 37 % 100) / 100).tolist(),
            "induction": (table / table.size).tolist(),
        },
        **more,
    }


def attend(layers: int, heads: int, tokens: int) -> np.ndarray:
    """Return causal weights; a head looks as many tokens back as its number says, and at the first one."""
    weights = np.zeros((layers, heads, tokens, tokens))
    for h in range(heads):
        for q in range(tokens):
            weights[:, h, q, max(0, q - h)] = 0.75
            weights[:, h, q, 0] += 0.25
    return weights


def made(weights: np.ndarray, **more: Any) -> dict[str, Any]:
    """Return a result of one part, whose first layer is shown at first."""
    result = example("model_view")
    tokens = [{"text": f" t{i}", "id": i, "type": "input"} for i in range(weights.shape[2])]
    result["data"] |= {
        "tokens": tokens,
        "parts": {"self": part(weights, **more)},
        "shown": {"part": "self", "layer": 0, "head": 0},
        "weights": pack_weights(weights[0], triangle=True),
    }
    result.pop("pieces", None)
    return result


@pytest.fixture
def open_painted(open_figure: Callable[..., Page]) -> Callable[..., Page]:
    """Open a page with one figure, and wait until its heads are painted."""

    def open_painted(result: Any, **options: Any) -> Page:
        page = open_figure(result, **options)
        page.wait_for_function(PAINTED)
        return page

    return open_painted


def told(page: Page) -> str:
    """Return what the figure says."""
    return page.locator("#fig-it .readout p").first.text_content() or ""


def order(page: Page) -> list[int]:
    """Return the numbers of the heads in the order in which they stand."""
    return page.locator(CELLS).evaluate_all("cells => cells.map((cell) => Number(cell.dataset.item))")


@pytest.mark.parametrize("display", ["matrix", "lines"])
def test_a_pointer_over_270_heads_paints_none_of_them_anew(display: str, open_painted: Callable[..., Page]) -> None:
    """They are painted once; what is selected is framed over them."""
    noise = np.random.default_rng(0).dirichlet(np.full(100, 0.1), size=(30, 9, 100))
    weights = np.tril(noise) / np.maximum(np.tril(noise).sum(-1, keepdims=True), 1e-9)
    result = made(weights, dots=4)
    result["data"]["display"] = display
    page = open_painted(result, width=1280, height=900)
    assert page.locator(CELLS).count() == 270
    assert page.evaluate(HOVER, 30) == 0


def test_a_picture_is_the_weights_of_its_head(open_painted: Callable[..., Page]) -> None:
    """Dark where the weight is, the weakest shade where none is, and nothing where a token would look ahead."""
    page = open_painted(made(attend(3, 4, 8)), width=1280)
    for index in (2, 7):  # heads that look two and three tokens back
        box = page.locator(CELLS).nth(index).bounding_box()
        assert box

        def at(q: int, k: int, box: Any = box) -> list[int]:
            return page.evaluate(
                PIXEL, [box["x"] + (k + 0.5) * box["width"] / 8, box["y"] + (q + 0.5) * box["height"] / 8]
            )

        back = index % 4
        strong, weak, first = at(6, 6 - back), at(6, 5), at(6, 0)
        assert sum(strong[:3]) < sum(first[:3]) < sum(weak[:3])
        assert strong[3] == weak[3] == 255
        assert at(2, 6)[3] == 0


def test_a_single_strong_weight_is_not_lost(open_painted: Callable[..., Page]) -> None:
    """Where a picture has fewer pixels than dots, a pixel shows the darkest of those it stands for."""
    weights = np.zeros((1, 12, 32, 32))
    weights[..., 0] = 1.0
    weights[0, 5, 20, [0, 7]] = 0.0, 1.0
    page = open_painted(made(weights), width=360)
    box = page.locator(CELLS).nth(5).bounding_box()
    assert box
    assert box["width"] < 32
    darkest = min(
        sum(
            page.evaluate(
                PIXEL, [box["x"] + (7.5 / 32) * box["width"] + dx, box["y"] + (20.5 / 32) * box["width"] + dy]
            )[:3]
        )
        for dx in (-1, 0, 1)
        for dy in (-1, 0, 1)
    )
    assert darkest == sum(page.evaluate(PIXEL, [box["x"] + 1.5, box["y"] + box["height"] / 2])[:3])


def test_a_head_is_told_in_words(open_painted: Callable[..., Page]) -> None:
    """The numbers are those of the data, and the head is drawn large beside the others."""
    page = open_painted(made(attend(3, 4, 8)), width=1280)
    page.locator(CELLS).nth(6).hover()
    assert told(page) == "Layer 1 head 2: entropy 3.00 nats, 22% on the first token, induction 0.50"
    assert page.locator(".large-title").text_content() == "Layer 1 head 2"
    assert page.evaluate(VALUE)["pinned"] is False
    board, large = (page.locator(f"#fig-it {name}").bounding_box() for name in (".board", ".large"))
    assert board
    assert large
    assert large["x"] >= board["x"] + board["width"]
    assert abs(large["y"] - board["y"]) < 2


def test_a_pinned_head_has_its_own_weights(open_painted: Callable[..., Page]) -> None:
    """Pictures of many tokens are coarse: the layer's weights are fetched once a head is pinned, and only then."""
    result = example("model_view")
    part = result["data"]["parts"]["self"]
    thumbs = unpack_weights(part["thumbs"])
    coarse = np.maximum.reduceat(np.maximum.reduceat(thumbs, range(0, 14, 2), axis=1), range(0, 14, 2), axis=2)
    part |= {"thumbs": pack_weights(coarse, triangle=True), "dots": [2, 2]}
    page = open_painted(result, width=1280)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    cell = page.locator(CELLS).nth(9 * 11 + 1)
    cell.hover()
    words = page.locator("#fig-it .large .readout p").first
    assert words.text_content() == "Pin the head to read its weights."
    assert asked == []
    cell.click()
    page.locator("#fig-it .large .readout p", has_text="Point at the picture").first.wait_for()
    assert asked == ["self-11.json"]
    plot = page.locator("#fig-it .weights-plot")
    box = plot.bounding_box()
    assert box
    plot.hover(position={"x": box["width"] * 5.5 / 14, "y": box["height"] * 6.5 / 14})
    piece = json.loads((KINDS["model_view"].folder / "example" / "self-11.json").read_text(encoding="utf-8"))
    weight = unpack_weights(piece["weights"])[1, 6, 5]
    assert words.text_content() == f" is attends to  Paris: {weight:.0%}"
    page.locator(CELLS).nth(9 * 11 + 2).click()
    assert asked == ["self-11.json"]


def test_exact_pictures_need_no_more(open_painted: Callable[..., Page]) -> None:
    """Of a short text the picture holds all weights already."""
    page = open_painted("model_view", width=1280)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator(CELLS).nth(40).click()
    page.locator("#fig-it .large .readout p", has_text="Point at the picture").first.wait_for()
    assert asked == []


def test_weights_that_cannot_be_fetched_are_missed(open_page: Callable[..., Page], harness: Harness) -> None:
    """The coarse picture stays, and the figure says so."""
    address = harness.write("model-view-lost", {"fig-it": made(attend(2, 2, 40), dots=2)})
    page = open_page(address, broken=True)
    page.wait_for_function(PAINTED)
    page.locator(CELLS).nth(3).click()
    page.locator("#fig-it .large .readout p", has_text="The weights of layer 1 could not be loaded.").first.wait_for()


def test_the_weights_of_a_head_are_walked_with_the_keyboard(open_painted: Callable[..., Page]) -> None:
    """Arrows go from weight to weight; Escape leads back to the board."""
    page = open_painted(made(attend(2, 3, 8)), width=1280)
    page.locator(CELLS).nth(2).click()
    page.locator("#fig-it .weights-plot").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    words = page.locator("#fig-it .large .readout p").first
    assert words.text_content() == " t3 attends to  t1: 75%"
    page.keyboard.press("ArrowRight")
    assert words.text_content() == " t3 attends to  t2: <0.2%"
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    assert words.text_content() == " t3 attends to  t4: it comes later"
    page.keyboard.press("Escape")
    assert page.evaluate(VALUE)["pinned"] is False
    assert page.evaluate("document.activeElement.matches('.board td')")


def test_a_picture_that_has_not_come_is_passed_over(open_painted: Callable[..., Page]) -> None:
    """By the keyboard and by the pointer: nothing to tell is no error."""
    page = open_painted(made(attend(2, 3, 8)), width=1280)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.evaluate("""async () => {
      const figure = document.querySelector("#fig-it");
      const view = new URL(figure.dataset.view, document.baseURI);
      const { weights } = await import(new URL("../shared/weights.js", view));
      const { element } = weights({ queries: ["a", "b"], keys: ["a", "b"] });
      figure.append(element);
      const plot = element.querySelector(".weights-plot");
      plot.focus();
      plot.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", cancelable: true }));
      plot.dispatchEvent(new PointerEvent("pointermove", { pointerType: "mouse", clientX: 1, clientY: 1 }));
      plot.blur();
    }""")
    assert not errors


def test_lines_lead_from_left_to_right(open_painted: Callable[..., Page]) -> None:
    """A token at the left tells what it attends to, one at the right where it gets attention from."""
    page = open_painted(made(attend(2, 3, 8)), width=1280)
    before = page.locator("#fig-it .board canvas").screenshot()
    page.get_by_label("lines").check()
    assert page.evaluate(VALUE)["display"] == "lines"
    assert page.locator("#fig-it .board canvas").screenshot() != before
    page.locator(CELLS).nth(2).click()
    plot = page.locator("#fig-it .weights-plot")
    box = plot.bounding_box()
    assert box
    words = page.locator("#fig-it .large .readout p").first
    plot.hover(position={"x": 5, "y": box["height"] * 5.5 / 8})
    assert words.text_content() == " t5 attends most to  t3 75%,  t0 25%"
    plot.hover(position={"x": box["width"] - 5, "y": box["height"] * 3.5 / 8})
    assert words.text_content() == " t3 gets most from  t5 75%"
    page.get_by_label("matrix").check()
    page.locator(CELLS).nth(2).click()
    page.mouse.move(0, 0)
    assert page.locator("#fig-it .board canvas").screenshot() == before


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


def test_the_canvas_follows_the_theme_and_the_screen(open_painted: Callable[..., Page]) -> None:
    """Painted anew for dark paper, and with every pixel of a fine screen."""
    page = open_painted(made(attend(3, 4, 8)), width=1280, device_scale_factor=2, color_scheme="light")
    canvas = page.locator("#fig-it .board canvas")
    width, css = canvas.evaluate("c => [c.width, c.getBoundingClientRect().width]")
    assert abs(width - 2 * css) <= 1
    light = base64.b64encode(canvas.screenshot())
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(100)
    assert base64.b64encode(canvas.screenshot()) != light
