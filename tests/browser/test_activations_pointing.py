"""Activations under a pointer: rows stay where they are, and what is pinned is framed again once the pointer leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from activation_views import VALUE, cell
from kinds import example
from large import large_activations
from playwright.sync_api import Page

ROWS = "#fig-it .plot [role=application]"
FRAME = "#fig-it .plot i"


def zoomed(open_figure: Callable[..., Page], times: int = 6) -> Page:
    """Open a large layer, zoomed in until its first rows lie half a row lower than they would fit."""
    page = open_figure(large_activations(300, 8), width=1280)
    for _ in range(times):
        page.get_by_label("Zoom in").click()
    page.locator(ROWS).evaluate("e => (e.scrollTop = 1000)")
    page.locator(ROWS).evaluate("e => (e.scrollTop = 1008)")
    return page


def test_a_row_that_the_edge_cuts_is_pointed_at_where_it_is(open_figure: Callable[..., Page]) -> None:
    """Hovering and clicking at the lower and the upper edge scroll nothing: another row would be under the pointer."""
    page = zoomed(open_figure)
    for share in (0.995, 0.005):
        page.mouse.move(*cell(page, 4, share))
        neuron = page.evaluate(VALUE)["neuron"]
        assert neuron is not None
        page.mouse.click(*cell(page, 4, share))
        assert page.evaluate(VALUE)["pinned"] is True
        assert page.evaluate(VALUE)["neuron"] == neuron
        assert page.locator(ROWS).evaluate("e => e.scrollTop") == 1008
        page.mouse.click(*cell(page, 4, share))


def test_keys_prose_and_links_bring_a_neuron_into_sight(open_figure: Callable[..., Page]) -> None:
    """They lead to rows that the reader does not see yet."""
    page = zoomed(open_figure)
    page.evaluate("document.querySelector('#fig-it .view').show({ neuron: 250 })")
    box, frame = page.locator(ROWS).bounding_box(), page.locator(FRAME).nth(1).bounding_box()
    assert box
    assert frame
    assert page.locator(ROWS).evaluate("e => e.scrollTop") != 1008
    assert box["y"] <= frame["y"] <= box["y"] + box["height"]
    page.evaluate("document.querySelector('#fig-it .view').show({ neuron: 20 }, { pin: true })")
    assert page.locator(ROWS).evaluate("e => e.scrollTop") < 1008


def test_the_frame_goes_back_to_what_is_pinned(open_figure: Callable[..., Page]) -> None:
    """While something is pinned, it frames what the card tells of, and no longer than that."""
    page = zoomed(open_figure)
    place = "([column, cell]) => [column, cell].map((e) => [e.hidden, e.style.translate])"
    frames = page.locator(FRAME)
    page.mouse.click(*cell(page, 4, 0.5))
    pinned = frames.evaluate_all(place)
    page.mouse.move(*cell(page, 6, 0.2))
    assert frames.evaluate_all(place) != pinned
    page.mouse.move(1, 1)
    assert frames.evaluate_all(place) == pinned
    page.mouse.move(*cell(page, 6, 0.2))
    page.locator("#fig-it td[data-item]").nth(3).hover()
    assert frames.evaluate_all(place) == pinned


def test_a_link_to_a_neuron_of_a_layer_that_is_still_to_come(open_figure: Callable[..., Page]) -> None:
    """What is pinned is framed once its cells are there."""
    page = open_figure("activations", query="?fig-it=layer.20_order.index_position.3_neuron.7")
    page.wait_for_function("document.querySelector('#fig-it [role=application]').ariaBusy === 'false'")
    assert page.evaluate(VALUE)["neuron"] == 7
    assert not page.locator(FRAME).nth(1).is_hidden()


def test_a_layer_that_is_still_to_come_can_be_explored(open_page: Callable[..., Page], harness: Any) -> None:
    """A link leads to it: there are no rows to zoom into yet, nor neurons to point at, and nothing goes wrong."""
    address = harness.write("activations-late", {"fig-it": example("activations")})
    page = open_page("about:blank")
    held: list[Any] = []
    page.route("**/layer-20.json", lambda route: held.append(route))
    page.goto(f"{address}?fig-it=layer.20_cluster.2")
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    page.get_by_label("Zoom in").click()
    page.locator("#fig-it td[data-item]").nth(3).click()
    plot = page.locator("#fig-it [role=application]")
    plot.click()
    for key in ("+", "ArrowRight", "-"):
        page.keyboard.press(key)
    page.get_by_label("index").check()
    held.pop().continue_()
    page.wait_for_function("document.querySelector('#fig-it [role=application]').ariaBusy === 'false'")
    height = "e => e.firstElementChild.offsetHeight"
    before = plot.evaluate(height)
    page.get_by_label("Zoom in").click()
    assert plot.evaluate(height) > before


def test_a_layer_that_cannot_be_fetched_is_heard(open_page: Callable[..., Page], harness: Any) -> None:
    """And is not spoken of once the reader has gone on to another."""
    address = harness.write("activations-unheard", {"fig-it": example("activations")})
    page = open_page("about:blank", broken=True)
    held: list[Any] = []
    page.route("**/layer-20.json", lambda route: held.append(route))
    page.goto(address)
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    page.get_by_label("20", exact=True).check()
    page.get_by_label("4", exact=True).check()
    held.pop().abort()
    told = page.locator("#fig-it .readout p").first
    page.wait_for_timeout(100)
    assert "could not be loaded" not in (told.text_content() or "")
    page.get_by_label("20", exact=True).check()
    page.wait_for_timeout(100)
    held.pop().abort()
    heard = "document.querySelector('#fig-it [aria-live]').textContent === 'Layer 20 could not be loaded.'"
    page.wait_for_function(heard)
