"""The activations figure: thousands of neurons on canvas, zoomed, ordered, isolated and read cell by cell."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest
from kinds import KINDS, example
from large import large_activations
from playwright.sync_api import Page
from work import work_of

VALUE = "() => structuredClone(document.querySelector('#fig-it .view').value)"
CANVAS = "#fig-it .plot td canvas"


def cell(page: Page, token: int, share: float) -> tuple[float, float]:
    """Return the point of the canvas in a token's column, at a share of its height."""
    box = page.locator(CANVAS).bounding_box()
    head = page.locator("#fig-it thead th").nth(token + 1).bounding_box()
    assert box
    assert head
    return head["x"] + head["width"] / 2, box["y"] + share * box["height"]


def pixel(page: Page, token: int, share: float) -> list[int]:
    """Return the colour that is painted there, once fonts have come and what was asked for is drawn."""
    page.evaluate("""async () => {
      await document.fonts.ready;
      for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    }""")
    x, y = cell(page, token, share)
    return page.evaluate(
        """([selector, x, y]) => {
          const canvas = document.querySelector(selector);
          const box = canvas.getBoundingClientRect();
          const scale = canvas.width / box.width;
          const context = document.createElement('canvas').getContext('2d');
          context.drawImage(canvas, -Math.floor((x - box.left) * scale), -Math.floor((y - box.top) * scale));
          return [...context.getImageData(0, 0, 1, 1).data];
        }""",
        [CANVAS, x, y],
    )


def test_a_large_layer_is_painted_once_or_not_at_all(open_figure: Callable[..., Page]) -> None:
    """3,072 × 200 cells: a zoom and an isolated cluster paint a strip a token, each once; a hover paints nothing."""
    page = open_figure(large_activations(3072, 200), width=1280, height=1000)
    once = 600  # a strip a token and up to 330 calls for the names beside them; twice is 786 for a zoom
    zoom = work_of(page, "#fig-it .zoom button", "click", times=24, apart=1)
    assert 200 < zoom.strokes < once
    isolated = work_of(page, "#fig-it tbody th:not(.plot th)", "click", times=24, apart=1)
    assert 200 < isolated.strokes < once
    hover = work_of(page, CANVAS, "pointermove")
    assert hover.strokes == 0
    assert hover.writes < 20
    assert hover.layouts < 4


def test_the_canvas_has_every_pixel_of_the_screen(open_figure: Callable[..., Page]) -> None:
    """Sharp on screens of two pixels a px."""
    page = open_figure("activations", device_scale_factor=2)
    width, css = page.locator(CANVAS).evaluate("c => [c.width, c.getBoundingClientRect().width]")
    assert abs(width - 2 * css) <= 1


def test_clusters_are_blocks_that_fire_in_their_columns(open_figure: Callable[..., Page]) -> None:
    """Cluster g of three fires at every third token; the rows are sorted by cluster at first."""
    page = open_figure(large_activations(tokens=12), width=1280)
    for token in (4, 5, 6):
        darkness = [sum(pixel(page, token, (group + 0.5) / 3)[:3]) for group in range(3)]
        assert darkness.index(min(darkness)) == token % 3
        assert min(darkness) < sorted(darkness)[1] - 60


def test_a_row_of_means_isolates_its_cluster(open_figure: Callable[..., Page]) -> None:
    """Its neurons keep their colours, the others fade; Escape brings them back."""
    page = open_figure(large_activations(tokens=12), width=1280)
    before = [pixel(page, token, 0.5) for token in (4, 6)]
    other = pixel(page, 5, 5 / 6)
    page.locator("#fig-it tbody th").nth(1).click()
    value = page.evaluate(VALUE)
    assert (value["cluster"], value["position"], value["pinned"]) == (2, None, True)
    assert [pixel(page, token, 0.5) for token in (4, 6)] == before
    assert sum(pixel(page, 5, 5 / 6)[:3]) > sum(other[:3]) + 100
    page.keyboard.press("Escape")
    assert pixel(page, 5, 5 / 6) == other


def test_a_cell_tells_neuron_token_and_value(open_figure: Callable[..., Page]) -> None:
    """Zoomed to single rows, the card and the sentence say what the data say."""
    result = large_activations(30, 8)
    page = open_figure(result, width=1280)
    for _ in range(2):
        page.get_by_label("Zoom in").click()
    page.mouse.move(*cell(page, 4, 0.3))
    value = page.evaluate(VALUE)
    assert (value["position"], value["pinned"]) == (4, False)
    package = KINDS["activations"].analysis.__name__.rpartition(".")[0]  # type: ignore[attr-defined]
    number = importlib.import_module(f"{package}.cells").decode(result["data"]["sheet"])[4, value["neuron"]]
    text = page.locator("#fig-it .readout p").first.text_content() or ""
    assert text == (page.locator("#fig-it .tip").text_content() or "")
    assert f"Neuron {value['neuron']} of layer 0, cluster {value['cluster']} at  t4 position 4: " in text
    assert float(text.rpartition(": ")[2]) == pytest.approx(number, rel=0.01)


