"""Hover cards of citations and footnotes, in a real browser: by mouse, by keyboard, by finger, and without a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

SCRIPT = Path(__file__).parents[2] / "theme" / "js" / "cards.js"

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Cards</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<style>body {{ margin: 0 }} p {{ margin: 60px }} .card {{ width: 300px; box-sizing: border-box }}</style>
<p><a id="one" href="#ref-a" data-card="card-a">1</a> and <a id="two" href="#ref-b" data-card="card-b">2</a>
<p style="text-align: right"><a id="far" href="#ref-a" data-card="card-a">3</a> <button>elsewhere</button>
<p style="height: 2000px"><p id="ref-a">The list</p><p id="ref-b">and on</p>
<aside class="card" id="card-a" popover tabindex="-1">A <a id="inside" href="#ref-a">[1]</a></aside>
<aside class="card" id="card-b" popover tabindex="-1">B</aside>
{script}</html>"""


@pytest.fixture
def cards(chromium: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open a page with three citations and two cards, straight from the disk, as a reader might who saved it."""
    errors: list[str] = []
    contexts = []

    def cards(script: bool = True, width: int = 1000, height: int = 800, **options: Any) -> Page:
        element = f'<script type="module">{SCRIPT.read_text(encoding="utf-8")}</script>' if script else ""
        (tmp_path / "cards.html").write_text(PAGE.format(script=element), encoding="utf-8")
        contexts.append(chromium.new_context(viewport={"width": width, "height": height}, **options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((tmp_path / "cards.html").as_uri())
        return page

    yield cards
    for context in contexts:
        context.close()
    assert not errors


def test_hovering_opens_a_card_and_leaving_closes_it(cards: Callable[..., Page]) -> None:
    """A card opens under the pointer, stays while the pointer is on it, and goes when the pointer goes."""
    page = cards()
    page.hover("#one")
    expect(page.locator("#card-a")).to_be_visible()
    page.hover("#card-a")
    page.wait_for_timeout(400)
    expect(page.locator("#card-a")).to_be_visible()
    page.hover("button")
    expect(page.locator("#card-a")).to_be_hidden()


def test_a_click_keeps_the_card_until_a_click_elsewhere(cards: Callable[..., Page]) -> None:
    """A kept card does not mind where the pointer is; a second click on its link closes it too."""
    page = cards()
    page.click("#one")
    page.hover("button")
    page.wait_for_timeout(400)
    expect(page.locator("#card-a")).to_be_visible()
    expect(page.locator("#one")).to_have_attribute("aria-expanded", "true")
    page.click("#one")
    expect(page.locator("#card-a")).to_be_hidden()
    page.click("#one")
    page.click("button")
    expect(page.locator("#card-a")).to_be_hidden()
    expect(page.locator("#one")).to_have_attribute("aria-expanded", "false")
    assert page.evaluate("scrollY") == 0


def test_enter_opens_a_card_and_escape_brings_the_focus_back(cards: Callable[..., Page]) -> None:
    """By keyboard the card's links come next, and Escape returns to the text."""
    page = cards()
    page.focus("#one")
    page.keyboard.press("Enter")
    expect(page.locator("#card-a")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#inside")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#card-a")).to_be_hidden()
    expect(page.locator("#one")).to_be_focused()


@pytest.mark.parametrize("preview", [False, True])
def test_enter_in_firefox_is_no_click_of_a_mouse(preview: bool, cards: Callable[..., Page]) -> None:
    """There a click by keyboard has the detail 1, and no type of pointer: the card opens too, and has the focus."""
    page = cards()
    page.click("button")  # a mouse was there before
    page.evaluate(f"document.querySelector('#one').toggleAttribute('data-preview', {str(preview).lower()})")
    click = "new PointerEvent('click', { detail: 1, pointerType: '', bubbles: true, cancelable: true })"
    assert page.evaluate(f"document.querySelector('#one').dispatchEvent({click})") is False  # not followed
    expect(page.locator("#card-a")).to_be_focused()


def test_one_card_is_open_at_a_time(cards: Callable[..., Page]) -> None:
    """Opening another card closes the one before."""
    page = cards()
    page.click("#one")
    page.click("#two")
    expect(page.locator("#card-b")).to_be_visible()
    expect(page.locator("#card-a")).to_be_hidden()
    expect(page.locator("#one")).to_have_attribute("aria-expanded", "false")


def test_a_tap_opens_a_card_that_fits_the_window(cards: Callable[..., Page]) -> None:
    """On a telephone a tap opens the card, within the window and beside its link; the page stays where it is."""
    page = cards(width=360, height=640, has_touch=True, is_mobile=True)
    page.tap("#far")
    card = page.locator("#card-a")
    expect(card).to_be_visible()
    box, link = card.bounding_box(), page.locator("#far").bounding_box()
    assert box
    assert link
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    assert link["y"] + link["height"] <= box["y"] <= link["y"] + link["height"] + 40
    assert page.evaluate("location.hash") == ""
    page.tap("button")
    expect(card).to_be_hidden()


def test_a_card_of_several_works_begins_with_the_one_pointed_at(cards: Callable[..., Page]) -> None:
    """It is scrolled to it, where it does not show all of them; the page stays where it is."""
    page = cards()
    page.evaluate(
        """() => {
          const parts = ["a", "b"].map((key) => `<div style="height: 400px"><a href="#ref-${key}">[${key}]</a></div>`);
          document.querySelector("#card-a").innerHTML = parts.join("");
          document.querySelector("#card-a").style.cssText = "height: 300px; overflow: auto";
          document.querySelector("#two").dataset.card = "card-a";
        }"""
    )
    page.click("#two")
    assert page.evaluate("document.querySelector('#card-a').scrollTop") == 400
    page.click("button")
    page.click("#one")
    assert page.evaluate("document.querySelector('#card-a').scrollTop") == 0
    assert page.evaluate("scrollY") == 0


def test_a_link_in_a_card_closes_it_and_leads_to_the_list(cards: Callable[..., Page]) -> None:
    """The number on a card goes to the reference list."""
    page = cards()
    page.click("#one")
    page.click("#inside")
    expect(page.locator("#card-a")).to_be_hidden()
    assert page.evaluate("location.hash") == "#ref-a"


def test_without_script_a_citation_is_a_link_to_the_list(cards: Callable[..., Page]) -> None:
    """Cards are an extra: the number always leads to its reference."""
    page = cards(script=False)
    page.click("#one")
    assert page.evaluate("location.hash") == "#ref-a"
    expect(page.locator("#card-a")).to_be_hidden()
