"""What readers do with the pages of the real site: by mouse, finger and keyboard, on paper, and without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from served import BASE
from test_pages import ARTICLES, PHONE, WIDE
from visits import visit

pytestmark = pytest.mark.weights

ARTICLE = BASE + "interfaces/"
every_article = pytest.mark.parametrize("slug", ARTICLES)
MARK = ".article-body a[data-card]"  # cards hold citations too
OUTPUT = "[role=button].token[data-type=output]"


@pytest.fixture
def arrive(chromium: Browser, real_site: tuple[Path, str]) -> Iterator[Callable[..., Page]]:
    """Open a page for one test, in which nothing may go wrong."""
    visits = []

    def arrive(address: str = ARTICLE, **options: Any) -> Page:
        visits.append(visit(chromium, real_site[1], address, **options))
        return visits[-1].page

    yield arrive
    for opened in visits:
        opened.context.close()
    assert not [complaint for opened in visits for complaint in opened.complaints]


def figure(page: Page, anchor: str) -> Any:
    """Scroll to a figure and wait until it is drawn."""
    found = page.locator(f"#{anchor}")
    found.scroll_into_view_if_needed()
    page.locator(f"#{anchor}[data-state=ready]").wait_for(state="attached")
    return found


@every_article
def test_a_page_is_whole_without_scripts(arrive: Callable[..., Page], slug: str) -> None:
    """Every figure shows its answer, every citation leads to its entry, no button does nothing."""
    page = arrive(f"{BASE}{slug}/", java_script_enabled=False)
    for body in page.locator("[data-kind] .figure-body").all():
        assert body.bounding_box()["height"] > 60  # type: ignore[index]
        assert len(body.inner_text()) > 20
    for mark in page.locator(MARK).all():
        assert page.locator(mark.get_attribute("href") or "none").count() == 1
    expect(page.locator(".theme-toggle")).to_be_hidden()
    if page.locator(".citation-mark").count():  # an article may cite nothing
        page.locator(".citation-mark").first.click()
        expect(page.locator(".references li").first).to_be_in_viewport()


@every_article
def test_the_keyboard_reaches_everything_in_order(arrive: Callable[..., Page], slug: str) -> None:
    """First the skip link, then down the page: contents, figures, citations; each is in sight and has a ring."""
    page = arrive(f"{BASE}{slug}/")
    walked = []
    lost = 0
    for _ in range(1200):
        page.keyboard.press("Tab")
        walked.append(
            page.evaluate("""async () => {
          const kinds = ".skip-link, .contents, .view, .citation-mark, .figure-method, .references, .theme-toggle";
          function look() {
            const e = document.activeElement;
            if (e === document.body) return null;
            const box = e.getBoundingClientRect();
            const seen = box.bottom > 0 && box.top < innerHeight;
            const style = getComputedStyle(e);
            const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
            return [e.closest(kinds)?.className.split(" ")[0] ?? "", seen && ring ? "" : e.outerHTML.slice(0, 120)];
          }
          for (let wait = 0; wait < 200 && look()?.[1]; wait++) { // a figure may be drawn under the focus just now
            await new Promise((done) => setTimeout(done, 25));
          }
          return look();
        }""")
        )
        if walked[-1] is None:  # the end
            walked.pop()
            lost += 1
        elif walked[-1][0] == "skip-link" and len(walked) > 1:
            break
    assert walked.pop()[0] == "skip-link", "a trap, or no end"
    assert lost <= 1, "the focus is lost on the way"
    kinds = [kind for kind, _ in walked]
    assert kinds[0] == "skip-link"
    there = {"view": ".figure[data-view]:not([data-kind=tokens])", "theme-toggle": ".theme-toggle"}
    there |= {name: f".{name}" for name in ("contents", "citation-mark", "figure-method", "references")}
    assert {name for name, selector in there.items() if page.locator(selector).count()} <= {*kinds}
    assert not [unseen for _, unseen in walked if unseen]


def test_the_skip_link_leads_to_the_text(arrive: Callable[..., Page]) -> None:
    """Enter on it, and the next Tab is in the article."""
    page = arrive()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('article') !== null")


def card_is_whole(page: Page) -> None:
    """A card is open, inside the window, at least 8 px from its sides."""
    card = page.locator(".card:popover-open")
    card.wait_for()
    box, width = card.bounding_box(), page.evaluate("document.documentElement.clientWidth")
    assert box is not None
    assert box["x"] >= 8
    assert box["x"] + box["width"] <= width - 8


def test_cards_open_by_mouse(arrive: Callable[..., Page]) -> None:
    """Hovering opens, leaving closes; Escape closes what a click keeps open. A card is whole."""
    page = arrive()
    for mark in page.locator(MARK).all()[::4]:
        mark.scroll_into_view_if_needed()
        mark.hover()
        card_is_whole(page)
        page.mouse.move(2, 2)
        expect(page.locator(".card:popover-open")).to_have_count(0)
    page.locator(MARK).first.click()
    page.mouse.move(2, 2)
    card_is_whole(page)
    page.keyboard.press("Escape")
    expect(page.locator(".card:popover-open")).to_have_count(0)


def test_cards_open_by_keyboard(arrive: Callable[..., Page]) -> None:
    """Enter opens, Escape closes and leaves the focus on the citation."""
    page = arrive()
    mark = page.locator(MARK).nth(1)
    mark.press("Enter")
    card_is_whole(page)
    page.keyboard.press("Escape")
    expect(page.locator(".card:popover-open")).to_have_count(0)
    expect(mark).to_be_focused()


def test_cards_open_by_finger_within_a_phone(arrive: Callable[..., Page]) -> None:
    """A tap opens a card, as whole as on a desk; a tap elsewhere closes it."""
    page = arrive(**PHONE)
    for mark in page.locator(MARK).all()[::2]:
        mark.tap()
        card_is_whole(page)
        page.touchscreen.tap(3, 3)  # in the margin, where there is no link
        expect(page.locator(".card:popover-open")).to_have_count(0)


def test_the_theme_that_was_chosen_stays(arrive: Callable[..., Page]) -> None:
    """After a reload, on other pages, with figures drawn; choosing again undoes it."""
    page = arrive()
    eu = figure(page, "fig-eu")
    chip = "e => getComputedStyle(e.querySelector('.is-shaded')).backgroundColor"
    paper = "getComputedStyle(document.body).backgroundColor"
    day, shade = page.evaluate(paper), eu.evaluate(chip)
    page.locator(".theme-toggle").click()
    page.wait_for_function(f"day => {paper} !== day && !document.getAnimations().length", arg=day)
    night = page.evaluate(paper)
    assert eu.evaluate(chip) != shade
    page.reload()
    page.wait_for_function(f"night => {paper} === night", arg=night)
    page.locator(".site-name").click()
    page.wait_for_url("**/project/")
    page.wait_for_function(f"night => {paper} === night", arg=night)
    page.locator(".theme-toggle").click()
    page.wait_for_function(f"day => {paper} === day", arg=day)
    page.go_back()
    page.wait_for_function(f"day => {paper} === day", arg=day)


def test_a_pin_outlives_reload_and_going_back(arrive: Callable[..., Page]) -> None:
    """What is pinned is in the address: after a reload, and after a visit elsewhere, the figure shows it again."""
    page = arrive()
    eu = figure(page, "fig-eu")
    eu.locator(OUTPUT).nth(9).click()
    told = eu.locator(".readout [aria-hidden]").inner_text()
    assert "fig-eu=" in page.url
    page.reload()
    assert figure(page, "fig-eu").locator(".readout [aria-hidden]").inner_text() == told
    page.locator(".site-name").click()
    page.wait_for_url(lambda address: "fig-eu=" not in address)
    page.go_back()
    assert figure(page, "fig-eu").locator(".readout [aria-hidden]").inner_text() == told


def test_links_within_the_page_come_back(arrive: Callable[..., Page]) -> None:
    """A reference to a figure leads there, and the browser's back button to where the reader was."""
    page = arrive()
    figure(page, "fig-count-ranks")
    link = page.locator("a[href='#fig-count-ranks']:not(.figure-number)").first
    link.scroll_into_view_if_needed()
    # figures that are drawn on the way change how far down that is, but not what the reader has before them
    top = "link.getBoundingClientRect().top"
    link.evaluate(f"link => addEventListener('click', () => (window.before = {top}), {{ capture: true, once: true }})")
    link.click()
    expect(page.locator("#fig-count-ranks")).to_be_in_viewport()
    page.go_back()
    page.wait_for_function(f"link => Math.abs({top} - before) < 5", arg=link.element_handle())


