"""The rankings figure: a grid of ranks that can be walked, read and pinned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conftest import example
from playwright.sync_api import Page


def large(layers: int = 30, columns: int = 40) -> dict[str, Any]:
    """Return a result as large as a real one."""
    tokens = [{"text": f" t{i}", "id": i, "type": "input" if i < 20 else "output"} for i in range(20 + columns)]
    ranks = [[max(1, round(40_000 * 0.6 ** (layer + t % 7))) for t in range(columns)] for layer in range(layers)]
    data = {
        "tokens": tokens,
        "targets": list(range(20, 20 + columns)),
        "n_layers": layers,
        "vocab_size": 49_152,
        "layers": [str(layer) for layer in range(layers)],
        "ranks": ranks,
        "probabilities": [[0.5 / rank for rank in row] for row in ranks],
        "top": [[[0, 1, 2]] * columns] * layers,
        "vocabulary": [" the", "\n", "<b>"],
    }
    return {"kind": "rankings", "data": data, "checks": {}, "provenance": {}}


def test_cells_hold_ranks_and_shades(open_figure: Callable[..., Page]) -> None:
    """A cell's number is the rank, and its shade 1 for rank 1, 0 for the last of the vocabulary, even in logarithm."""
    result = large(2, 3)
    result["data"]["ranks"] = [[49_152, 222, 1], [1, 1, 1]]
    page = open_figure(result, width=1200)
    cells = page.locator("#fig-it td")
    assert cells.all_text_contents() == ["49,152", "222", "1", "1", "1", "1"]
    shades = cells.evaluate_all("cells => cells.map((cell) => Number(cell.style.getPropertyValue('--s')))")
    assert shades == [0, 0.5, 1, 1, 1, 1]


def test_a_narrow_cell_shortens_its_rank(open_figure: Callable[..., Page]) -> None:
    """Numbers never stick out of their cells, also on a phone."""
    for width in (360, 1280):
        page = open_figure(large(), width=width)
        outside = "cells => cells.filter((cell) => cell.scrollWidth > cell.clientWidth + 1).length"
        assert page.locator("#fig-it td").evaluate_all(outside) == 0


def test_a_large_grid_scrolls_under_its_layer_names(open_figure: Callable[..., Page]) -> None:
    """On a phone the grid scrolls by itself, and the names of the layers stay in sight."""
    page = open_figure(large(), width=360)
    page.locator("#fig-it td").nth(39).scroll_into_view_if_needed()
    name = page.locator("#fig-it tbody th").first.bounding_box()
    figure = page.locator("#fig-it .heat").bounding_box()
    assert name is not None
    assert figure is not None
    assert abs(name["x"] - figure["x"]) < 1
    assert page.evaluate("document.querySelector('#fig-it .heat').scrollLeft") > 100


def test_arrows_walk_the_grid(open_figure: Callable[..., Page]) -> None:
    """Arrows go by cells and stop at the edges; Ctrl+End goes to the last layer of the last token."""
    page = open_figure("rankings")
    data = example("rankings")["data"]
    value = "document.querySelector('#fig-it .view').value"
    page.locator("#fig-it td[tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(value) == {"layer": 1, "position": data["targets"][1], "pinned": False}
    page.keyboard.press("Control+End")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(value)["position"] == data["targets"][-1]
    assert page.evaluate(value)["layer"] == len(data["ranks"]) - 1


def test_a_cell_tells_rank_probability_and_first_choices(open_figure: Callable[..., Page]) -> None:
    """The card beside a cell: a small probability is "<0.01%", never 0%."""
    result = large(2, 3)
    result["data"]["probabilities"][0][0] = 1e-9
    page = open_figure(result)
    page.locator("#fig-it td").first.hover()
    tip = page.locator("#fig-it .tip").text_content() or ""
    assert "layer 0" in tip
    assert "40,000 of 49,152" in tip
    assert "<0.01%" in tip
    assert "<b>" in tip


def test_the_sentence_says_how_a_token_came_to_the_top(open_figure: Callable[..., Page]) -> None:
    """From which layer on it stays first, or in the first ten, or that it does not."""
    result = large(3, 3)
    result["data"]["ranks"] = [[1, 9, 5], [3, 8, 5], [1, 2, 99]]
    page = open_figure(result)
    said = []
    for column in range(3):
        page.locator("#fig-it td").nth(column).hover()
        said.append((page.locator("#fig-it .readout p").first.text_content() or "").split(". ", 1)[1])
    assert said == [
        "It stays first from layer 2 on.",
        "It stays in the first ten from layer 0 on.",
        "It is not among the first ten at the end.",
    ]


def test_a_token_pins_its_column(open_figure: Callable[..., Page]) -> None:
    """A click on a token's name frames its column."""
    page = open_figure("rankings")
    page.locator("#fig-it tfoot th[scope=col]").nth(1).click()
    assert page.evaluate("document.querySelector('#fig-it .view').value.pinned") is True
    rows = len(example("rankings")["data"]["ranks"])
    assert page.locator("#fig-it .heat.is-pinned td.is-column").count() == rows


def test_a_large_grid_is_drawn_at_once(open_figure: Callable[..., Page]) -> None:
    """1,200 cells take less than a quarter of a second, on a slow machine too."""
    page = open_figure(large())
    took = page.evaluate("""async () => {
      const { view, src } = document.querySelector('#fig-it').dataset;
      const { default: draw } = await import(new URL(view, document.baseURI));
      const { data } = await (await fetch(src)).json();
      const start = performance.now();
      draw(data, {});
      return performance.now() - start;
    }""")
    assert took < 250


def test_the_cell_whose_card_is_shown_is_marked(open_figure: Callable[..., Page]) -> None:
    """While a column is pinned, the card tells of another cell: a line says of which, until the pointer leaves."""
    page = open_figure("rankings")
    page.locator("#fig-it td").nth(0).click()
    page.locator("#fig-it td").nth(1).hover()
    looked = page.locator("#fig-it td.is-looked-at")
    assert looked.count() == 1
    assert looked.evaluate("e => e.dataset.item") == "1"
    page.mouse.move(1, 1)
    assert looked.count() == 0


def test_the_first_number_says_what_is_numbered(open_figure: Callable[..., Page]) -> None:
    """Rows are layers, and nothing else on the figure says so."""
    for script in (True, False):
        page = open_figure("rankings", java_script_enabled=script, wait=script)
        assert page.locator("#fig-it tbody th").all_text_contents()[:2] == ["layer 0", "1"]