def test_the_strongest_of_the_rows_that_share_a_pixel_is_the_one_that_is_told(open_figure: Callable[..., Page]) -> None:
    """Nothing is lost by drawing 3,072 rows on 320 pixels: each shows its strongest, and names it."""
    page = open_figure(large_activations(3072, 8), width=1280)
    page.mouse.move(*cell(page, 4, 0.5))
    told = page.locator("#fig-it .readout p").first.text_content() or ""
    assert float(told.rpartition(": ")[2]) > 1.5


def test_keys_walk_the_cells_and_zoom(open_figure: Callable[..., Page]) -> None:
    """Plus and minus zoom; arrows go from cell to cell and keep them in sight; Enter pins, Escape lets go."""
    page = open_figure(large_activations(300, 8), width=1280)
    plot = page.locator("#fig-it .plot [role=application]")
    plot.focus()
    for _ in range(6):
        page.keyboard.press("+")
    rows = "e => [e.scrollTop, e.scrollHeight]"
    height = plot.evaluate(rows)[1]
    assert height == pytest.approx(300 * 16, abs=2)  # single rows, and no further
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    first = page.evaluate(VALUE)
    assert first["position"] == 1
    assert isinstance(first["neuron"], int)
    for _ in range(40):
        page.keyboard.press("ArrowDown")
    top = plot.evaluate(rows)[0]
    frame = page.locator("#fig-it .plot i").nth(1).bounding_box()
    box = plot.bounding_box()
    assert frame
    assert box
    assert box["y"] - 2 <= frame["y"] <= box["y"] + box["height"]
    page.keyboard.press("Enter")
    assert page.evaluate(VALUE)["pinned"] is True
    page.keyboard.press("Escape")
    assert page.evaluate(VALUE)["neuron"] is None
    assert plot.evaluate(rows)[0] == top
    for _ in range(6):
        page.keyboard.press("-")
    assert plot.evaluate(rows)[1] < height / 8


def test_the_wheel_zooms_with_ctrl_and_scrolls_without(open_figure: Callable[..., Page]) -> None:
    """As a pinch on a touch pad does; around the row under the pointer. All rows in sight, the page scrolls."""
    page = open_figure(large_activations(3072, 8), width=1280)
    plot = page.locator("#fig-it .plot [role=application]")
    page.mouse.move(*cell(page, 4, 0.25))
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Control")
    page.wait_for_function("document.querySelector('#fig-it .plot [role=application]').scrollHeight > 1000")
    top, height = plot.evaluate("e => [e.scrollTop, e.scrollHeight]")
    assert (top + 80) / height == pytest.approx(0.25, abs=0.01)
    page.mouse.wheel(0, 100)
    page.wait_for_function(
        "(top) => document.querySelector('#fig-it .plot [role=application]').scrollTop > top", arg=top
    )


def test_a_tap_on_a_cell_pins_it(open_figure: Callable[..., Page]) -> None:
    """And another lets go; a finger that moves scrolls."""
    page = open_figure(large_activations(60, 8), width=390, has_touch=True, is_mobile=True)
    page.locator(CANVAS).scroll_into_view_if_needed()
    page.touchscreen.tap(*cell(page, 3, 0.5))
    value = page.evaluate(VALUE)
    assert (value["position"], value["pinned"]) == (3, True)
    page.touchscreen.tap(*cell(page, 3, 0.5))
    assert page.evaluate(VALUE)["pinned"] is False


def test_negatives_are_fetched_when_they_are_asked_for(open_figure: Callable[..., Page]) -> None:
    """And drawn in the colour of the diverging scale; then a negative number can be read."""
    page = open_figure("activations", width=1280)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    positive = page.locator(CANVAS).screenshot()
    page.get_by_label("Show negatives too").check()
    page.wait_for_function("document.querySelector('#fig-it .legend').classList.contains('is-signed')")
    assert [url.rpartition("/")[2] for url in asked] == ["layer-4-rest.json"]
    assert page.locator(CANVAS).screenshot() != positive
    page.get_by_label("Show negatives too").uncheck()
    page.wait_for_function("!document.querySelector('#fig-it .legend').classList.contains('is-signed')")
    assert page.locator(CANVAS).screenshot() == positive


def test_another_layer_is_fetched_once(open_figure: Callable[..., Page]) -> None:
    """With its clusters and its scale; the address keeps it with what is pinned there."""
    page = open_figure("activations", width=1280)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    names = page.locator("#fig-it tbody th")
    before = names.all_text_contents()
    for layer in ("20", "4", "20"):
        page.get_by_label(layer, exact=True).check()
        page.wait_for_function("document.querySelector('#fig-it [role=application]').ariaBusy === 'false'")
    assert len(asked) == 1
    sizes = [cluster["size"] for cluster in example("activations")["data"]["layers"][1]["clusters"]]
    assert names.all_text_contents() != before
    assert names.nth(1).text_content() == f"2 · {sizes[1]}"
    names.nth(1).click()
    assert page.evaluate(VALUE)["layer"] == 20
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert page.evaluate(VALUE) == {
        "layer": 20, "order": "cluster", "cluster": 2, "position": None, "neuron": None, "pinned": True,
    }  # fmt: skip


