"""The model view: hundreds of heads on one canvas, and one of them drawn large."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from harness import Harness
from kinds import KINDS, example
from model_views import CELLS, PAINTED, PIXEL, VALUE, attend, made, told
from playwright.sync_api import Page, expect

from builder.quantised import pack_weights, unpack_weights

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
    for heard_or_seen in page.locator("#fig-it .large .readout p").all():
        expect(heard_or_seen).to_have_text("The weights of layer 1 could not be loaded.")


def test_a_picture_speaks_of_what_is_pointed_at_alone(open_painted: Callable[..., Page]) -> None:
    """How it is read stands there to see; said after every head, it would be in the way of what is said of the head."""
    page = open_painted(made(attend(2, 3, 8)), width=1280)
    seen, heard = page.locator("#fig-it .large .readout p").all()
    page.locator(CELLS).nth(2).click()
    expect(seen).to_have_text("Point at the picture to read its weights.")
    expect(heard).to_be_empty()
    page.locator("#fig-it .weights-plot").focus()
    page.keyboard.press("ArrowRight")
    expect(heard).to_have_text("‘ t0’ attends to ‘ t0’: 100%")
    page.keyboard.press("Shift+Tab")
    expect(heard).to_be_empty()


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
