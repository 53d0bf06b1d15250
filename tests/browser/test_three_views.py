"""Attention at every scale: three views in one figure, of which each follows the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kinds import example
from playwright.sync_api import Page

VALUE = "() => structuredClone(document.querySelector('#fig-it .figure-body > .view').value)"
OF = "(kind) => structuredClone(document.querySelector(`#fig-it [data-kind=${kind}] .view`).value)"


def until(page: Page, kind: str, **wanted: Any) -> None:
    """Wait until one of the views shows what is wanted."""
    page.wait_for_function(
        "([kind, wanted]) => { const { value } = document.querySelector(`#fig-it [data-kind=${kind}] .view`); "
        "return Object.entries(wanted).every(([key, item]) => value[key] === item); }",
        arg=[kind, wanted],
    )


def test_a_head_that_is_chosen_among_all_is_drawn_and_taken_apart(open_figure: Callable[..., Page]) -> None:
    """By a click, and by keys: lines and queries are of the same head, whose weights and vectors are fetched."""
    page = open_figure("attention", height=2400)
    page.locator("#fig-it [data-kind=model_view] [data-item][tabindex]").nth(2).click()
    for _ in range(2):
        chosen = page.evaluate(VALUE)
        assert chosen["pinned"]
        for kind in ("head_view", "neuron_view"):
            until(page, kind, layer=chosen["layer"], head=chosen["head"])
        page.keyboard.press("ArrowDown")
        assert page.evaluate(VALUE)["layer"] != chosen["layer"]


def test_a_token_that_is_chosen_in_the_lines_is_the_one_taken_apart(open_figure: Callable[..., Page]) -> None:
    """And the head that is alone among the lines is the one that is marked among all."""
    page = open_figure("attention", height=2400)
    page.locator("#fig-it [data-kind=head_view] .strip").first.locator("[data-item]").nth(7).click()
    until(page, "neuron_view", token=7)
    assert page.evaluate(VALUE)["token"] == 7
    page.locator("#fig-it [data-kind=head_view]").get_by_role("radio", name="16").check()
    until(page, "model_view", layer=16)
    until(page, "neuron_view", layer=16, token=7)


def test_what_is_chosen_in_the_neuron_view_goes_back_to_the_others(open_figure: Callable[..., Page]) -> None:
    """There is no first among them."""
    page = open_figure("attention", height=2400)
    page.locator("#fig-it [data-kind=neuron_view] [data-item]").nth(4).click()
    until(page, "head_view", token=page.evaluate(OF, "neuron_view")["token"])


def test_the_address_keeps_head_and_token(open_figure: Callable[..., Page]) -> None:
    """A link shows in all three views what somebody saw."""
    page = open_figure("attention", query="?fig-it=part.self_layer.18_head.3_token.5", height=2400)
    assert page.evaluate(VALUE) == {"part": "self", "layer": 18, "head": 3, "token": 5, "pinned": True}
    until(page, "model_view", layer=18, head=3)
    until(page, "head_view", layer=18, head=3, token=5)
    until(page, "neuron_view", layer=18, head=3, token=5)


def test_without_vectors_there_are_two_views(open_figure: Callable[..., Page]) -> None:
    """And no empty third one, with scripts or without."""
    answer = example("attention")
    answer["data"]["neuron"] = None
    page = open_figure(answer, height=2400)
    assert page.locator("#fig-it .scale").all_inner_texts() == ["ALL HEADS", "ONE HEAD"]
    plain = open_figure(answer, java_script_enabled=False, wait=False)
    assert plain.locator("#fig-it .scale").count() == 2
