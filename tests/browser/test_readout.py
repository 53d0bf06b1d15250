"""What is selected, in words: a sentence for the eye, one for the ear, and that it is pinned for both."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from kinds import KINDS, example
from playwright.sync_api import Page, expect

HEARD = "#fig-it [aria-live]"
GRIDS = {
    "ablation": ".sheet-head",
    "activations": "td[data-item]",
    "causal_trace": ".cell",
    "layer_predictions": ".prediction",
    "layer_similarity": ".cell",
    "logit_attribution": ".sheet-head",
    "rankings": "td",
    "rankings_watch": "td",
}
"""The kinds that are a grid, and its cells."""

WRITE = """async (sentences) => {
  const view = new URL(document.querySelector('#fig-it').dataset.view, document.baseURI);
  const { readout } = await import(new URL('../shared/readout.js', view));
  const { element, say } = readout();
  let changes = 0;
  new MutationObserver(() => changes++).observe(element.lastChild, { childList: true });
  document.body.append(element);
  for (const [sentence, pinned] of sentences) {
    say([sentence], sentence, pinned);
    await new Promise((done) => setTimeout(done, 400));
  }
  return [element.lastChild.textContent, changes, element.firstChild.textContent];
}"""
"""Say sentences, each once the one before has settled; return what is heard, how often it changed, what is seen."""


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_pin_is_heard(kind: str, open_figure: Callable[..., Page]) -> None:
    """Enter pins what the arrows led to, and the sentence says so; Escape lets go, and it says so no longer."""
    page = open_figure(kind)
    page.locator("#fig-it .view [tabindex='0']").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    heard = page.locator(HEARD).first
    expect(heard).to_contain_text("Pinned")
    assert ".. Pinned" not in (heard.text_content() or "")
    page.keyboard.press("Escape")
    expect(heard).not_to_contain_text("Pinned")


@pytest.mark.parametrize("kind", sorted(GRIDS))
def test_the_cell_that_is_pinned_is_selected(kind: str, open_figure: Callable[..., Page]) -> None:
    """In a grid a screen reader knows the one cell, or the name, that is pinned, and none that is only pointed at."""
    page = open_figure(kind)
    cell, selected = page.locator(f"#fig-it {GRIDS[kind]}"), page.locator("#fig-it [aria-selected=true]")
    cell.nth(3).hover()
    assert selected.count() == 0
    cell.nth(3).click()
    assert selected.count() == 1
    assert cell.nth(3).get_attribute("aria-selected") == "true"
    cell.nth(4).click()
    assert selected.count() == 1
    cell.nth(4).press("Escape")
    assert selected.count() == 0


def test_a_name_that_is_pinned_is_selected(open_figure: Callable[..., Page]) -> None:
    """A layer's name in rankings, a cluster's and a token's in activations, a token's and a layer's in a trace."""
    names = {
        "rankings": ["tbody th"],
        "activations": ["tbody th", "thead th[scope=col]"],
        "causal_trace": ["[role=rowheader]", "[role=columnheader][tabindex]"],
    }
    for kind, name in ((kind, name) for kind, found in names.items() for name in found):
        page = open_figure(kind)
        head = page.locator(f"#fig-it {name}").nth(1)
        head.click()
        assert head.get_attribute("aria-selected") == "true"
        assert page.locator("#fig-it [aria-selected]").count() == 1


def test_a_pinned_token_of_a_text_is_pressed(open_figure: Callable[..., Page]) -> None:
    """Also where courses stand below the tokens."""
    result = example("rankings")
    result["data"]["display"] = "text"
    page = open_figure(result)
    chips = page.locator("#fig-it .token[role=button]")
    chips.nth(1).click()
    pressed = [chip.get_attribute("aria-pressed") for chip in chips.all()]
    assert pressed == ["true" if n == 1 else "false" for n in range(chips.count())]
    chips.nth(1).click()
    assert chips.nth(1).get_attribute("aria-pressed") == "false"


def test_a_sentence_that_stands_there_is_not_said_again(open_figure: Callable[..., Page]) -> None:
    """It would be spoken twice; a pin makes it another, with one full stop, and ends in a mark for the eye."""
    page = open_figure("tokens")
    assert page.evaluate(WRITE, [["One.", False], ["One.", False], ["Two", False], ["Two", False]]) == ["Two", 2, "Two"]
    assert page.evaluate(WRITE, [["One.", False], ["One.", True]]) == ["One. Pinned", 2, "One.pinned"]
    assert page.evaluate(WRITE, [["One", True]]) == ["One. Pinned", 1, "Onepinned"]
