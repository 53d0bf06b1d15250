"""The attention matrix: heads, layers, words and cells are chosen, by readers, by prose and by other views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from matrix_views import VALUE, cell, told, whole
from playwright.sync_api import Page, expect

from builder.numerals import shown_value
from builder.quantised import unpack_weights


def test_another_head_or_layer_is_shown_in_place(open_figure: Callable[..., Page]) -> None:
    """A layer is fetched once; of the mean over all layers there is one, so heads cannot be chosen."""
    page = open_figure(whole(), width=1280)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    page.mouse.click(*cell(page, 6, 3))
    layer, head = page.get_by_label("Layer"), page.get_by_label("Head")
    for number in ("3", "15", "3"):
        layer.select_option(number)
        page.wait_for_function(
            "(n) => document.querySelector('#fig-it .readout').textContent.includes(`layer ${n}`)", arg=number
        )
    assert asked == ["self-3.json"]
    head.select_option("8")
    page.wait_for_function("document.querySelector('#fig-it .readout').textContent.includes('head 8 of layer 3')")
    value = page.evaluate(VALUE)
    assert (value["layer"], value["head"], value["token"], value["to"]) == (3, 8, 6, 3)
    layer.select_option("mean")
    page.wait_for_function("document.querySelector('#fig-it .readout').textContent.includes('all heads and layers')")
    assert head.is_disabled()
    value = page.evaluate(VALUE)
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert page.evaluate(VALUE) == value
    assert (value["layer"], value["head"]) == ("mean", "mean")


def test_a_layer_that_cannot_be_fetched_is_said(open_page: Callable[..., Page], harness: Any) -> None:
    """The figure stays, and shows it once it comes."""
    page = open_page(harness.write("matrix-lost", {"fig-it": whole()}), without="**/self-3.json")
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    page.get_by_label("Layer").select_option("3")
    for seen_or_heard in page.locator("#fig-it .readout p").all():
        expect(seen_or_heard).to_have_text("Layer 3 could not be loaded.")
    page.get_by_label("Layer").select_option("15")
    page.locator("#fig-it .readout p", has_text="heads of layer 15").first.wait_for()


def test_the_first_token_can_be_left_out(open_figure: Callable[..., Page]) -> None:
    """The rest of each row adds up to 100% again, and the column is crossed out."""
    result = whole(head=2)
    page = open_figure(result, width=1280)
    row = unpack_weights(result["data"]["weights"])[2, 6]
    page.get_by_label("Leave out the first token").check()
    page.mouse.move(*cell(page, 6, 3))
    assert f": {shown_value(float(row[3] / row[1:].sum()), 'percent')} of its attention" in told(page)
    assert page.evaluate(VALUE)["first"] is False
    assert page.locator("#fig-it .matrix-out").is_visible()


def test_words_are_one_row_and_one_column(open_figure: Callable[..., Page]) -> None:
    """As in a head view: what goes to a word's tokens is added, what they give averaged; the address keeps it."""
    result = whole(head=2)
    for token, text in zip(result["data"]["tokens"][2:], [" Bel", "gi", "um"], strict=False):
        token["text"] = text
    page = open_figure(result, width=1280)
    page.mouse.click(*cell(page, 6, 3))
    page.get_by_label("Merge into words").check()
    names = [page.locator(f"#fig-it .weights-{side} > span").all_text_contents() for side in ("queries", "keys")]
    assert names[0] == names[1]
    assert names[0][:4] == ["London", " is", " Belgium", " Paris"]
    weights = unpack_weights(result["data"]["weights"])[2]
    assert "is 6 looks at  Belgium 2–4: " in told(page)
    assert shown_value(float(weights[6, 2:5].sum()), "percent") in told(page)
    page.mouse.click(*cell(page, 2, 1))
    assert f"Belgium 2–4 looks at  is 1: {shown_value(float(weights[2:5, 1].mean()), 'percent')} of" in told(page)
    value = page.evaluate(VALUE)
    assert (value["token"], value["to"], value["words"]) == (2, 1, True)
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert page.evaluate(VALUE) == value
    assert "Belgium 2–4 looks at" in told(page)
    page.get_by_label("Leave out the first token").check()
    rest = (weights[2:5, 1] / weights[2:5, 1:].sum(1)).mean()
    assert shown_value(float(rest), "percent") in told(page)
    page.get_by_label("Merge into words").uncheck()
    assert page.locator("#fig-it .weights-keys > span").count() == 14
    assert page.evaluate(VALUE) == {**value, "first": False, "words": False}


