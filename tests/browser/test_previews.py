"""Cards of references, notes and citations, on a page of a built site: by mouse, finger and keyboard, and on paper."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect
from reading_site import build_reading_site
from served import BASE, serve_site
from visits import Visit, visit

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
OPEN = ".card:popover-open"

TARGETS = {
    "fig-both": ("Figure 1", "Two of a kind."),
    "fig-left": ("Figure 1a", "On the left."),
    "fig-wide": ("Figure 2", "From side to side."),
    "tbl-models": ("Table 1", "Many models."),
    "eq-energy": ("Equation 1", ""),
    "sec-last": ("the section", "The last"),
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the site."""
    server = serve_site(build_reading_site(tmp_path_factory.mktemp("reading"), sidenotes=False))
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def arrive(chromium: Browser, host: str) -> Iterator[Callable[..., Page]]:
    """Open the article for one test, in which nothing may go wrong."""
    visits: list[Visit] = []

    def arrive(**options: Any) -> Page:
        visits.append(visit(chromium, host, f"{BASE}notes/", **options))
        return visits[-1].page

    yield arrive
    for opened in visits:
        opened.context.close()
    assert not [complaint for opened in visits for complaint in opened.complaints]


def reference(page: Page, target: str) -> Locator:
    """Return the text's first reference to something."""
    return page.locator(f"a.reference[href='#{target}']").first


@pytest.mark.parametrize("target", TARGETS)
def test_a_reference_shows_what_it_leads_to(arrive: Callable[..., Page], target: str) -> None:
    """A copy with its caption, that has no id twice and nothing to tab to but the way there; a click goes there."""
    page = arrive()
    link = reference(page, target)
    link.hover()
    card = page.locator(OPEN)
    name, words = TARGETS[target]
    expect(card).to_contain_text(words)
    expect(card).not_to_contain_text("Method and data")
    expect(card.get_by_role("link")).to_have_text([f"Go to {name}"])
    assert card.locator("[id], [tabindex]").count() == 0
    box, window = card.bounding_box(), page.viewport_size
    assert box
    assert window
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= window["height"]
    if body := {"fig": "img", "tbl": "th", "eq-": ".katex"}.get(target[:3]):
        copy = card.locator(body).first.bounding_box()
        assert copy
        assert 0 < copy["width"] <= box["width"]
    page.mouse.move(2, 2)
    expect(card).to_have_count(0)
    link.click()
    page.wait_for_url(f"**#{target}")
    expect(card).to_have_count(0)


def test_a_section_shows_no_words_of_the_next(arrive: Callable[..., Page]) -> None:
    """How it begins, unless that is something else than a paragraph: then its title alone."""
    page = arrive()
    page.evaluate("document.querySelector('#sec-last').after(document.createElement('h2'))")
    reference(page, "sec-last").hover()
    expect(page.locator(f"{OPEN} > p")).to_have_text([re.compile("The last"), "Go to the section"])


def test_who_only_reads_loads_no_cards(arrive: Callable[..., Page]) -> None:
    """Their scripts come when a reader points, touches or tabs, and what was done before they came is done then."""
    page = arrive()
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url.rpartition("/")[2]))
    page.evaluate("scrollTo(0, 1000)")
    page.wait_for_load_state("networkidle")
    assert not {"cards.js", "previews.js"} & {*loaded}
    reference(page, "fig-wide").press("Enter")
    expect(page.locator(OPEN)).to_be_focused()
    assert {"cards.js", "previews.js"} <= {*loaded}


def test_by_keyboard_a_card_opens_and_escape_returns(arrive: Callable[..., Page]) -> None:
    """Enter opens it, Tab finds its link, Escape brings the focus back; Enter on the link goes there."""
    page = arrive()
    link = reference(page, "fig-wide")
    link.press("Enter")
    expect(page.locator(OPEN)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Go to Figure 2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(OPEN)).to_have_count(0)
    expect(link).to_be_focused()
    link.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**#fig-wide")
    expect(page.locator(OPEN)).to_have_count(0)


def test_by_finger_a_card_opens_and_leads_on(arrive: Callable[..., Page]) -> None:
    """A tap opens it within the phone and goes nowhere; a tap on its link does, and one elsewhere closes it."""
    page = arrive(**PHONE)
    link = reference(page, "fig-both")
    link.tap()
    card = page.locator(OPEN)
    box = card.bounding_box()
    assert box
    assert box["x"] >= 8
    assert box["x"] + box["width"] <= 352
    assert "#" not in page.url
    page.touchscreen.tap(3, 3)
    expect(card).to_have_count(0)
    link.tap()
    card.get_by_role("link").tap()
    page.wait_for_url("**#fig-both")
    expect(card).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_open_cards(arrive: Callable[..., Page], scheme: str) -> None:
    """Of each sort of thing that a reference leads to, and of a note."""
    page = arrive(color_scheme=scheme)
    for link in [*(reference(page, target) for target in TARGETS), page.locator(".footnote-mark > a").first]:
        link.press("Enter")
        page.locator(OPEN).wait_for()
        page.wait_for_function("document.getAnimations().length === 0")
        found = Axe().run(page).response["violations"]
        assert not found, [(v["id"], [n["target"] for n in v["nodes"]][:5]) for v in found]
        page.keyboard.press("Escape")


