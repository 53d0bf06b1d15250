"""The causal trace figure: grids of one text, cells that say what comes back, rows and columns that can be named."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from kinds import example
from playwright.sync_api import Page

KIND = "causal_trace"
VALUE = "document.querySelector('#fig-it .view').value"


def said(page: Page) -> str:
    """Return the sentence that is shown."""
    return page.locator("#fig-it .readout p").first.text_content() or ""


def small(**more: Any) -> dict[str, Any]:
    """Return a result of two layers and four tokens, the second of which is another in the corrupted run."""
    result = example(KIND)
    data = result["data"]
    tokens = [{"text": text, "id": i, "type": "input"} for i, text in enumerate(["A", " B", " C", "\n"])]
    ends = {"clean": (4.2, 0.6), "corrupted": (-1.1, 0.02)}
    for name, (value, p) in ends.items():
        end = data["runs"][name]
        end |= {"value": value, "foil": None, "answer": {"text": " X", "id": 7, "logit": 1.0, "probability": p}}
        end["top"] = {"text": " X", "id": 7, "logit": 1.0, "probability": p}
    data["runs"]["corrupted"]["tokens"] = [{**tokens[0]}, {**tokens[1], "text": " D"}, *tokens[2:]]
    effects = {
        "residual": [[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]],
        "attention": [[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, -0.25, 0.43]],
        "mlp": [[0.0, 0.5, 0.00001, 0.0], [0.0, 0.0, 0.0, 1.2]],
    }
    data |= {"tokens": tokens, "positions": [1], "first": 1, "n_layers": 2, "metric": "logprob", "effects": effects}
    data |= {"lacking": {state: [] for state in effects}, **more}
    return result


def cell(page: Page, site: int, row: int, layer: int) -> Any:
    """Return the cell of a kind of state, a token (from the first that is shown) and a layer."""
    return page.locator("#fig-it .site").nth(site).locator(".line").nth(row).locator(".cell").nth(layer)


@pytest.mark.parametrize("script", [True, False])
def test_shades_tell_effects_on_one_scale(script: bool, open_figure: Callable[..., Page]) -> None:
    """The largest of all grids has the full shade, what works against the answer is orange; without scripts too."""
    page = open_figure(small(), java_script_enabled=script, wait=script)
    found = page.locator("#fig-it .cell").evaluate_all(
        "cells => cells.map((cell) => (cell.classList.contains('is-negative') ? -1 : 1) * cell.dataset.s)"
    )
    wanted = [42, 0, 0, 0, 0, 42, 0, 0, 0, -10, 0, 18, 21, 0, 0, 0, 0, 50]  # fiftieths of 1.2, token by token
    assert found == wanted
    assert page.locator("#fig-it .legend span").all_text_contents()[1:] == ["−120%", "", "120%"]


def test_a_cell_says_what_comes_back(open_figure: Callable[..., Page]) -> None:
    """All, some, nothing, or less than nothing; with what is measured in the three runs."""
    page = open_figure(small())
    told = {
        (0, 0, 0): "Restoring the residual stream after layer 0 at  B brings back 100% of the difference "
        "(clean 4.20, corrupted −1.10, here 4.20).",
        (1, 1, 1): "Restoring the attention output of layer 1 at  C takes it 25% further away "
        "(clean 4.20, corrupted −1.10, here −2.43).",
        (2, 1, 0): "Restoring the MLP output of layer 0 at  C changes nothing "
        "(clean 4.20, corrupted −1.10, here −1.10).",
    }
    for place, sentence in told.items():
        cell(page, *place).hover()
        assert said(page) == sentence
    assert "0%" in (page.locator("#fig-it .tip").text_content() or "")


def test_the_other_direction_takes_away(open_figure: Callable[..., Page]) -> None:
    """States of the corrupted run in the clean one; and windows name their layers."""
    page = open_figure(small(direction="corrupt", window=10, spans=[[0, 1], [0, 1]]))
    cell(page, 1, 2, 1).hover()
    assert said(page) == (
        "Corrupting the attention outputs of layers 0 to 1 at \n takes 43% of the difference away "
        "(clean 4.20, corrupted −1.10, here 1.92)."
    )
    titles = page.locator("#fig-it .site-title").all_text_contents()
    assert titles == ["Residual stream", "Attention output, 10 layers at once", "MLP output, 10 layers at once"]


def test_a_layer_without_attention_says_so(open_figure: Callable[..., Page]) -> None:
    """Nothing was restored there, which is no effect of 0."""
    lacking = {"residual": [], "attention": [0], "mlp": []}
    page = open_figure(small(lacking=lacking))
    assert page.locator("#fig-it .cell.is-out").count() == 3
    cell(page, 1, 0, 0).hover()
    assert said(page) == "Layer 0 has no attention of its own."


def test_rows_are_the_tokens_from_the_first_corrupted_on(open_figure: Callable[..., Page]) -> None:
    """Before it the runs are the same. What is corrupted has a star, and a mark in the corrupted text."""
    page = open_figure(small())
    names = page.locator("#fig-it .site").first.locator(".name").all_text_contents()
    assert names == [" B*", " C", "\nnew line"]
    assert page.locator("#fig-it .token[data-broken]").all_text_contents() == [" D"]
    noise = {"subject": "B", "factor": 3, "sigma": 0.1, "samples": 2, "seed": 0}
    page = open_figure(small(noise=noise))
    assert page.locator("#fig-it .token[data-broken=noise]").count() == 1
    assert "its embedding is noisy" in (page.locator("#fig-it .view-bar").text_content() or "")


def test_keys_walk_through_all_grids(open_figure: Callable[..., Page]) -> None:
    """Right and left by layers, down and up by tokens and on to the next grid."""
    page = open_figure(small())
    page.locator("#fig-it .cell[tabindex='0']").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    assert page.evaluate(VALUE) == {"state": "residual", "layer": 1, "token": 3, "words": False, "pinned": False}
    page.keyboard.press("ArrowDown")
    assert page.evaluate(VALUE) == {"state": "attention", "layer": 1, "token": 1, "words": False, "pinned": False}
    page.keyboard.press("Control+End")
    assert page.evaluate(VALUE) == {"state": "mlp", "layer": 1, "token": 3, "words": False, "pinned": False}


def test_keys_lead_onto_the_names_of_tokens_and_layers(open_figure: Callable[..., Page]) -> None:
    """Left of the first layer is the token, under the last grid are the layers: what they say needs no mouse."""
    page = open_figure(small())
    page.locator("#fig-it .cell[tabindex='0']").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(VALUE) == {"state": None, "layer": None, "token": 2, "words": False, "pinned": False}
    assert said(page).startswith("At  C, the largest effects are ")
    page.keyboard.press("Enter")
    assert page.evaluate(VALUE)["pinned"] is True
    for key in ("Escape", "ArrowRight", "Control+End", "ArrowDown"):
        page.keyboard.press(key)
    assert page.evaluate(VALUE) == {"state": None, "layer": 1, "token": None, "words": False, "pinned": False}
    assert said(page).startswith("In layer 1, the largest effects are ")


def test_cells_have_names(open_figure: Callable[..., Page]) -> None:
    """What a shade says, for those who walk the table without moving the focus."""
    page = open_figure(small(lacking={"residual": [], "attention": [0], "mlp": []}))
    names = page.locator("#fig-it .cell").evaluate_all("cells => cells.map((cell) => cell.ariaLabel)")
    assert names[:2] == ["100%", "0%"]
    assert (names[6], names[9], names[17]) == ("none there", "−25%", "120%")


def test_a_token_or_a_layer_can_be_pinned(open_figure: Callable[..., Page]) -> None:
    """By its name; the sentence says which states matter most there, and a reload keeps it."""
    page = open_figure(small())
    page.locator("#fig-it .site").first.locator(".name").nth(2).click()
    assert page.evaluate(VALUE) == {"state": None, "layer": None, "token": 3, "words": False, "pinned": True}
    largest = ["100% by the residual stream after layer 1", "43% by the attention output of layer 1"]
    assert said(page).startswith(f"At \n, the largest effects are {', '.join(largest)} and 120% by the MLP output")
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert page.evaluate(VALUE)["token"] == 3
    page.locator("#fig-it .site").first.locator(".number").nth(1).click()
    assert page.evaluate(VALUE) == {"state": None, "layer": 0, "token": None, "words": False, "pinned": True}


def test_prose_and_other_views_may_name_parts(open_figure: Callable[..., Page]) -> None:
    """What is pointed at is lent and given back; tokens that are not here, and heads, are nothing."""
    page = open_figure(small())
    view = "document.querySelector('#fig-it .view')"
    page.evaluate(f"{view}.show({{ state: 'mlp', layer: 1, token: 3 }})")
    assert "MLP output of layer 1" in said(page)
    assert page.evaluate(VALUE) == {"state": None, "layer": None, "token": None, "words": False, "pinned": False}
    page.evaluate(f"{view}.show(null)")
    assert said(page).startswith("States of the clean run")
    page.evaluate(f"{view}.follow({{ part: 'self', layer: 0, head: 3, token: 0 }})")
    assert said(page).startswith("In layer 0, the largest effects are 100% by the residual stream after layer 0 at  B")
    page.evaluate(f"{view}.show({{ state: 'mlp' }}, {{ pin: true }})")
    assert page.evaluate(VALUE) == {"state": "mlp", "layer": None, "token": None, "words": False, "pinned": True}
    assert said(page).startswith("Largest of all is 120% by the MLP output of layer 1 at")


@pytest.mark.parametrize("width", [360, 800, 1280])
def test_grids_line_up(width: int, open_figure: Callable[..., Page]) -> None:
    """Layers of all grids are as wide; side by side rows stand level, under each other columns do."""
    page = open_figure(KIND, width=width)
    boxes = page.locator("#fig-it .cell").evaluate_all(
        "cells => cells.map((cell) => cell.getBoundingClientRect()).map(({ x, y, width }) => [x, y, width])"
    )
    n = example(KIND)["data"]["n_layers"]
    firsts = boxes[:: len(boxes) // 3]
    assert max(w for *_, w in boxes) - min(w for *_, w in boxes) < 0.1
    assert min(w for *_, w in boxes) >= 6
    assert len({round(y if width >= 800 else x) for x, y, _ in firsts}) == 1
    assert boxes[n - 1][0] + boxes[n - 1][2] <= width
    shown = page.locator("#fig-it .site").first.locator(".numbers .number:not(:first-child) span:not(.spoken)")
    places = shown.evaluate_all(
        "e => e.map((number) => number.getBoundingClientRect()).map(({ left, right }) => [left, right])"
    )
    assert all(b[0] - a[1] >= 2 for a, b in pairwise(places))


def test_the_largest_effects_are_listed_without_scripts(open_figure: Callable[..., Page]) -> None:
    """A table for those who cannot see shades."""
    page = open_figure(small(), java_script_enabled=False, wait=False)
    page.locator("#fig-it .rows summary").click()
    rows = page.locator("#fig-it .rows tbody tr")
    assert rows.count() == 12
    assert rows.nth(4).locator("th, td").all_text_contents() == ["Attention output", "1", "\n", "43%"]
    assert rows.nth(5).locator("td").last.text_content() == "−25%"
