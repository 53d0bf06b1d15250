"""Activations by words: what is chosen stays so, and pointer, keys, fingers, prose and addresses choose words."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from activation_views import CANVAS, JOIN, LOADED, VALUE, cell, chosen, heads, merged, number, numbers, told, wordy
from large import large_activations
from playwright.sync_api import Page

PLOT = "#fig-it .plot [role=application]"
SHOW = "([part, options]) => document.querySelector('#fig-it .view').show(part, options)"


def test_what_is_selected_stays_selected(open_figure: Callable[..., Page]) -> None:
    """A token becomes the word that holds it, and is itself again; the word lets go of it. The tab stop goes along."""
    page = open_figure(wordy(), width=1280)
    page.locator("#fig-it td[data-item]").nth(14 + 9).click()
    value = page.evaluate(VALUE)
    assert (value["cluster"], value["position"], value["pinned"]) == (2, 9, True)
    page.get_by_label(JOIN).check()
    assert page.evaluate(VALUE) == {**value, "words": True}
    assert chosen(page) == ["doners"]
    selected = page.locator("#fig-it [aria-selected=true]")
    assert selected.get_attribute("data-item") == str(9 + 5)
    assert selected.get_attribute("tabindex") == "0"
    assert "Cluster 2 at doners positions 8–9, averaged: mean " in told(page)
    page.get_by_label(JOIN).uncheck()
    assert page.evaluate(VALUE) == value
    assert chosen(page) == ["ers"]
    page.get_by_label(JOIN).check()
    selected.click()
    assert page.evaluate(VALUE)["pinned"] is False


def test_an_address_keeps_words(open_figure: Callable[..., Page]) -> None:
    """With a layer that is still to come, and a position inside a word; a reload restores what is there."""
    query = "?fig-it=layer.20_order.index_cluster.2_position.5_neuron.7_words.true"
    page = open_figure(wordy(), width=1280, query=query)
    page.wait_for_function(LOADED)
    want = {"layer": 20, "order": "index", "cluster": 2, "position": 5, "neuron": 7}
    want |= {"negatives": False, "words": True, "pinned": True}
    assert page.evaluate(VALUE) == want
    assert page.get_by_label(JOIN).is_checked()
    assert chosen(page) == [" fanlight"]
    assert "fanlight positions 4–5, averaged: " in told(page)
    assert number(told(page)) == pytest.approx(merged(numbers(20))[2, 7], rel=0.01, abs=2e-4)
    page.get_by_label(JOIN).uncheck()
    assert page.evaluate(VALUE) == {**want, "words": False}
    page.reload()
    page.wait_for_function(LOADED)
    assert page.evaluate(VALUE) == {**want, "words": False}
    assert len(heads(page)) == 14


def test_keys_walk_words(open_figure: Callable[..., Page]) -> None:
    """In the grid and in the plot: a word a step, pinned by Enter, let go of by Escape; the switch by space."""
    page = open_figure(wordy(), width=1280)
    page.get_by_label(JOIN).focus()
    page.keyboard.press("Space")
    assert page.evaluate(VALUE)["words"] is True
    assert page.evaluate("document.activeElement.role") == "switch"
    page.locator("#fig-it td[tabindex='0']").focus()
    for position in (1, 4, 6, 7, 8):
        page.keyboard.press("ArrowRight")
        assert page.evaluate(VALUE)["position"] == position
    page.keyboard.press("End")
    assert page.evaluate(VALUE)["position"] == 13
    page.locator(PLOT).focus()
    for key, position in (("ArrowRight", 13), ("ArrowLeft", 12), ("ArrowLeft", 10), ("ArrowLeft", 8)):
        page.keyboard.press(key)
        assert page.evaluate(VALUE)["position"] == position
    page.keyboard.press("ArrowDown")
    value = page.evaluate(VALUE)
    assert value["position"] == 8
    assert chosen(page) == ["doners"]
    assert number(told(page)) == pytest.approx(merged(numbers(4))[5, value["neuron"]], rel=0.01, abs=2e-4)
    page.keyboard.press("Enter")
    assert page.evaluate(VALUE) == {**value, "pinned": True}
    page.keyboard.press("Escape")
    assert page.evaluate(VALUE)["pinned"] is False
    assert page.evaluate(VALUE)["position"] is None


def test_prose_points_at_the_word_that_holds_a_token(open_figure: Callable[..., Page]) -> None:
    """As long as it is hovered, or pinned; a second click, or one on the word itself, lets go."""
    page = open_figure(wordy(), width=1280, height=1000)
    page.get_by_label(JOIN).check()
    value, before = page.evaluate(VALUE), told(page)
    for token in (8, 9):
        page.evaluate(SHOW, [{"token": token}, {}])
        assert told(page).startswith("Layer 4 at doners positions 8–9, averaged: strongest is neuron ")
        assert chosen(page) == ["doners"]
        assert page.evaluate(VALUE) == value
    means = merged(numbers(4))[5]
    assert f"neuron {means.argmax()}, " in told(page)
    assert float(told(page).rpartition(", ")[2]) == pytest.approx(means.max(), rel=0.01)
    page.evaluate(SHOW, [None, {}])
    assert told(page) == before
    for again in (
        lambda: page.evaluate(SHOW, [{"token": 9}, {"pin": True}]),
        page.locator("#fig-it thead th").nth(6).click,
    ):
        page.evaluate(SHOW, [{"token": 9}, {"pin": True}])
        assert (page.evaluate(VALUE)["position"], page.evaluate(VALUE)["pinned"]) == (9, True)
        again()
        assert page.evaluate(VALUE)["pinned"] is False
        page.locator(PLOT).press("Escape")
    page.locator("#fig-it thead th").nth(6).click()
    assert page.evaluate(VALUE)["position"] == 8
    page.evaluate(SHOW, [{"token": 9}, {"pin": True}])
    assert page.evaluate(VALUE)["pinned"] is False


def test_a_tap_pins_a_word(open_figure: Callable[..., Page]) -> None:
    """In the canvas and in the grid, and another lets go."""
    page = open_figure(wordy(), width=390, has_touch=True, is_mobile=True)
    page.get_by_label(JOIN).tap()
    page.locator(CANVAS).scroll_into_view_if_needed()
    for _ in range(2):
        page.touchscreen.tap(*cell(page, 5, 0.5))
    assert (page.evaluate(VALUE)["position"], page.evaluate(VALUE)["pinned"]) == (8, False)
    item = page.locator("#fig-it td[data-item]").nth(9 + 2)
    item.tap()
    value = page.evaluate(VALUE)
    assert (value["cluster"], value["position"], value["pinned"]) == (2, 4, True)
    item.tap()
    assert page.evaluate(VALUE)["pinned"] is False


def test_zoom_and_place_stay(open_figure: Callable[..., Page]) -> None:
    """The rows in sight are the same ones after merging, in the same order; so is about the text on a phone."""
    result = large_activations(300, 100)
    for one, other in pairwise(result["data"]["tokens"]):
        if one["id"] % 4 == 1:
            other["text"] = "x"
    page = open_figure(result, width=360)
    page.get_by_label("strength").check()
    for _ in range(3):
        page.get_by_label("Zoom in").click()
    rows = "e => [e.scrollTop, e.scrollHeight]"
    page.locator(PLOT).evaluate("e => (e.scrollTop = 700)")
    room = page.locator("#fig-it .heat")
    room.evaluate("e => (e.scrollLeft = (e.scrollWidth - e.clientWidth) / 2)")
    before = page.locator(PLOT).evaluate(rows)
    seen = "e => e.scrollLeft / e.scrollWidth"
    share = room.evaluate(seen)
    page.mouse.move(*cell(page, 50, 0.5))
    neuron = page.evaluate(VALUE)["neuron"]
    page.mouse.move(1, 1)
    for words in (True, False):
        page.get_by_label(JOIN).set_checked(words)
        assert page.locator(PLOT).evaluate(rows) == before
        assert page.evaluate(VALUE)["order"] == "strength"
        assert room.evaluate(seen) == pytest.approx(share, abs=0.01)
    page.mouse.move(*cell(page, 50, 0.5))
    assert page.evaluate(VALUE)["neuron"] == neuron
