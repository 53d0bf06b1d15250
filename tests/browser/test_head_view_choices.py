"""The head view: heads, tokens, layers and halves are chosen, by readers, authors, prose and other views."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
from head_views import VALUE, column, crafted, drawn, head, said, shades
from kinds import KINDS, example
from playwright.sync_api import Page

from builder.quantised import pack_weights, unpack_weights


def test_a_square_takes_its_head_out_and_in(open_figure: Callable[..., Page]) -> None:
    """A press toggles, two isolate, two more bring all back; what is off is neither drawn nor said."""
    page = open_figure("head_view")
    head(page, 3).click()
    assert head(page, 3).get_attribute("aria-pressed") == "false"
    assert page.evaluate(VALUE)["heads"] == "0-1-2-4-5-6-7-8"
    head(page, 3).click()
    assert page.evaluate(VALUE)["heads"] is None
    head(page, 5).dblclick()
    value = page.evaluate(VALUE)
    assert (value["head"], value["heads"]) == (5, "5")
    weights = unpack_weights(example("head_view")["data"]["weights"])
    column(page, 0).nth(12).hover()
    assert np.abs(shades(page, 14, 1)[0] - weights[5, 12]).max() < 0.01
    head(page, 5).dblclick()
    assert page.evaluate(VALUE)["heads"] is None


def test_heads_are_chosen_by_keys(open_figure: Callable[..., Page]) -> None:
    """One tab stop for all squares; arrows walk, space toggles, Shift and Enter isolate."""
    page = open_figure("head_view")
    head(page, 0).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert page.evaluate(VALUE)["heads"] == "0-2-3-4-5-6-7-8"
    page.keyboard.press("End")
    page.keyboard.press("Shift+Enter")
    assert page.evaluate(VALUE)["head"] == 8
    page.keyboard.press("Shift+Enter")
    assert page.evaluate(VALUE)["heads"] is None
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "token"
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.ariaLabel") == "head 8"


def test_shift_and_enter_isolate_in_firefox(open_figure: Callable[..., Page]) -> None:
    """There the click that Enter makes does not say that Shift is held; a mouse's says what it has."""
    page = open_figure("head_view")
    head(page, 3).evaluate("""square => {
      square.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", shiftKey: true, bubbles: true }));
      square.click();
    }""")
    assert page.evaluate(VALUE)["heads"] == "3"
    head(page, 5).click()
    assert page.evaluate(VALUE)["heads"] == "3-5"


def test_two_taps_isolate_too(open_figure: Callable[..., Page]) -> None:
    """As a double click; the page does not zoom."""
    page = open_figure("head_view", width=390, has_touch=True, is_mobile=True)
    box = head(page, 4).bounding_box()
    assert box is not None
    for _ in range(2):  # in one breath, as the checks before a locator's own taps would not let it
        page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert page.evaluate(VALUE)["head"] == 4
    assert page.evaluate("visualViewport.scale") == 1


def test_arrows_walk_both_columns(open_figure: Callable[..., Page]) -> None:
    """Up and down the tokens of a side, left and right to the other side."""
    page = open_figure("head_view")
    column(page, 0).first.focus()
    for key, place in (
        ("ArrowDown", (1, "from")),
        ("PageDown", (11, "from")),
        ("ArrowRight", (11, "to")),
        ("ArrowRight", (11, "to")),
        ("End", (13, "to")),
        ("ArrowDown", (13, "to")),
        ("ArrowLeft", (13, "from")),
        ("Home", (0, "from")),
    ):
        page.keyboard.press(key)
        value = page.evaluate(VALUE)
        assert (value["token"], value["side"]) == place, key


def test_the_first_token_can_be_left_out(open_figure: Callable[..., Page]) -> None:
    """The rest of each row sums to 1 again, and the sentence says how much is missing."""
    weights = unpack_weights(example("head_view")["data"]["weights"])
    page = open_figure("head_view")
    assert f"{weights[:, 1:, 0].mean():.0%} to the first one." in said(page)
    page.get_by_label("Leave out the first token").click()
    assert "to the first one, which is left out." in said(page)
    column(page, 0).nth(9).hover()
    rest = weights[:, 9].copy()
    rest[:, 0] = 0
    left = rest.sum(-1, keepdims=True)
    rest = np.where(left < 10 / 255 - 1e-9, 0, rest / left)
    assert np.abs(shades(page, 14, 9) - rest).max() < 0.01
    assert said(page).endswith(f"; {weights[:, 9, 0].mean():.0%} to the first token, left out")
    column(page, 0).nth(0).hover()
    assert "attends to nothing that is shown; 100% to the first token, left out" in said(page)
    column(page, 0).nth(9).click()
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert page.get_by_label("Leave out the first token").is_checked()


def test_sentences_of_a_pair_can_be_told_apart(open_figure: Callable[..., Page]) -> None:
    """From A to B: other lines are gone, other tokens are dim, and what they hide is not rescaled."""
    weights = drawn(2, 6)
    page = open_figure(crafted(weights, segments="000111"))
    choice = page.get_by_role("group", name="Show")
    assert choice.locator("label").all_text_contents() == ["all", "A → A", "A → B", "B → A", "B → B"]
    choice.get_by_label("A → B").click()
    assert page.evaluate(VALUE)["filter"] == "A-B"
    dim = [column(page, side).evaluate_all("all => all.map((t) => t.matches('.is-later'))") for side in (0, 1)]
    assert dim == [[False] * 3 + [True] * 3, [True] * 3 + [False] * 3]
    column(page, 0).nth(1).hover()
    known = unpack_weights(pack_weights(weights))[:, 1].copy()
    known[:, :3] = 0
    assert np.abs(shades(page, 6, 2) - known).max() < 0.01
    column(page, 0).nth(4).hover()
    assert said(page).endswith("attends to nothing that is shown")


