"""The layer similarity figure: a grid that fits a phone, measures to choose, one half of it, two models."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from large import large_similarity
from playwright.sync_api import Page, expect
from work import work_of

VALUE = "document.querySelector('#fig-it .view').value"
SHADES = (
    "() => [...document.querySelectorAll('#fig-it .cell')].map((cell) => Number(cell.style.getPropertyValue('--s')))"
)


@pytest.mark.parametrize("layers", [31, 49])
@pytest.mark.parametrize("width", [360, 1280])
def test_all_layers_fit(layers: int, width: int, open_figure: Callable[..., Page]) -> None:
    """Nothing scrolls: cells are squares of at least 5 px, in rows without gaps, and names do not overlap."""
    page = open_figure(large_similarity(layers, layers), width=width)
    boxes = page.locator("#fig-it .cell").evaluate_all(
        "e => e.map((cell) => cell.getBoundingClientRect()).map(({ x, y, width, height }) => [x, y, width, height])"
    )
    assert len(boxes) == layers**2
    assert min(w for _, _, w, _ in boxes) >= 5
    assert max(abs(w - h) for _, _, w, h in boxes) < 0.1
    assert max(x + w for x, _, w, _ in boxes) <= width
    assert boxes[layers][1] - boxes[0][1] == pytest.approx(boxes[0][3], abs=0.1)
    tops = page.locator("#fig-it .line > .head:first-child span:not(.spoken)").evaluate_all(
        "e => e.filter((n) => n.textContent).map((n) => n.getBoundingClientRect().y)"
    )
    assert min(b - a for a, b in pairwise(tops)) >= 9


def test_the_scale_fits_and_says_so(open_figure: Callable[..., Page]) -> None:
    """The least value has no shade, 1 the full one; another measure has its own. Cells are named by values."""
    result = large_similarity(9, 9)
    page = open_figure(result)
    for measure, table in (("CKA", result["data"]["values"]["cka"]), ("SVCCA", result["data"]["values"]["svcca"])):
        page.get_by_label(measure, exact=True).check()
        low = min(map(min, table))
        wanted = [(value - low) / (1 - low) for row in table for value in row]
        assert page.evaluate(SHADES) == pytest.approx(wanted, abs=1e-3)
        names = page.locator("#fig-it .cell").evaluate_all("cells => cells.map((cell) => cell.ariaLabel)")
        assert names == [f"{value:.2f}" for row in table for value in row]
        assert page.locator("#fig-it .legend span").nth(1).text_content() == f"{low:.2f}"
        assert page.evaluate(VALUE)["measure"] == measure.lower()


def test_a_cell_tells_its_layers_and_every_measure(open_figure: Callable[..., Page]) -> None:
    """The card has all that were built, the sentence the one that is shown; of how many directions is heard, too."""
    page = open_figure(large_similarity(9, 9))
    page.locator("#fig-it .cell").nth(9 * 3 + 1).hover()
    card = page.locator("#fig-it .tip").text_content() or ""
    assert "2 and 0" in card
    assert "0.667" in card
    assert "0.444" in card
    assert (page.locator("#fig-it .readout p").first.text_content() or "") == "Layer 2 and layer 0: CKA 0.67"
    directions = re.search(r"directions(\d+(?: and \d+)?)", card)
    assert directions
    heard = f"Layer 2 and layer 0: CKA 0.67, directions {directions[1]}"
    expect(page.locator("#fig-it [aria-live]")).to_have_text(heard)


def test_one_half_is_enough(open_figure: Callable[..., Page]) -> None:
    """A table that is its own mirror image; keys stay in the half that is left, and what was pinned is mirrored."""
    page = open_figure(large_similarity(9, 9))
    page.locator("#fig-it .cell").nth(9 * 2 + 5).click()
    page.get_by_label("One half").check()
    assert page.locator("#fig-it .cell.is-hidden").count() == 9 * 8 // 2
    value = page.evaluate(VALUE)
    assert (value["row"], value["column"], value["half"], value["pinned"]) == (5, 2, True, True)
    page.keyboard.press("Escape")
    page.locator("#fig-it .cell[tabindex='0']").focus()
    page.keyboard.press("Control+Home")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(VALUE)["column"] == 0
    page.keyboard.press("Control+End")
    assert (page.evaluate(VALUE)["row"], page.evaluate(VALUE)["column"]) == (8, 8)


def test_two_models_have_an_axis_each(open_figure: Callable[..., Page]) -> None:
    """Other layers down than across, no half of it, and both names in words."""
    page = open_figure(large_similarity(5, 8, models=["small", "large"]))
    assert page.get_by_label("One half").count() == 0
    assert page.locator("#fig-it .axes").text_content() == "rows: small, columns: large"
    page.locator("#fig-it .cell").nth(8 * 1 + 7).click()
    said = page.locator("#fig-it .readout p").first.text_content() or ""
    assert said.startswith("small, layer 0 and large, layer 6: CKA")
    assert (page.evaluate(VALUE)["row"], page.evaluate(VALUE)["column"]) == (1, 7)


def test_prose_shows_a_layer(open_figure: Callable[..., Page]) -> None:
    """Its row and column are framed, and the sentence says what it is most and least like."""
    page = open_figure(large_similarity(9, 9))
    before = page.evaluate(VALUE)
    page.evaluate("document.querySelector('#fig-it .view').show({ layer: 3 })")
    assert page.locator("#fig-it .cell:is(.is-row, .is-column)").count() == 17
    said = page.locator("#fig-it .readout p").first.text_content() or ""
    assert said == "Layer 2 is most like layer 1 (0.80), least like layer 7 (0.44)"
    assert page.evaluate(VALUE) == before
    page.evaluate("document.querySelector('#fig-it .view').show(null)")
    assert page.locator("#fig-it .cell:is(.is-row, .is-column)").count() == 0


def test_a_hover_costs_as_much_among_two_thousand_cells(open_figure: Callable[..., Page]) -> None:
    """Of a grid of 49 layers no other cell is touched than those that are marked."""
    small, great = (work_of(open_figure(large_similarity(n, n)), "#fig-it .cell") for n in (12, 49))
    assert great.writes < 1.1 * small.writes < 16
    assert great.layouts < 2.5
