"""Attention at every scale: three views in one figure, of which each follows the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kinds import example
from playwright.sync_api import Locator, Page

VALUE = "() => structuredClone(document.querySelector('#fig-it .figure-body > .view').value)"
OF = "(kind) => structuredClone(document.querySelector(`#fig-it [data-kind=${kind}] .view`).value)"


MODEL = "#fig-it [data-kind=model_view]"
RESTED = 250
"""Milliseconds after which views have followed a pointer that rests."""

LISTEN = """() => {
  window.heard = [];
  new MutationObserver((records) => records.forEach(({ target }) => {
    if (target.ariaLive === 'polite' && target.textContent) heard.push(target.textContent);
  })).observe(document.querySelector('#fig-it'), { subtree: true, childList: true });
}"""
"""What a screen reader would tell from now on."""


def row(page: Page, kind: str) -> Locator:
    """Return the tokens that look, in the lines or in the neuron view."""
    return page.locator(f"#fig-it [data-kind={kind}] :is(.strip, .from)").first.locator("[data-item]")


def reopen(page: Page) -> None:
    """Open the address anew that the page has now."""
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")


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


def test_a_pointer_takes_no_pin_away(open_figure: Callable[..., Page]) -> None:
    """A pinned head stays large, on a phone unfolded, and in the address, while a reader looks at tokens below it."""
    page = open_figure("attention", width=360, height=3200)
    page.locator(f"{MODEL} td[data-item]").nth(2).click()
    pinned = page.evaluate(OF, "model_view")
    address = page.url
    for number in (4, 7):
        row(page, "head_view").nth(number).hover()
        until(page, "neuron_view", token=number)
        assert page.evaluate(OF, "model_view") == pinned
        assert page.evaluate(VALUE)["pinned"]
        assert page.url == address
    assert page.locator(f"{MODEL} .unfolded .large").count() == 1


def test_a_token_that_is_pinned_in_the_lines_stays_while_a_pointer_is_among_neurons(
    open_figure: Callable[..., Page],
) -> None:
    """And the other way round."""
    page = open_figure("attention", height=2400)
    for one, other in (("head_view", "neuron_view"), ("neuron_view", "head_view")):
        row(page, one).nth(7).click()
        until(page, other, token=7)
        row(page, other).nth(4).hover()
        until(page, other, token=4)
        page.wait_for_timeout(RESTED)
        assert page.evaluate(OF, one)["token"] == 7
        assert page.evaluate(OF, one)["pinned"]
        assert page.evaluate(VALUE)["token"] == 7
        row(page, one).nth(7).click()


def test_what_a_pointer_passed_on_its_way_is_not_followed(open_figure: Callable[..., Page]) -> None:
    """Where it has come to, the token below it is shown."""
    page = open_figure("attention", height=2400)
    row(page, "neuron_view").nth(4).hover()
    row(page, "head_view").nth(9).hover()
    page.wait_for_timeout(RESTED)
    assert page.evaluate(OF, "head_view")["token"] == 9
    until(page, "neuron_view", token=9)


def test_the_head_that_is_pinned_stays_so_when_a_token_of_it_is(open_figure: Callable[..., Page]) -> None:
    """It is the same head; another one, chosen with a token pinned, is shown in its place."""
    page = open_figure("attention", height=2400)
    page.locator(f"{MODEL} td[data-item]").nth(2).click()
    pinned = page.evaluate(OF, "model_view")
    row(page, "head_view").nth(7).click()
    until(page, "neuron_view", token=7)
    page.wait_for_timeout(RESTED)
    assert page.evaluate(OF, "model_view") == pinned
    page.locator("#fig-it [data-kind=head_view]").get_by_role("radio", name="18").check()
    until(page, "model_view", layer=18, pinned=False)
    page.mouse.move(0, 0)
    assert page.evaluate(VALUE)["pinned"]


def test_one_view_speaks_at_a_time(open_figure: Callable[..., Page]) -> None:
    """What follows is there to read, and a screen reader is told of the view that the reader is in."""
    page = open_figure("attention", height=2400)
    page.locator(f"{MODEL} [tabindex='0']").first.focus()
    page.evaluate(LISTEN)
    for _ in range(2):
        page.evaluate("heard.length = 0")
        page.keyboard.press("ArrowRight")
        head = page.evaluate(OF, "model_view")["head"]
        until(page, "head_view", head=head)
        until(page, "neuron_view", head=head)
        page.wait_for_function("heard.length")
        page.wait_for_timeout(RESTED)
        assert [sentence.partition(":")[0] for sentence in page.evaluate("heard")] == [f"Layer 16 head {head}"]
    assert f"head {head}" in page.locator("#fig-it [data-kind=head_view] [aria-live]").text_content()  # type: ignore[operator]
    row(page, "head_view").first.focus()
    page.evaluate("heard.length = 0")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("heard.length")
    assert " attends to " in page.evaluate("heard[0]")


def test_the_address_keeps_head_and_token(open_figure: Callable[..., Page]) -> None:
    """A link shows in all three views what somebody saw."""
    page = open_figure("attention", query="?fig-it=part.self_layer.18_head.3_token.5", height=2400)
    assert page.evaluate(VALUE) == {
        "part": "self", "layer": 18, "head": 3, "token": 5, "side": "from", "key": None, "neuron": None,
        "on": None, "filter": None, "first": True, "words": False, "pinned": True,
    }  # fmt: skip
    until(page, "model_view", layer=18, head=3)
    until(page, "head_view", layer=18, head=3, token=5)
    until(page, "neuron_view", layer=18, head=3, token=5)


def test_the_address_keeps_what_each_view_shows(open_figure: Callable[..., Page]) -> None:
    """The side of a token, a key and a neuron, the heads whose lines are on, and the pairs of texts."""
    page = open_figure("attention", height=2400)
    page.locator("#fig-it [data-kind=head_view] .strip").nth(1).locator("[data-item]").nth(7).click()
    until(page, "neuron_view", token=7)
    for number in (0, 3):
        page.locator("#fig-it .heads").get_by_role("button", name=f"head {number}", exact=True).click()
    page.get_by_label("output → prompt").check()
    page.get_by_label("Leave out the first token").check()
    shown = page.evaluate(OF, "head_view")
    assert (shown["side"], shown["heads"], shown["filter"], shown["first"]) == ("to", "0-3-5", "output-prompt", False)
    reopen(page)
    assert page.evaluate(OF, "head_view") == shown
    assert page.evaluate(OF, "model_view")["head"] == 5
    page.locator("#fig-it .heads").get_by_role("button", name="head 5", exact=True).click(modifiers=["Shift"])
    page.locator("#fig-it .heads").get_by_role("button", name="head 5", exact=True).click(modifiers=["Shift"])
    reopen(page)
    assert page.evaluate(OF, "head_view")["heads"] is None
    row(page, "neuron_view").nth(9).click()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    shown = page.evaluate(OF, "neuron_view")
    assert (shown["token"], shown["neuron"]) == (9, 1)
    until(page, "head_view", token=9)
    reopen(page)
    assert page.evaluate(OF, "neuron_view") == shown


def test_a_head_that_is_chosen_among_all_is_alone_in_the_address(open_figure: Callable[..., Page]) -> None:
    """As its lines are; heads that were on before are not those that a link shows."""
    page = open_figure("attention", height=2400)
    page.locator("#fig-it .heads").get_by_role("button", name="head 0", exact=True).click()
    assert page.evaluate(VALUE)["on"] == "0-5"
    page.locator(f"{MODEL} td[data-item]").nth(2).click()
    until(page, "head_view", head=2)
    shown = page.evaluate(OF, "head_view")
    reopen(page)
    assert page.evaluate(OF, "head_view")["heads"] == shown["heads"] == "2"


def test_without_vectors_there_are_two_views(open_figure: Callable[..., Page]) -> None:
    """And no empty third one, with scripts or without."""
    answer = example("attention")
    answer["data"]["neuron"] = None
    page = open_figure(answer, height=2400)
    assert page.locator("#fig-it .scale").all_inner_texts() == ["ALL HEADS", "ONE HEAD"]
    plain = open_figure(answer, java_script_enabled=False, wait=False)
    assert plain.locator("#fig-it .scale").count() == 2