def test_prompt_and_output_can_be_told_apart(open_figure: Callable[..., Page]) -> None:
    """A prompt cannot look at what comes after it, so that pair is not offered."""
    page = open_figure("head_view")
    labels = page.get_by_role("group", name="Show").locator("label").all_text_contents()
    assert labels == ["all", "prompt → prompt", "output → prompt", "output → output"]
    plain = open_figure(crafted(drawn(1, 4)))
    assert not plain.get_by_text("Show").is_visible()


def test_another_layer_comes_when_it_is_chosen(open_figure: Callable[..., Page]) -> None:
    """The pinned token stays, its weights are the layer's; a layer that does not come is said."""
    page = open_figure("head_view", broken=True)
    column(page, 0).nth(9).click()
    page.get_by_label("Layer").select_option("3")
    page.wait_for_function("document.querySelector('#fig-it .readout p').textContent.startsWith('Layer 3,')")
    piece = json.loads((KINDS["head_view"].folder / "example" / "self-3.json").read_text(encoding="utf-8"))
    assert np.abs(shades(page, 14, 9) - unpack_weights(piece["weights"])[:, 9]).max() < 0.01
    assert "layer.3" in page.url
    page.route("**/self-4.json", lambda route: route.abort())
    page.get_by_label("Layer").select_option("4")
    page.wait_for_function("document.querySelector('#fig-it .readout p').textContent.includes('could not be loaded')")


def test_an_authors_choice_stands_first(open_figure: Callable[..., Page]) -> None:
    """Heads, token and side; not pinned, and the address wins over it."""
    result = crafted(drawn(3, 5), shown={"heads": [0, 2], "token": 3, "side": "to"})
    page = open_figure(result)
    value = page.evaluate(VALUE)
    assert value == {**value, "heads": "0-2", "token": 3, "side": "to", "pinned": False}
    assert "d position 3 is attended to by" in said(page)
    page = open_figure(result, query="?fig-it=token.1_side.from_heads.1")
    value = page.evaluate(VALUE)
    assert value == {**value, "head": 1, "token": 1, "side": "from", "pinned": True}


def test_prose_points_at_heads_layers_and_tokens(open_figure: Callable[..., Page]) -> None:
    """Pointing leaves the reader's choice; a pin stays, in the address too, and a second one lets go."""
    page = open_figure("head_view")
    show = "([part, options]) => document.querySelector('#fig-it .view').show(part, options)"
    before = page.evaluate(VALUE)
    page.evaluate(show, [{"head": "self.5.1"}, {}])
    assert said(page).startswith("Layer 5, head 1: ")
    assert page.evaluate(VALUE) == before
    page.evaluate(show, [{"token": 9}, {}])
    assert "position 9 attends to" in said(page)
    page.evaluate(show, [None, {}])
    assert said(page).startswith("Layer 15, all 9 heads: tokens at the left")
    page.evaluate(show, [{"head": "self.5.1"}, {"pin": True}])
    pinned = page.evaluate(VALUE)
    assert pinned == {**before, "layer": 5, "head": 1, "heads": "1", "pinned": True}
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert page.evaluate(VALUE) == pinned
    column(page, 0).nth(9).hover()
    assert page.evaluate(VALUE)["token"] == 9  # a pinned head leaves tokens to look at
    page.mouse.move(0, 0)
    page.evaluate(show, [{"head": "self.5.1"}, {"pin": True}])
    assert page.evaluate(VALUE) == before
    assert "fig-it" not in page.url
    page.evaluate(show, [{"layer": "self.2"}, {"pin": True}])
    assert page.evaluate(VALUE) == {**before, "layer": 2, "pinned": True}
    head(page, 0).press("Escape")
    assert page.evaluate(VALUE) == before


def test_it_follows_another_view_without_a_word(open_figure: Callable[..., Page]) -> None:
    """A head and a token of another view are shown, not pinned, and no `input` comes of it; what is unknown is left."""
    page = open_figure("head_view")
    page.evaluate("""() => {
      window.inputs = 0;
      document.querySelector('#fig-it').addEventListener('input', () => window.inputs++);
    }""")
    follow = "(value) => document.querySelector('#fig-it .view').follow(value)"
    page.evaluate(follow, {"part": "self", "layer": 7, "head": 2, "token": 10})
    page.wait_for_function("document.querySelector('#fig-it .readout p').textContent.startsWith('Layer 7, head 2')")
    value = page.evaluate(VALUE)
    assert value == {**value, "layer": 7, "head": 2, "token": 10, "side": "from", "pinned": False}
    page.evaluate(follow, {"part": "cross", "layer": 99, "head": None, "token": None})
    assert page.evaluate(VALUE) == value
    assert page.evaluate("inputs") == 0


def test_what_an_author_or_another_view_chose_is_there_again_when_a_pointer_has_passed(
    open_figure: Callable[..., Page],
) -> None:
    """A reader who moves the mouse from the one figure to the other finds what was chosen; Escape lets go of it."""
    page = open_figure(crafted(drawn(3, 5), shown={"heads": [0], "token": 3, "side": "from"}))
    assert page.evaluate(VALUE)["token"] == 3
    column(page, 0).nth(1).hover()
    assert page.evaluate(VALUE)["token"] == 1
    page.mouse.move(0, 0)
    assert page.evaluate(VALUE)["token"] == 3
    page.evaluate("() => document.querySelector('#fig-it .view').follow({ token: 4 })")
    column(page, 0).nth(1).hover()
    page.mouse.move(0, 0)
    assert page.evaluate(VALUE)["token"] == 4
    column(page, 0).nth(1).press("Escape")
    assert page.evaluate(VALUE)["token"] is None
