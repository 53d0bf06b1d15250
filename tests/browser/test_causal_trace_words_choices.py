"""The causal trace by words: words are chosen by readers, by prose and by other views, and kept in the address."""

from __future__ import annotations

from collections.abc import Callable

from harness import Harness
from playwright.sync_api import Page, expect
from test_causal_trace import VALUE, cell, said
from test_causal_trace_words import VIEW, switch, wordy
from test_sliding import PHONE, Finger, middle


def test_a_token_stays_selected_in_its_word(open_figure: Callable[..., Page]) -> None:
    """Merged, parted again, after a reload, and let go of with its word."""
    page = open_figure(wordy())
    cell(page, 0, 2, 0).click()
    value = {"state": "residual", "layer": 0, "token": 3, "words": False, "pinned": True}
    assert page.evaluate(VALUE) == value
    switch(page).check()
    selected = page.locator("#fig-it [aria-selected=true]")
    merged = {**value, "words": True}
    for _ in range(2):
        assert page.evaluate(VALUE) == merged
        assert selected.evaluate("cell => [cell.dataset.item, cell.tabIndex]") == ["0", 0]
        assert "at iff, the strongest of the 3 tokens" in said(page)
        assert page.locator("#fig-it .name.is-line").first.text_content() == " Eiffel*"
        page.reload()
        page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    switch(page).uncheck()
    assert page.evaluate(VALUE) == value
    assert selected.evaluate("cell => [cell.dataset.item, cell.tabIndex]") == ["4", 0]
    switch(page).check()
    cell(page, 0, 0, 0).click()
    assert page.evaluate(VALUE)["pinned"] is False
    cell(page, 2, 0, 1).click()
    assert page.evaluate(VALUE) == {"state": "mlp", "layer": 1, "token": 3, "words": True, "pinned": True}
    assert "words.true" in page.url
    page.locator("#fig-it .cell").first.press("Escape")
    assert page.evaluate(VALUE)["pinned"] is False


def test_the_switch_is_told(open_figure: Callable[..., Page]) -> None:
    """Once each time, as an `input` of the figure's own."""
    page = open_figure(wordy())
    page.evaluate("document.querySelector('#fig-it').addEventListener('input', () => (window.n = (window.n ?? 0) + 1))")
    switch(page).press("Space")
    assert page.evaluate(VALUE) == {"state": None, "layer": None, "token": None, "words": True, "pinned": False}
    assert page.evaluate("n") == 1
    switch(page).press("Space")
    assert page.evaluate("n") == 2
    assert page.evaluate(VALUE)["words"] is False


def test_keys_walk_over_words(open_figure: Callable[..., Page]) -> None:
    """By rows of words through all grids, onto names and layers; Enter pins the word's cell, Escape lets go."""
    page = open_figure(wordy())
    switch(page).check()
    stop = page.locator("#fig-it .view [data-item][tabindex='0']")
    assert stop.count() == 1
    stop.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    value = {"state": "residual", "layer": 1, "token": 6, "words": True, "pinned": False}
    assert page.evaluate(VALUE) == value
    page.keyboard.press("ArrowDown")
    assert page.evaluate(VALUE) == {**value, "state": "attention", "token": 3}
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(VALUE) == {**value, "state": "attention", "token": 4, "pinned": True}
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Home")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(VALUE) == {"state": None, "layer": None, "token": 4, "words": True, "pinned": False}
    assert said(page).startswith("At  Tower, ")
    for key in ("ArrowRight", "Control+End", "ArrowDown"):
        page.keyboard.press(key)
    assert page.evaluate(VALUE) == {"state": None, "layer": 1, "token": None, "words": True, "pinned": False}


def test_fingers_tap_and_slide_over_words(open_figure: Callable[..., Page]) -> None:
    """A tap pins a word's cell, another lets go; a finger that slides pins the one where it lifts."""
    page = open_figure(wordy(), **PHONE)
    switch(page).tap()
    cell(page, 0, 1, 0).tap()
    value = {"state": "residual", "layer": 0, "token": 5, "words": True, "pinned": True}
    assert page.evaluate(VALUE) == value
    cell(page, 0, 1, 0).tap()
    assert page.evaluate(VALUE)["pinned"] is False
    Finger(page).drag(middle(page, "#fig-it .cell", 2), middle(page, "#fig-it .cell", 3))
    assert page.evaluate(VALUE) == {**value, "layer": 1, "token": 4}


def test_prose_points_at_the_word_of_its_token(open_figure: Callable[..., Page]) -> None:
    """Pointed at it is lent, pressed it is pinned, pressed again let go."""
    page = open_figure(wordy())
    switch(page).check()
    page.evaluate(f"{VIEW}.show({{ token: 5 }})")
    assert said(page).startswith("At  Tower, the largest effects are −60% by the residual stream after layer 0 at ower")
    assert page.locator("#fig-it .name.is-line").first.text_content() == " Tower"
    assert page.evaluate(VALUE) == {"state": None, "layer": None, "token": None, "words": True, "pinned": False}
    page.evaluate(f"{VIEW}.show({{ token: 0 }})")
    assert said(page).startswith("At  Tower, ")
    page.evaluate(f"{VIEW}.show(null)")
    assert said(page).startswith("States of the clean run")
    page.evaluate(f"{VIEW}.show({{ token: 5 }}, {{ pin: true }})")
    assert page.evaluate(VALUE) == {"state": None, "layer": None, "token": 5, "words": True, "pinned": True}
    assert page.locator("#fig-it [aria-selected=true]").text_content() == " Tower"
    page.evaluate(f"{VIEW}.show({{ token: 5 }}, {{ pin: true }})")
    assert page.evaluate(VALUE)["pinned"] is False
    page.evaluate(f"{VIEW}.show({{ state: 'mlp' }})")
    assert said(page) == "Largest of all is −120% by the MLP output of layer 1 at el of  Eiffel."
    page.evaluate(f"{VIEW}.show({{ layer: 1 }})")
    assert said(page).startswith("In layer 1, ")


def test_another_trace_is_followed_to_the_word(open_page: Callable[..., Page], harness: Harness) -> None:
    """By token there, by word here; and whoever goes on here is not held there."""
    follows = {"fig-it": "fig-all"}
    url = harness.write("trace-follows-in-words", {"fig-all": wordy(), "fig-it": wordy()}, follows=follows)
    page = open_page(f"{url}?fig-it=layer.0_words.true", height=2400)
    for figure in ("fig-all", "fig-it"):
        page.locator(f"#{figure}[data-state=ready]").wait_for(state="attached")
    page.locator("#fig-it .number[role=columnheader]").first.click()
    assert page.evaluate(VALUE)["pinned"] is False
    page.locator("#fig-all .site").first.locator(".cell").nth(6).click()  # " T", layer 0
    sentence = page.locator("#fig-it .readout p").first
    expect(sentence).to_contain_text("layer 0 at ower, the strongest of the 2 tokens of  Tower, takes it 60%")
    assert page.locator("#fig-it .is-selected").get_attribute("data-item") == "2"
    cell(page, 0, 2, 1).hover()
    expect(sentence).to_contain_text("Restoring the residual stream after layer 1 at  is brings back 100%")