def test_a_token_inside_a_word_is_its_rows(open_figure: Callable[..., Page]) -> None:
    """It is found from an address, and let go of with its word."""
    result = whole(head=2)
    for token, text in zip(result["data"]["tokens"][2:], [" Bel", "gi", "um"], strict=False):
        token["text"] = text
    page = open_figure(result, query="?fig-it=token.6_to.3_words.true", width=1280)
    assert "is 6 looks at  Belgium 2–4: " in told(page)
    page.mouse.click(*cell(page, 4, 2))
    assert page.evaluate(VALUE)["pinned"] is False


def test_parts_and_words_that_were_shown_are_kept(open_figure: Callable[..., Page]) -> None:
    """Whoever goes back and forth between them leaves no more listeners on the window each time."""
    result = whole(head=2)
    result["data"]["tokens"][3]["text"] = "gium"
    page = open_figure(result, width=1280)
    join = page.get_by_label("Merge into words")
    join.check()
    join.uncheck()
    page.evaluate("""() => {
      window.listeners = 0;
      const { addEventListener } = window;
      window.addEventListener = (...given) => { listeners++; addEventListener(...given); };
    }""")
    for _ in range(3):
        join.check()
        join.uncheck()
    assert page.evaluate("listeners") == 0


def test_it_follows_other_views_and_says_nothing(open_figure: Callable[..., Page]) -> None:
    """Part, layer, head and token, as far as they are known; nothing is pinned, no `input` comes."""
    page = open_figure(whole(), width=1280)
    page.evaluate("document.querySelector('#fig-it').addEventListener('input', () => (window.heard = true))")
    follow = "(to) => document.querySelector('#fig-it .view').follow(to)"
    page.evaluate(follow, {"part": "self", "layer": 3, "head": 4, "token": 5})
    value = page.evaluate(VALUE)
    assert value == {
        "part": "self",
        "layer": 3,
        "head": 4,
        "first": True,
        "words": False,
        "token": 5,
        "to": None,
        "pinned": False,
    }
    page.wait_for_function("document.querySelector('#fig-it .readout').textContent.includes('head 4 of layer 3')")
    page.evaluate(follow, {"part": "cross", "layer": 99, "head": None, "token": 99})
    value = page.evaluate(VALUE)
    assert (value["layer"], value["head"], value["token"]) == (3, "mean", None)
    assert page.evaluate("window.heard") is None


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"token": 5}, " Paris 5 looks most at"),
        ({"layer": "self.4"}, "in the mean of the 9 heads of layer 4."),
        ({"head": "self.4.7"}, "in head 7 of layer 4."),
    ],
)
def test_prose_can_point_at_tokens_layers_and_heads(
    part: dict[str, Any], words: str, open_figure: Callable[..., Page]
) -> None:
    """Pointing is transient; with `pin` a token is pinned, a layer or a head is chosen."""
    page = open_figure(whole(), width=1280)
    before = page.evaluate(VALUE)
    show = "([part, options]) => document.querySelector('#fig-it .view').show(part, options)"
    page.evaluate(show, [part, {}])
    assert words in told(page)
    assert page.evaluate(VALUE) == before
    page.evaluate(show, [None, {}])
    assert "of layer 15" in told(page)
    page.evaluate(show, [part, {"pin": True}])
    assert words in told(page)
    assert page.evaluate(VALUE) != before
