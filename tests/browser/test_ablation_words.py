"""Edges of an ablation by words: a column of several tokens, each cell with what the strongest of them costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from kinds import example
from playwright.sync_api import Locator, Page, expect
from test_ablation import SAID, VALUE
from views import READOUTS

TEXTS = ["The", " E", "iff", "el", " T", "ower", " is", " in"]
WORDS = [[0], [1, 2, 3], [4, 5], [6]]
LOST = [[0.0, 0.1, 0.9, 0.2, 0.3, -0.6, 0.0], [0.0, 0.5, -0.5, 0.4, 0.001, -0.002, 1.0]]
PROBABILITIES = [[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], [0.8, 0.81, 0.82, 0.83, 0.84, 0.85, 0.86]]
VIEW = "document.querySelector('#fig-it .view')"


def wordy(texts: list[str] = TEXTS, position: int = 7) -> dict[str, Any]:
    """Return a result of two layers that asks what the token at `position` leans on."""
    result = example("ablation")
    data = result["data"]
    tokens = [{"text": text, "id": i, "type": "input"} for i, text in enumerate(texts)]
    for name in ("heads", "attentions", "mlps"):
        data[name] = {key: values[:2] for key, values in data[name].items()}
    edges = {
        "lost": [row[:position] for row in LOST],
        "probabilities": [row[:position] for row in PROBABILITIES],
        "says": [[i % 2 for i in range(position)]] * 2,
        "window": 1,
        "spans": [[0, 0], [1, 1]],
    }
    answer = {"text": " Paris", "id": 9, "logit": 12.0, "probability": 0.9, "rank": 1}
    data |= {"tokens": tokens, "position": position, "n_layers": 2, "factors": None, "edges": edges, "value": 6.0}
    data |= {"answer": answer, "foil": None, "probability": 0.9, "vocabulary": [" Paris", " Rome"]}
    return result


def strongest(losses: list[float], tokens: list[int]) -> float:
    """Return the largest loss of some tokens whatever its sign, the slow way."""
    best = losses[tokens[0]]
    for token in tokens:
        if abs(losses[token]) > abs(best):
            best = losses[token]
    return best


def signed(loss: float) -> str:
    """Return a loss as a cell tells it."""
    return f"{loss:+.2f}".replace("-", "−") if abs(loss) >= 0.005 else "0.00"


def switch(page: Page) -> Locator:
    """Return the switch."""
    return page.locator("#fig-it").get_by_label("Merge into words")


def cell(page: Page, layer: int, column: int) -> Locator:
    """Return a cell of the edges."""
    columns = page.locator("#fig-it .heat thead th").count() - 1
    return page.locator("#fig-it .heat td").nth(layer * columns + column)


def facts(page: Page) -> list[str]:
    """Return names and values of the card, by turns."""
    return page.locator("#fig-it .tip :is(dt, dd)").all_text_contents()


@pytest.fixture
def edges(open_figure: Callable[..., Page]) -> Callable[..., Page]:
    """Open a figure that shows its edges by words."""

    def edges(result: dict[str, Any] | None = None, **options: Any) -> Page:
        page = open_figure(result or wordy(), **options)
        page.get_by_label("edges of attention").check()
        page.locator("#fig-it .heat").wait_for()
        switch(page).check()
        return page

    return edges


def test_a_word_costs_what_its_strongest_token_does(edges: Callable[..., Page]) -> None:
    """Whatever its sign, in shade and name of the cell; the scale stays that of the tokens."""
    page = edges()
    cells = page.locator("#fig-it .heat td")
    labels = "cells => cells.map((cell) => cell.getAttribute('aria-label'))"
    merged = [strongest(row, tokens) for row in LOST for tokens in WORDS]
    assert cells.evaluate_all(labels) == [signed(loss) for loss in merged]
    shades = cells.evaluate_all(
        "cells => cells.map((cell) => (cell.classList.contains('is-negative') ? -1 : 1) "
        "* cell.style.getPropertyValue('--s'))"
    )
    assert shades == pytest.approx(merged, abs=0.001)  # the largest loss of all is 1
    names = page.locator("#fig-it .heat thead th:not(:first-child) .column-name")
    assert names.all_text_contents() == ["The", " Eiffel", " Tower", " is"]
    legend = page.locator("#fig-it .legend").text_content()
    switch(page).uncheck()
    assert cells.evaluate_all(labels) == [signed(loss) for row in LOST for loss in row]
    assert page.locator("#fig-it .legend").text_content() == legend


def test_the_token_that_is_strongest_is_named(edges: Callable[..., Page]) -> None:
    """In the sentence, for eye and ear, and in the card; words of one token are told as ever."""
    page = edges(width=1280)
    assert (page.text_content(SAID) or "").endswith(
        "cannot look at an earlier one; a word has that of its strongest token, as losses of several do not add up"
    )
    cell(page, 0, 1).hover()
    assert page.text_content(SAID) == (
        "In layer 0 without a look at iff, the strongest of the 3 tokens of  Eiffel,  Paris loses 0.90 of +6.00; "
        "its probability is 30%, not 90%"
    )
    heard = page.locator("#fig-it [aria-live]")
    expect(heard).to_contain_text("a look at ‘iff’, the strongest of the 3 tokens of ‘ Eiffel’, ‘ Paris’ loses 0.90")
    assert facts(page)[:8] == [
        "layer", "0", "no look at", " Eiffel", "strongest of 3 tokens", "iff", "loses", "+0.90",
    ]  # fmt: skip
    assert page.locator("#fig-it .strip .is-looked-at").all_text_contents() == [" E", "iff", "el"]
    cell(page, 0, 2).hover()
    assert page.text_content(SAID) == (
        "In layer 0 without a look at ower, the strongest of the 2 tokens of  Tower,  Paris gains 0.60 of +6.00; "
        "its probability is 60%, not 90%; first comes  Rome"
    )
    cell(page, 1, 3).hover()
    assert (page.text_content(SAID) or "").startswith("In layer 1 without a look at  is,  Paris loses 1.00")
    assert facts(page)[:6] == ["layer", "1", "no look at", " is", "loses", "+1.00"]


def test_where_no_token_costs_anything_none_is_the_strongest(edges: Callable[..., Page]) -> None:
    """A loss that is not told makes no token stronger than another."""
    page = edges()
    cell(page, 1, 2).hover()
    assert (page.text_content(SAID) or "").startswith(
        "In layer 1 without a look at any of the 2 tokens of  Tower,  Paris keeps its logit; its probability is 85%"
    )
    assert facts(page)[:6] == ["layer", "1", "no look at", " Tower", "loses", "0.00"]


def test_what_is_selected_stays_so(edges: Callable[..., Page]) -> None:
    """Through the switch, a reload, and a press on the same word; Tab leads back to it."""
    page = edges()
    cell(page, 1, 1).click()
    value = {"show": "edges", "layer": 1, "head": None, "what": None, "token": 1, "words": True, "pinned": True}
    assert page.evaluate(VALUE) == value
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert page.evaluate(VALUE) == value
    assert page.locator("#fig-it .heat [tabindex='0']").get_attribute("aria-label") == "+0.50"
    switch(page).uncheck()
    assert page.evaluate(VALUE) == {**value, "words": False}
    assert "words.false" in page.url
    assert (page.text_content(SAID) or "").startswith("In layer 1 without a look at  E,")
    assert page.locator("#fig-it .heat [tabindex='0']").get_attribute("aria-label") == "+0.50"
    cell(page, 1, 2).click()
    assert page.evaluate(VALUE)["token"] == 2
    switch(page).check()
    assert (page.text_content(SAID) or "").startswith("In layer 1 without a look at  E, the strongest")
    cell(page, 1, 1).click()
    assert page.evaluate(VALUE) == {**value, "token": 2, "pinned": False}
    cell(page, 0, 1).click()
    assert page.evaluate(VALUE) == {**value, "layer": 0, "token": 2}  # the strongest there


def test_prose_may_name_a_token_of_a_word(edges: Callable[..., Page]) -> None:
    """Its word is shown then; a row that is chosen has no token."""
    page = edges()
    page.evaluate(f"{VIEW}.show({{ token: 5 }})")
    assert (page.text_content(SAID) or "").startswith(
        "In layer 0 without a look at ower, the strongest of the 2 tokens"
    )
    page.evaluate(f"{VIEW}.follow({{ layer: 1, token: 3 }})")
    assert (page.text_content(SAID) or "").startswith("In layer 1 without a look at  E, the strongest of the 3 tokens")
    page.evaluate(f"{VIEW}.follow({{ layer: null, token: null }})")
    page.locator("#fig-it .heat tbody th").first.click()
    assert (page.text_content(SAID) or "").startswith("In layer 0: choose a token")
    assert page.evaluate(VALUE)["token"] is None


@pytest.mark.parametrize(
    ("result", "there"),
    [
        (wordy(), True),
        (wordy(position=3), True),
        (wordy(position=2), False),
        (wordy(["The", " E", " iff", " el", " T", " ower", " is", " in"]), False),
    ],
)
def test_there_is_a_switch_where_columns_merge(
    result: dict[str, Any], there: bool, open_figure: Callable[..., Page]
) -> None:
    """For edges, where words of several tokens are looked at, as far as they stand before the answer, not for parts."""
    page = open_figure(result)
    assert switch(page).count() == there
    assert not switch(page).is_visible()
    page.get_by_label("edges of attention").check()
    assert switch(page).is_visible() == there
    page = open_figure(result, query="?fig-it=show.edges_layer.1_token.1_words.true")
    value = page.evaluate(VALUE)
    assert (value["layer"], value["token"], value["words"]) == (1, 1, there)


@pytest.mark.parametrize("width", [360, 800, 1280])
def test_nothing_moves_below_what_is_said_of_words(width: int, edges: Callable[..., Page]) -> None:
    """The sentence keeps the room of its longest, also with two names in it; nor does the switch shift the lists."""
    page = edges(width=width)
    assert len(page.evaluate(READOUTS, "#fig-it .heat td, #fig-it .heat tbody th")) == 1