def test_a_card_may_open_another(arrive: Callable[..., Page]) -> None:
    """A citation in a note: its card lies over the note's, and Escape goes back one step at a time."""
    page = arrive()
    mark = page.locator(".article-body a[href='#fn-1']").first
    mark.press("Enter")
    inner = page.locator(".footnote-card:popover-open .citation-mark")
    inner.press("Enter")
    expect(page.locator(OPEN)).to_have_count(2)
    expect(page.locator(".citation-card:popover-open")).to_be_focused()
    page.keyboard.press("Escape")
    expect(inner).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(OPEN)).to_have_count(0)
    expect(mark).to_be_focused()
    page.evaluate("document.fonts.ready.then(() => true)")  # letters that come late move a card from under the pointer
    page.wait_for_load_state("networkidle")
    mark.hover()
    expect(inner).to_be_visible()
    box = inner.bounding_box()
    assert box
    # not by `hover`, which scrolls when it tries again: the mark goes from under the pointer, and its card with it
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(OPEN)).to_have_count(2)
    page.mouse.move(2, 2)
    expect(page.locator(OPEN)).to_have_count(0)


def test_every_mark_of_a_note_opens_its_card(arrive: Callable[..., Page]) -> None:
    """In captions, tables, headings and lists too; a note that is called twice has two marks and two ways back."""
    page = arrive()
    marks = page.locator(".article-body .footnote-mark > a")
    assert marks.count() > 12
    for mark in marks.all():
        mark.press("Enter")
        expect(page.locator(".footnote-card:popover-open")).to_have_count(1)
        page.keyboard.press("Escape")
        expect(mark).to_be_focused()
    backs = page.locator("#fn-1 .footnote-backlinks > a")
    assert [back.get_attribute("href") for back in backs.all()] == ["#fnref-1", "#fnref-1-2"]


def test_what_a_phone_cannot_show_at_once_scrolls_in_itself(arrive: Callable[..., Page]) -> None:
    """A long equation is reached by the keyboard and not cut; figures within a figure stand under one another."""
    page = arrive(**PHONE)
    equation = page.locator("#eq-energy .equation-body")
    assert equation.evaluate("e => e.scrollWidth > e.clientWidth && e.scrollHeight <= e.clientHeight + 1")
    equation.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")
    boxes = [part.bounding_box() for part in page.locator("#fig-both .figure-part").all()]
    assert boxes[0]
    assert boxes[1]
    assert boxes[0]["x"] == boxes[1]["x"]
    assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"]
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_figures_within_a_figure_stand_side_by_side_on_a_desk(arrive: Callable[..., Page]) -> None:
    """In as many columns as the author says, with captions on one line."""
    page = arrive()
    left, right = (caption.bounding_box() for caption in page.locator("#fig-both .figure-part figcaption").all())
    assert left
    assert right
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] < right["x"]


def test_contents_are_closed_on_phones_alone(arrive: Callable[..., Page]) -> None:
    """A tap opens them; on a desk they stand beside the text, and without scripts they are a list anywhere."""
    page = arrive(**PHONE)
    links = page.locator(".contents a")
    expect(links.first).to_be_hidden()
    page.locator(".contents summary").tap()
    expect(links.first).to_be_visible()
    expect(arrive().locator(".contents a").first).to_be_visible()
    expect(arrive(**PHONE, java_script_enabled=False).locator(".contents a").first).to_be_visible()


@pytest.mark.parametrize("width", [768, 1280])
def test_contents_follow_the_reader(arrive: Callable[..., Page], width: int) -> None:
    """One link is the current one, that of the section which a click has led to."""
    page = arrive(viewport={"width": width, "height": 700})
    current = page.locator(".contents a[aria-current=location]")
    expect(current).to_have_count(0)
    page.locator(".contents a[href='#a-title']").click()
    expect(current).to_have_attribute("href", "#a-title")
    page.keyboard.press("End")
    expect(current).to_have_count(1)
    expect(current).not_to_have_attribute("href", "#a-title")


def test_an_articles_neighbours_are_at_its_end(arrive: Callable[..., Page]) -> None:
    """The older one, here; on paper none."""
    page = arrive()
    link = page.get_by_role("navigation", name="More articles").get_by_role("link")
    expect(link).to_have_text(["Previous On old"], use_inner_text=True)
    page.emulate_media(media="print")
    expect(link).to_be_hidden()
    page.emulate_media(media="screen")
    link.click()
    page.wait_for_url("**/project/old/")


def test_without_scripts_references_and_marks_are_links(arrive: Callable[..., Page]) -> None:
    """To the thing itself, and to the note at the end."""
    page = arrive(java_script_enabled=False)
    reference(page, "fig-wide").click()
    expect(page.locator("#fig-wide")).to_be_in_viewport()
    page.locator(".article-body a[href='#fn-2']").click()
    expect(page.locator("#fn-2")).to_be_in_viewport()
    assert page.locator(OPEN).count() == 0
