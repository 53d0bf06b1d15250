"""Activations: layers, negatives, orders and clusters are chosen, by readers and by prose; an address keeps them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from activation_views import CANVAS, VALUE, cell, pixel
from kinds import example
from large import large_activations
from playwright.sync_api import Page


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


def test_an_address_keeps_negatives(open_figure: Callable[..., Page]) -> None:
    """Of a layer that is still to come too; without a cell that is pinned there is nothing to keep."""
    signed = "document.querySelector('#fig-it .legend').classList.contains('is-signed')"
    for layer in (4, 20):
        query = f"?fig-it=layer.{layer}_order.index_cluster.2_position.5_neuron.7_negatives.true"
        page = open_figure("activations", width=1280, query=query)
        page.wait_for_function(signed)
        switch = page.get_by_label("Show negatives too")
        assert switch.is_checked()
        assert page.evaluate(VALUE)["negatives"] is True
        switch.uncheck()
        page.wait_for_function(f"!{signed}")
        assert "negatives.false" in page.url
        switch.check()
        page.reload()
        page.wait_for_function(signed)
        assert page.evaluate(VALUE)["negatives"] is True


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
        "layer": 20, "order": "cluster", "cluster": 2, "position": None, "neuron": None,
        "negatives": False, "words": False, "pinned": True,
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
