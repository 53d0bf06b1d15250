"""Figures that follow one another: a head that is chosen in one is drawn in the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness import Harness
from kinds import example
from playwright.sync_api import Page

VALUE = "(id) => structuredClone(document.querySelector(`#${id} .view`).value)"


def open_pair(open_page: Callable[..., Page], harness: Harness, query: str = "", name: str = "follows") -> Page:
    """Open a page with a model view, and a head view that follows it."""
    results = {"fig-all": example("model_view"), "fig-one": example("head_view")}
    page = open_page(harness.write(name, results, follows={"fig-one": "fig-all"}) + query, height=2400)
    for figure in results:
        page.locator(f"#{figure}[data-state=ready]").wait_for(state="attached")
    return page


def chosen(page: Page, figure: str) -> tuple[Any, Any]:
    """Return layer and head that a figure shows."""
    value = page.evaluate(VALUE, figure)
    return value["layer"], value["head"]


def until_one_shows(page: Page, layer: int, head: int) -> None:
    """Wait until the head view shows a head."""
    page.wait_for_function(
        "([layer, head]) => { const { value } = document.querySelector('#fig-one .view'); "
        "return value?.layer === layer && value.head === head; }",
        arg=[layer, head],
    )


def test_a_head_view_draws_the_head_that_is_pinned_in_the_model_view(
    open_page: Callable[..., Page], harness: Harness
) -> None:
    """By mouse or keys; and it says in its caption whom it follows."""
    page = open_pair(open_page, harness)
    assert page.locator("#fig-one .figure-follows a").get_attribute("href") == "#fig-all"
    page.locator("#fig-all .view [data-item][tabindex]").nth(3).click()
    first = chosen(page, "fig-all")
    until_one_shows(page, *first)
    page.keyboard.press("ArrowRight")
    second = chosen(page, "fig-all")
    assert second != first
    until_one_shows(page, *second)


def test_following_is_no_choice_of_the_readers_own(open_page: Callable[..., Page], harness: Harness) -> None:
    """What follows emits nothing and does not go into the address."""
    page = open_pair(open_page, harness, name="follows-silently")
    page.evaluate("document.querySelector('#fig-one').addEventListener('input', () => (window.told = true))")
    page.locator("#fig-all .view [data-item][tabindex]").nth(3).click()
    until_one_shows(page, *chosen(page, "fig-all"))
    assert page.evaluate("window.told") is None
    assert "fig-all=" in page.url
    assert "fig-one=" not in page.url


def test_a_pin_from_the_address_is_followed(open_page: Callable[..., Page], harness: Harness) -> None:
    """A link that somebody sent shows in both figures what they saw."""
    page = open_pair(open_page, harness, name="follows-a-link")
    page.locator("#fig-all .view [data-item][tabindex]").nth(3).click()
    at = chosen(page, "fig-all")
    page.reload()
    until_one_shows(page, *at)


def test_what_is_pinned_follows_no_pointer(open_page: Callable[..., Page], harness: Harness) -> None:
    """A pin in the figure that follows stays until another is set in the one that is followed; so does its address."""
    page = open_pair(open_page, harness, name="follows-no-pointer")
    page.locator("#fig-one .strip [data-item]").nth(6).click()
    before, address = page.evaluate(VALUE, "fig-one"), page.url
    page.locator("#fig-all td[data-item]").nth(3).hover()
    page.wait_for_timeout(250)  # longer than a pointer must rest
    assert page.evaluate(VALUE, "fig-one") == before
    assert page.url == address
    page.locator("#fig-all td[data-item]").nth(3).click()
    until_one_shows(page, *chosen(page, "fig-all"))


def test_an_address_with_two_pins_shows_both(open_page: Callable[..., Page], harness: Harness) -> None:
    """The figure that follows does not take the other's head for its own when a page is opened."""
    page = open_pair(open_page, harness, name="follows-its-own-pin")
    page.locator("#fig-all td[data-item]").nth(3).click()
    until_one_shows(page, *chosen(page, "fig-all"))
    page.locator("#fig-one .strip [data-item]").nth(6).click()
    page.locator("#fig-one").get_by_role("button", name="head 0", exact=True).click()
    both = [page.evaluate(VALUE, figure) for figure in ("fig-all", "fig-one")]
    page.reload()
    for figure in ("fig-all", "fig-one"):
        page.locator(f"#{figure}[data-state=ready]").wait_for(state="attached")
    page.wait_for_timeout(250)
    assert [page.evaluate(VALUE, figure) for figure in ("fig-all", "fig-one")] == both


def test_a_pointer_that_crosses_many_heads_fetches_none_of_them(
    open_page: Callable[..., Page], harness: Harness
) -> None:
    """Only where it rests is followed."""
    page = open_pair(open_page, harness, name="follows-at-rest")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("""() => document.querySelectorAll("#fig-all .view [data-item][tabindex]").forEach((item) =>
      item.dispatchEvent(new PointerEvent("pointerover", { bubbles: true, pointerType: "mouse" })))""")
    until_one_shows(page, *chosen(page, "fig-all"))
    assert len([url for url in asked if "/data/" in url]) <= 2, asked