@every_article
def test_paper_shows_every_figure_and_no_chrome(arrive: Callable[..., Page], slug: str) -> None:
    """Printed at once, before anything was scrolled to; nothing is wider than A4 less its margins."""
    page = arrive(f"{BASE}{slug}/", viewport={"width": 673, "height": 900})  # 178 mm
    pdf = page.pdf(format="A4")
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 4
    page.wait_for_function("document.querySelectorAll('figure[data-view]:not([data-state=ready])').length === 0")
    page.wait_for_function("document.querySelectorAll('canvas:not([width])').length === 0")
    page.emulate_media(media="print", color_scheme="dark")
    for hidden in (".site-header", ".site-footer", ".contents", ".card", ".figure-method"):
        assert not any(element.is_visible() for element in page.locator(hidden).all()), hidden
    figures = page.locator(".figure-body").all()
    assert all(body.is_visible() for body in figures)
    assert not page.evaluate(WIDE.replace(".heat, .code, .equation-body, .table-scroll,", ""))
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_nothing_moves_for_who_wants_no_motion(arrive: Callable[..., Page]) -> None:
    """With reduced motion, no animation runs: not by hovering, not for a card, not where a link leads."""
    page = arrive(reduced_motion="reduce")
    eu = figure(page, "fig-eu")
    for act in (
        lambda: eu.locator(OUTPUT).nth(4).hover(),
        lambda: page.locator(MARK).first.press("Enter"),
        lambda: page.locator("a[href='#fig-eu']:not(.figure-number)").first.click(),
        lambda: page.locator(".theme-toggle").click(),
    ):
        act()
        assert page.evaluate("document.getAnimations().filter((a) => a.effect.getTiming().duration > 1).length") == 0


def test_forced_colours_keep_the_data(arrive: Callable[..., Page]) -> None:
    """Shades are data and stay; what is selected has a line around it, which those colours do not take away."""
    page = arrive(forced_colors="active")
    eu = figure(page, "fig-eu")
    shades = eu.evaluate(
        "e => new Set([...e.querySelectorAll('.is-shaded')].map((c) => getComputedStyle(c).backgroundColor)).size"
    )
    assert shades > 5
    assert eu.locator(".is-selected").evaluate("e => getComputedStyle(e).outlineStyle") == "solid"


def test_twice_the_size_still_fits(arrive: Callable[..., Page]) -> None:
    """At 200% zoom, which is half the window, everything can be read and used: figures and cards too."""
    page = arrive(viewport={"width": 640, "height": 450}, device_scale_factor=2)
    ranks = figure(page, "fig-count-ranks")
    ranks.locator("td").nth(3).click()
    tip = ranks.locator(".tip")
    expect(tip).to_be_visible()
    box = tip.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 640
    assert page.evaluate("document.documentElement.scrollWidth") == 640
