"""Galleries: panels side by side with one scale, each its own explorable, one of them at a time if the reader likes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from harness import Harness
from kinds import example
from playwright.sync_api import Page


@pytest.fixture
def gallery(open_page: Callable[..., Page], harness: Harness) -> Callable[..., Page]:
    """Open a page with a gallery of three panels."""

    def open_gallery(query: str = "", kind: str = "saliency", **options: object) -> Page:
        titles = ("London", "a longer title, of a prompt that goes on", "<b>third</b>")
        panels = [{**example(kind), "title": title} for title in titles]
        page = open_page(harness.write("gallery", {"fig-it": panels}) + query, **options)
        page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
        return page

    return open_gallery


def test_every_panel_is_an_explorable_of_its_own(gallery: Callable[..., Page]) -> None:
    """Pins are kept by panel and survive a reload."""
    page = gallery()
    assert page.locator("#fig-it .panel .view").count() == 3
    page.locator("#fig-it-panel-2 .view [data-item][tabindex]").nth(3).click()
    assert "fig-it-panel-2=" in page.url
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    pinned = page.evaluate("[...document.querySelectorAll('#fig-it .view')].map((view) => view.value.pinned)")
    assert pinned == [False, True, False]
    assert page.evaluate("document.querySelector('#fig-it').views.length") == 3


def test_the_reader_switches_among_panels(gallery: Callable[..., Page]) -> None:
    """By mouse or keyboard; the figure's own keys are not disturbed, titles are text."""
    page = gallery()
    page.get_by_label("<b>third</b>").first.check()
    assert page.locator("#fig-it .panel:visible").count() == 1
    page.keyboard.press("ArrowLeft")
    assert page.locator("#fig-it-panel-2").is_visible()
    page.get_by_label("all", exact=True).check()
    assert page.locator("#fig-it .panel:visible").count() == 3
    assert page.locator("#fig-it .panel-title b").count() == 0


@pytest.mark.parametrize(("width", "columns"), [(360, 1), (1280, 3)])
def test_panels_stand_side_by_side_where_they_fit(gallery: Callable[..., Page], width: int, columns: int) -> None:
    """And below each other on a phone, without a page that scrolls sideways."""
    page = gallery(width=width)
    lefts = page.evaluate("[...document.querySelectorAll('#fig-it .panel')].map((p) => p.getBoundingClientRect().left)")
    assert len(set(lefts)) == columns
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_a_gallery(gallery: Callable[..., Page], scheme: str) -> None:
    """Three views in one figure are still one figure with named parts."""
    results = Axe().run(gallery(color_scheme=scheme), context="#fig-it")
    assert results.violations_count == 0, results.generate_report()
