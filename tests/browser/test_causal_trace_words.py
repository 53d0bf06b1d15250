"""The causal trace by words: rows of several tokens, each cell with the effect of the strongest of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from kinds import example
from playwright.sync_api import Locator, Page, expect
from test_causal_trace import KIND, VALUE, cell, said, small
from views import READOUTS

from builder.numerals import shown_value

TEXTS = ["The", " E", "iff", "el", " T", "ower", " is"]
WORDS = [[1, 2, 3], [4, 5], [6]]
EFFECTS = {
    "residual": [[0, 0.1, 0.9, 0.2, 0.3, -0.6, 0], [0, 0.5, -0.5, 0.4, 0, 0, 1]],
    "attention": [[0, 0, 0, 0, 0, 0.0002, 0], [0, 0.01, -0.02, -0.25, 0.1, 0.1, 0.43]],
    "mlp": [[0, 0.5, 0.2, 0.8, 0, 0, 0], [0, 0, 0, -1.2, 0.7, 0.2, 0]],
}
VIEW = "document.querySelector('#fig-it .view')"


def wordy(texts: list[str] = TEXTS, **more: Any) -> dict[str, Any]:
    """Return a result of two layers, in which tokens from the second on are parts of words, some of them corrupted."""
    tokens = [{"text": text, "id": i, "type": "input"} for i, text in enumerate(texts)]
    result = small(**{"tokens": tokens, "positions": [2], "first": 1, "effects": EFFECTS, **more})
    result["data"]["runs"]["corrupted"]["tokens"] = tokens
    return result


def strongest(effects: list[float], tokens: list[int]) -> int:
    """Return which of some tokens has the largest effect, the slow way."""
    best = tokens[0]
    for token in tokens:
        if abs(effects[token]) > abs(effects[best]):
            best = token
    return best


def naive(data: dict[str, Any], words: list[list[int]]) -> list[float]:
    """Return the effects that the cells of all grids should tell, row by row."""
    grids = [data["effects"][state] for state in data["states"]]
    return [row[strongest(row, tokens)] for grid in grids for tokens in words for row in grid]


def signed(share: float) -> str:
    """Return an effect as a cell tells it."""
    if abs(share) < 0.00005:
        return "0%"
    return ("−" if share < 0 else "") + shown_value(abs(share), "percent")


def switch(page: Page) -> Locator:
    """Return the switch."""
    return page.locator("#fig-it").get_by_label("Merge into words")


def names(page: Page) -> list[str]:
    """Return the names of the rows."""
    return page.locator("#fig-it .site").first.locator(".name").all_text_contents()


def facts(page: Page) -> list[str]:
    """Return names and values of the card, by turns."""
    return page.locator("#fig-it .tip :is(dt, dd)").all_text_contents()


@pytest.mark.parametrize("result", [example(KIND), wordy()])
def test_a_word_has_the_effect_of_its_strongest_token(result: dict[str, Any], open_figure: Callable[..., Page]) -> None:
    """Whatever its sign, in shade and name of the cell; the scale stays that of the tokens."""
    data = result["data"]
    words = WORDS if result["data"]["n_layers"] == 2 else [[1, 2], *([i] for i in range(3, 9))]
    page = open_figure(result)
    legend = page.locator("#fig-it .legend").text_content()
    by_token = naive(data, [[i] for i in range(1, len(data["tokens"]))])
    labels = "cells => cells.map((cell) => cell.ariaLabel)"
    assert page.locator("#fig-it .cell").evaluate_all(labels) == [signed(effect) for effect in by_token]
    switch(page).check()
    merged = naive(data, words)
    assert page.locator("#fig-it .cell").evaluate_all(labels) == [signed(effect) for effect in merged]
    shades = page.locator("#fig-it .cell").evaluate_all(
        "cells => cells.map((cell) => (cell.classList.contains('is-negative') ? -1 : 1) * cell.dataset.s)"
    )
    most = max(abs(effect) for effect in by_token)
    assert shades == pytest.approx([50 * e / most if abs(e) >= most / 100 else 0 for e in merged], abs=0.5001)
    assert page.locator("#fig-it .legend").text_content() == legend
    switch(page).uncheck()
    assert page.locator("#fig-it .cell").evaluate_all(labels) == [signed(effect) for effect in by_token]


def test_rows_are_words(open_figure: Callable[..., Page]) -> None:
    """With a star where one of its tokens is another one; the two texts stay in tokens, so that pairs are seen."""
    page = open_figure(wordy())
    assert names(page) == [" E", "iff*", "el", " T", "ower", " is"]
    switch(page).check()
    assert names(page) == [" Eiffel*", " Tower", " is"]
    assert page.locator("#fig-it [role=grid]").first.get_attribute("aria-label") == (
        "Residual stream: effect by word and layer"
    )
    for text in page.locator("#fig-it .runs .strip").all():
        assert text.locator(".token").all_text_contents() == TEXTS


def test_the_token_that_is_strongest_is_named(open_figure: Callable[..., Page]) -> None:
    """In the sentence, for eye and ear, and in the card; words of one token are told as ever."""
    page = open_figure(wordy())
    switch(page).check()
    assert said(page).endswith(
        "each makes; a word has that of its strongest token, as effects of several do not add up."
    )
    told = {
        (0, 0, 0): "residual stream after layer 0 at iff, the strongest of the 3 tokens of  Eiffel, brings back 90% of "
        "the difference (clean 4.20, corrupted −1.10, here 3.67).",
        (0, 0, 1): "residual stream after layer 1 at  E, the strongest of the 3 tokens of  Eiffel, brings back 50% of "
        "the difference (clean 4.20, corrupted −1.10, here 1.55).",
        (0, 1, 0): "residual stream after layer 0 at ower, the strongest of the 2 tokens of  Tower, takes it 60% "
        "further away (clean 4.20, corrupted −1.10, here −4.28).",
        (1, 2, 1): "attention output of layer 1 at  is brings back 43% of the difference (clean 4.20, "
        "corrupted −1.10, here 1.18).",
    }
    for place, sentence in told.items():
        cell(page, *place).hover()
        assert said(page) == f"Restoring the {sentence}"
    assert facts(page) == ["layer", "1", "token", " is", "effect", "43%"]
    cell(page, 2, 0, 1).hover()
    assert facts(page) == ["layer", "1", "word", " Eiffel", "strongest of 3 tokens", "el", "effect", "−120%"]
    heard = page.locator("#fig-it [aria-live]")
    expect(heard).to_contain_text("at ‘el’, the strongest of the 3 tokens of ‘ Eiffel’, takes it 120% further away")


def test_where_no_token_does_anything_none_is_the_strongest(open_figure: Callable[..., Page]) -> None:
    """Nor where there is nothing to put back."""
    page = open_figure(wordy(lacking={"residual": [], "attention": [], "mlp": [1]}))
    switch(page).check()
    nothing = "of the 2 tokens of  Tower changes nothing (clean 4.20, corrupted −1.10, here −1.10)."
    cell(page, 1, 1, 0).hover()
    assert said(page) == f"Restoring the attention output of layer 0 at any {nothing}"
    cell(page, 2, 1, 0).hover()
    assert said(page) == f"Restoring the MLP output of layer 0 at any {nothing}"
    assert facts(page) == ["layer", "0", "word", " Tower", "effect", "0%"]
    cell(page, 2, 0, 1).hover()
    assert said(page) == "Layer 1 has no MLP of its own."
    assert facts(page) == ["layer", "1", "word", " Eiffel", "effect", "none there"]
    assert page.locator("#fig-it .cell.is-out").count() == len(WORDS)


def test_words_and_layers_say_where_most_is(open_figure: Callable[..., Page]) -> None:
    """The largest effect of a word is that of a token of it, which is named, in a layer with the word that it is in."""
    page = open_figure(wordy(), width=600)
    switch(page).check()
    page.locator("#fig-it .site").nth(1).locator(".name").first.click()
    assert page.evaluate(VALUE) == {"state": None, "layer": None, "token": 1, "words": True, "pinned": True}
    assert said(page) == (
        "At  Eiffel, the largest effects are 90% by the residual stream after layer 0 at iff, −25% by the attention "
        "output of layer 1 at el and −120% by the MLP output of layer 1 at el.pinned"
    )
    page.locator("#fig-it .site").first.locator(".number[role=columnheader]").first.click()
    assert said(page) == (
        "In layer 0, the largest effects are 90% by the residual stream after layer 0 at iff of  Eiffel, 0.02% by the "
        "attention output of layer 0 at ower of  Tower and 80% by the MLP output of layer 0 at el of  Eiffel.pinned"
    )
    page.locator("#fig-it .site").first.locator(".number[role=columnheader]").nth(1).click()
    assert "100% by the residual stream after layer 1 at  is, 43%" in said(page)


@pytest.mark.parametrize(
    ("result", "there"),
    [
        (wordy(), True),
        (small(), False),
        (wordy(["The", "se", " iff", " el", " T", " ower", " is"], positions=[2], first=2), False),
        (wordy(["The", "se", " iff", " el", " T", " ower", " is"], positions=[1], first=1), False),
    ],
)
def test_there_is_a_switch_where_rows_merge(
    result: dict[str, Any], there: bool, open_figure: Callable[..., Page]
) -> None:
    """And where none do there is none, nor does an address make words; words before the first row are none of it."""
    page = open_figure(result)
    assert switch(page).count() == there
    page = open_figure(result, query="?fig-it=state.mlp_layer.0_token.2_words.true")
    assert page.evaluate(VALUE) == {"state": "mlp", "layer": 0, "token": 2, "words": there, "pinned": True}


@pytest.mark.parametrize(("width", "script"), [(360, True), (1280, True), (360, False)])
def test_the_switch_takes_no_room_of_its_own(width: int, script: bool, open_figure: Callable[..., Page]) -> None:
    """It stands where the list of those without scripts does, whose rows stay tokens: nothing jumps."""
    page = open_figure(KIND, width=width, java_script_enabled=script, wait=script)
    assert switch(page).count() == script
    assert names(page)[:2] == [" E*", "iffel*"]
    bar = page.locator("#fig-it .view-bar")
    box, without = bar.bounding_box(), open_figure(KIND, width=width, java_script_enabled=False, wait=False)
    other = without.locator("#fig-it .view-bar").bounding_box()
    assert box
    assert other
    assert box["height"] == pytest.approx(other["height"], abs=1)


def test_a_word_that_begins_before_the_first_row_is_one(open_figure: Callable[..., Page]) -> None:
    """Its tokens before the first corrupted one have no effect; the value is a token that has a row."""
    effects = {state: [[0, 0, *row[2:]] for row in rows] for state, rows in EFFECTS.items()}
    page = open_figure(wordy(first=2, effects=effects))
    switch(page).check()
    assert names(page) == [" Eiffel*", " Tower", " is"]
    cell(page, 0, 0, 1).hover()
    assert "at iff, the strongest of the 3 tokens of  Eiffel, takes it 50%" in said(page)
    cell(page, 1, 0, 0).click()
    assert "at any of the 3 tokens of  Eiffel changes nothing" in said(page)
    assert page.evaluate(VALUE)["token"] == 2
    page.evaluate(f"{VIEW}.follow({{ token: 1 }})")
    assert said(page).startswith("At  Eiffel, ")
    page.evaluate(f"{VIEW}.follow(null)")
    switch(page).uncheck()
    assert said(page).startswith("Restoring the attention output of layer 0 at iff changes nothing")
    page = open_figure(wordy(first=2, effects=effects), query="?fig-it=state.mlp_layer.0_token.1_words.true")
    assert page.evaluate(VALUE) == {"state": "mlp", "layer": 0, "token": 2, "words": True, "pinned": True}
    page = open_figure(wordy(first=2, effects=effects), query="?fig-it=state.mlp_layer.0_token.1_words.false")
    assert page.evaluate(VALUE)["token"] is None


@pytest.mark.parametrize("width", [360, 480, 800, 1280])
def test_nothing_moves_below_what_is_said_of_words(width: int, open_figure: Callable[..., Page]) -> None:
    """The sentence keeps the room of its longest, also with two names in it."""
    page = open_figure(KIND, width=width)
    switch(page).check()
    assert len(page.evaluate(READOUTS, "#fig-it .cell, #fig-it [role=rowheader], #fig-it .number[data-item]")) == 1
