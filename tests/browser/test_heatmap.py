"""Heat maps by keyboard and for the ear: names of rows and columns are reached as cells are, shades have numbers."""

from __future__ import annotations

from collections.abc import Callable

from kinds import example
from large import large_rankings
from playwright.sync_api import Page

VALUE = "() => structuredClone(document.querySelector('#fig-it .view').value)"
FOCUSED = (
    "[document.activeElement.tagName, document.activeElement.cellIndex, document.activeElement.parentNode.rowIndex]"
)


def test_keys_reach_the_names_of_rows(open_figure: Callable[..., Page]) -> None:
    """Left of the first cell; up and down go on along them, Enter pins, right leads back into the row."""
    page = open_figure("rankings")
    page.locator("#fig-it td[tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(FOCUSED) == ["TH", 0, 2]
    assert {key: page.evaluate(VALUE)[key] for key in ("layer", "position")} == {"layer": 0, "position": None}
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    value = page.evaluate(VALUE)
    assert (value["layer"], value["position"], value["pinned"]) == (1, None, True)
    assert "On average, entropy is " in (page.locator("#fig-it .readout p").first.text_content() or "")
    assert page.locator("#fig-it .view [tabindex='0']:is(td, th)").count() == 1
    page.keyboard.press(" ")
    assert page.evaluate(VALUE)["pinned"] is False
    for _ in range(6):
        page.keyboard.press("PageDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(VALUE)["layer"] == example("rankings")["data"]["n_layers"] - 1
    page.keyboard.press("ArrowRight")
    assert page.evaluate(VALUE)["position"] == example("rankings")["data"]["targets"][0]
    page.keyboard.press("Escape")


def test_keys_reach_the_names_of_columns(open_figure: Callable[..., Page]) -> None:
    """Above the first row: in activations only these tell of the strongest neuron at a token."""
    page = open_figure("activations")
    page.locator("#fig-it td[tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowUp", "ArrowRight"):
        page.keyboard.press(key)
    assert page.evaluate(FOCUSED) == ["TH", 3, 0]
    page.keyboard.press("Enter")
    value = page.evaluate(VALUE)
    assert (value["cluster"], value["position"], value["neuron"], value["pinned"]) == (None, 2, None, True)
    assert " position 2: strongest is neuron " in (page.locator("#fig-it .readout p").first.text_content() or "")
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    assert page.evaluate(VALUE)["position"] == len(example("activations")["data"]["tokens"]) - 1
    page.keyboard.press("ArrowDown")
    assert page.evaluate(VALUE)["cluster"] == 1


def test_the_names_of_columns_below_stand_for_them_too(open_figure: Callable[..., Page]) -> None:
    """By mouse; the tab stop moves to the one above, and there is one."""
    page = open_figure("rankings")
    page.locator("#fig-it tfoot th[scope=col]").nth(2).click()
    assert page.evaluate(VALUE)["position"] == example("rankings")["data"]["targets"][2]
    assert page.locator("#fig-it thead th").nth(3).get_attribute("tabindex") == "0"
    assert page.locator("#fig-it .view [tabindex='0']:is(td, th)").count() == 1


def test_a_cell_without_a_number_says_it(open_figure: Callable[..., Page]) -> None:
    """In full, for who reads the table cell by cell; where the number stands there, it is read."""
    page = open_figure(large_rankings(2, 41))
    cell = page.locator("#fig-it td").first
    assert (cell.text_content(), cell.get_attribute("aria-label")) == ("", "40,000")
    page.get_by_label("entropy").check()
    assert (cell.get_attribute("aria-label") or "").endswith(" nats")
    page.get_by_label("Numbers in all cells").check()
    assert cell.text_content()
    assert cell.get_attribute("aria-label") is None


def test_an_edge_says_what_is_lost_without_it(open_figure: Callable[..., Page]) -> None:
    """The shades of an ablation's edges have numbers for a screen reader."""
    page = open_figure("ablation")
    page.get_by_label("edges").check()
    labels = page.locator("#fig-it .heat td").evaluate_all("cells => cells.map((cell) => cell.ariaLabel)")
    lost = [loss for row in example("ablation")["data"]["edges"]["lost"] for loss in row]
    assert len(labels) == len(lost)
    assert all(float(label.replace("−", "-")) * loss >= 0 for label, loss in zip(labels, lost, strict=True))
