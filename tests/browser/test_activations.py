"""The activations figure: thousands of neurons on canvas, zoomed, walked and read cell by cell."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import pytest
from activation_views import CANVAS, VALUE, cell, pixel
from kinds import KINDS
from large import large_activations
from playwright.sync_api import Page
from work import work_of


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