def test_a_layer_that_cannot_be_fetched_is_said(open_page: Callable[..., Page], harness: Any) -> None:
    """The rest of the figure stays as it is."""
    address = harness.write("activations-lost", {"fig-it": example("activations")})
    page = open_page(address, without="**/layer-20.json")
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    page.get_by_label("20", exact=True).check()
    page.locator("#fig-it .readout p", has_text="Layer 20 could not be loaded.").first.wait_for()
    page.get_by_label("4", exact=True).check()
    page.locator("#fig-it .readout p", has_text="1,536 neurons of layer 4").first.wait_for()


def test_orders_move_rows_and_nothing_else(open_figure: Callable[..., Page]) -> None:
    """By index, neuron 0 stands at the top; by strength, the strongest does."""
    page = open_figure(large_activations(300, 8), width=1280)
    told = page.locator("#fig-it .readout p").first
    for _ in range(5):
        page.get_by_label("Zoom in").click()
    page.locator("#fig-it [role=application]").evaluate("e => (e.scrollTop = 0)")
    page.get_by_label("index").check()
    page.mouse.move(*cell(page, 4, 0.01))
    assert (told.text_content() or "").startswith("Neuron 0 of layer 0, cluster 1 at")
    page.get_by_label("strength").check()
    assert page.evaluate(VALUE)["order"] == "strength"


def test_prose_can_point_at_clusters_tokens_layers_and_neurons(open_figure: Callable[..., Page]) -> None:
    """`show` is as hovering: transient, and the value stays; with `pin` it is as a click, and another lets go."""
    page = open_figure("activations", width=1280)
    value, told = page.evaluate(VALUE), page.locator("#fig-it .readout p").first
    before = told.text_content()
    show = "([part, options]) => document.querySelector('#fig-it .view').show(part, options)"
    for part, words in (
        ({"cluster": 2}, "Cluster 2. "),
        ({"token": 4}, "Layer 4 at , position 4: strongest is neuron "),
        ({"neuron": 7}, "Neuron 7 of layer 4, cluster "),
        ({"layer": 1}, "1,536 neurons of layer 20"),
    ):
        page.evaluate(show, [part, {}])
        page.wait_for_function(
            "(words) => document.querySelector('#fig-it .readout p').textContent.startsWith(words)", arg=words
        )
        assert page.evaluate(VALUE) == value
        page.evaluate(show, [None, {}])
        assert told.text_content() == before
        page.evaluate(show, [part, {"pin": True}])
        assert page.evaluate(VALUE)["pinned"] is True
        page.evaluate(show, [part, {"pin": True}])
        assert page.evaluate(VALUE)["pinned"] is False
        page.locator("#fig-it td[data-item][tabindex='0']").press("Escape")
    page.evaluate(show, [{"factor": 3}, {"pin": True}])
    assert page.evaluate(VALUE)["pinned"] is False


def test_the_canvas_follows_the_theme(open_figure: Callable[..., Page]) -> None:
    """Painted colours are the style sheet's, also after a change of the page's own switch and of the system's."""
    page = open_figure(large_activations(tokens=12), width=1280, color_scheme="light")
    light = pixel(page, 4, 0.05)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_timeout(50)
    dark = pixel(page, 4, 0.05)
    assert sum(dark[:3]) < sum(light[:3]) - 200
    page.evaluate("delete document.documentElement.dataset.theme")
    page.wait_for_timeout(50)
    assert pixel(page, 4, 0.05) == light
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(50)
    assert pixel(page, 4, 0.05) == dark


def test_a_first_token_that_is_left_out_is_grey(open_figure: Callable[..., Page]) -> None:
    """It is in no cluster's mean and outside the scale, and is not drawn as if it were."""
    page = open_figure(large_activations(tokens=12), width=1280)
    red, _, blue, _ = pixel(page, 0, 0.1)
    assert abs(red - blue) < 25
    red, _, blue, _ = pixel(page, 3, 0.1)
    assert blue - red > 40
    assert page.locator("#fig-it td.is-out").count() == 3


@pytest.mark.parametrize("width", [360, 1600])
def test_columns_of_plot_and_means_are_one(width: int, open_figure: Callable[..., Page]) -> None:
    """Also where a hundred tokens scroll on a phone."""
    page = open_figure(large_activations(300, 100), width=width)
    for token in (1, 40, 99):
        page.locator("#fig-it thead th").nth(token + 1).scroll_into_view_if_needed()
        page.locator("#fig-it thead th").nth(token + 1).click()
        head = page.locator("#fig-it thead th").nth(token + 1).bounding_box()
        column = page.locator("#fig-it .plot i").first.bounding_box()
        assert head
        assert column
        assert column["x"] == pytest.approx(head["x"], abs=1)
        assert column["width"] == pytest.approx(head["width"], abs=1)
        assert page.evaluate(VALUE)["position"] == token
