"""Activations by words: columns are merged, their numbers are the means over their tokens, in every layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from activation_views import (
    JOIN,
    LOADED,
    VALUE,
    WORDS,
    cell,
    heads,
    merged,
    number,
    numbers,
    pixel,
    sheet,
    told,
    wordy,
)
from kinds import example
from large import large_activations
from playwright.sync_api import Page, expect

FRAMES = "#fig-it .plot i"


def test_columns_are_words(open_figure: Callable[..., Page]) -> None:
    """One a word; the first token, which is left out, is in none, and no word is of input and output."""
    page = open_figure(wordy(), width=1280)
    assert len(heads(page)) == 14
    page.get_by_label(JOIN).check()
    words = ["In", "terpretable", " fanlight", ",", " Lon", "doners", " reading", " it", "."]
    assert heads(page) == words
    assert page.locator("#fig-it tfoot th[scope=col] .column-name").all_text_contents() == words
    assert page.locator("#fig-it td[data-item]").count() == 5 * 9
    out = page.locator("#fig-it td[data-item]").evaluate_all("cells => cells.map((c) => c.matches('.is-out'))")
    assert out == [i % 9 == 0 for i in range(45)]
    assert page.get_by_role("grid", name="Mean activation of each cluster at each word").count() == 1
    assert page.get_by_role("application", name="Neurons by words").count() == 1
    assert told(page).endswith(" A word of several tokens has their mean.")
    page.get_by_label(JOIN).uncheck()
    assert len(heads(page)) == 14
    assert "their mean" not in told(page)


def test_the_switch_is_there_where_tokens_form_words(open_figure: Callable[..., Page]) -> None:
    """Not in a text of single tokens, nor where a word would need the token that is left out; no link merges these."""
    single = example("activations")
    for i, token in enumerate(single["data"]["tokens"]):
        token["text"] = ["wo", "rd"][i] if i < 2 else "."
    for result in (example("activations"), single):
        page = open_figure(result, query="?fig-it=words.true_position.3")
        assert page.get_by_label("Show negatives too").count() == 1
        assert page.get_by_label(JOIN).count() == 0
        value = page.evaluate(VALUE)
        assert (value["words"], value["position"]) == (False, 3)
    single["data"]["first"] = 0
    assert open_figure(single).get_by_label(JOIN).is_visible()


@pytest.mark.parametrize("negatives", [False, True])
def test_a_neuron_at_a_word_has_the_mean_of_its_tokens(negatives: bool, open_figure: Callable[..., Page]) -> None:
    """Against plain means; negatives count as 0 until they are shown."""
    page = open_figure(wordy(), width=1280, height=1000)
    page.get_by_label(JOIN).check()
    if negatives:
        page.get_by_label("Show negatives too").check()
        page.wait_for_function("document.querySelector('#fig-it .legend').classList.contains('is-signed')")
    for _ in range(7):
        page.get_by_label("Zoom in").click()
    want = merged(numbers(4, negatives=negatives))
    signs = set()
    for column, tokens in enumerate(WORDS):
        for share in (0.1, 0.5, 0.9):
            page.mouse.move(*cell(page, column, share))
            value, text = page.evaluate(VALUE), told(page).removesuffix(", outside the colour scale")
            assert value["position"] == tokens[0]
            place = f"s {tokens[0]}–{tokens[-1]}, averaged" if len(tokens) > 1 else f" {tokens[0]}"
            assert f" position{place}: " in text
            assert page.locator("#fig-it .tip").text_content() == told(page)
            assert number(text) == pytest.approx(want[column, value["neuron"]], rel=0.01, abs=2e-4)
            signs.add(np.sign(number(text)))
    assert (-1 in signs) == negatives
    assert 1 in signs


@pytest.mark.parametrize("layer", [4, 20])
def test_clusters_have_the_means_of_their_words(layer: int, open_figure: Callable[..., Page]) -> None:
    """Also in a layer that is still to come; shades keep the scale of the tokens, and its strongest words are named."""
    page = open_figure(wordy(), width=1280, height=1000)
    page.get_by_label(JOIN).check()
    page.get_by_label(str(layer), exact=True).check()
    page.wait_for_function(LOADED)
    profiles = np.array(sheet(layer)["profiles"])
    want = merged(profiles.T).T
    names = heads(page)
    cells = page.locator("#fig-it td[data-item]").evaluate_all(
        "cells => cells.map((c) => [c.ariaLabel, Number(c.style.getPropertyValue('--s'))])"
    )
    for index, (label, shade) in enumerate(cells):
        cluster, word = divmod(index, 9)
        assert label.startswith(f"Cluster {cluster + 1} at ‘{names[word]}’ position")
        assert number(label.removesuffix(", outside the colour scale")) == pytest.approx(want[cluster, word], rel=0.01)
        assert shade == pytest.approx(want[cluster, word] / profiles[cluster, 1:].max() if word else 0, abs=1e-3)
    page.locator("#fig-it tbody th").nth(2).click()
    best = [names[1 + i] for i in np.argsort(-want[2, 1:], kind="stable")[:3]]
    assert page.locator("#fig-it .readout p").first.locator("q").all_text_contents() == best


def test_a_layer_that_comes_later_comes_in_words(open_figure: Callable[..., Page]) -> None:
    """With its cells, positive and negative, and back to tokens without fetching anything anew."""
    page = open_figure(wordy(), width=1280, height=1000)
    page.get_by_label(JOIN).check()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    page.get_by_label("20", exact=True).check()
    page.wait_for_function(LOADED)
    page.get_by_label("Show negatives too").check()
    page.wait_for_function("document.querySelector('#fig-it .legend').classList.contains('is-signed')")
    assert asked == ["layer-20.json", "layer-20-rest.json"]
    values = numbers(20, negatives=True)
    for words, want in ((True, merged(values)), (False, values), (True, merged(values))):
        page.get_by_label(JOIN).set_checked(words)
        for column in (1, 2, 5, 8):
            page.mouse.move(*cell(page, column, 0.6))
            neuron = page.evaluate(VALUE)["neuron"]
            assert number(told(page)) == pytest.approx(want[column, neuron], rel=0.01, abs=2e-4)
    assert len(asked) == 2
    page.get_by_label("Show negatives too").uncheck()
    want = merged(numbers(20))
    for column in (1, 2, 5):
        page.mouse.move(*cell(page, column, 0.6))
        neuron = page.evaluate(VALUE)["neuron"]
        assert number(told(page)) == pytest.approx(want[column, neuron], rel=0.01, abs=2e-4)


def test_the_canvas_is_painted_by_words(open_figure: Callable[..., Page]) -> None:
    """A word over a token of each of three clusters is about as dark in all of them, and lighter than a token alone."""
    result = large_activations(tokens=30)  # as wide by words
    for token in result["data"]["tokens"][4:6]:
        token["text"] = "x"
    page = open_figure(result, width=1280)
    before = [sum(pixel(page, 3, (group + 0.5) / 3)[:3]) for group in range(3)]
    alone = pixel(page, 6, 1 / 6)
    page.get_by_label(JOIN).check()
    assert len(heads(page)) == 28
    word = [sum(pixel(page, 3, (group + 0.5) / 3)[:3]) for group in range(3)]
    assert max(word) - min(word) < 50
    assert max(before) - min(before) > 150
    assert before[0] + 60 < min(word)
    assert pixel(page, 4, 1 / 6) == alone
    head, column = page.locator("#fig-it thead th").nth(5), page.locator(FRAMES).first
    head.click()
    assert page.evaluate(VALUE)["position"] == 6
    box, frame = head.bounding_box(), column.bounding_box()
    assert box
    assert frame
    assert (frame["x"], frame["width"]) == pytest.approx((box["x"], box["width"]), abs=1)


def test_a_layer_that_is_still_to_come_leaves_no_other_columns(open_page: Callable[..., Page], harness: Any) -> None:
    """While it cannot be had, merging draws nothing under the words; the layer that is there is drawn in them."""
    address = harness.write("activations-words-lost", {"fig-it": wordy()})
    page = open_page(address, without="**/layer-20.json", width=1280)
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    page.get_by_label("20", exact=True).check()
    expect(page.locator("#fig-it .readout p").first).to_contain_text("could not be loaded")
    page.get_by_label(JOIN).check()
    assert len(heads(page)) == 9
    assert pixel(page, 4, 0.5)[3] == 0
    page.get_by_label("4", exact=True).check()
    page.wait_for_function(LOADED)
    assert pixel(page, 4, 0.5)[3] == 255
    page.mouse.move(*cell(page, 2, 0.5))
    assert number(told(page)) == pytest.approx(merged(numbers(4))[2, page.evaluate(VALUE)["neuron"]], rel=0.01)


@pytest.mark.parametrize("width", [360, 1280])
def test_the_fallback_keeps_room_for_the_switch(width: int, open_figure: Callable[..., Page]) -> None:
    """Which is by tokens, and as tall as the view that takes over."""
    plain = open_figure(wordy(), width=width, java_script_enabled=False, wait=False)
    fallback = plain.locator("#fig-it .figure-body").bounding_box()
    assert plain.locator("#fig-it thead th[scope=col]").count() == 14
    view = open_figure(wordy(), width=width).locator("#fig-it .view").bounding_box()
    assert fallback
    assert view
    assert abs(view["height"] - fallback["height"]) <= 4
