"""Footnotes as side notes: beside their marks where there is a margin, over nothing, and at the end elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from reading_site import build_reading_site
from served import BASE, serve_site
from visits import Visit, visit

OVERLAPS = """() => {
  const wide = [...document.querySelectorAll(".article-body > :is(.l-page, .l-screen) > :not(figcaption)")];
  const notes = [...document.querySelectorAll(".footnote")];
  const others = document.querySelectorAll(".aside, .contents > *, .article-body :is(p, figcaption), .references li");
  const boxes = [...notes, ...wide, ...others].map((e) => [e, e.getBoundingClientRect()]);
  return boxes.flatMap(([a, one], i) => boxes.slice(i + 1)
    .filter(([b]) => !a.contains(b) && !b.contains(a) && (notes.includes(a) || notes.includes(b)))
    .filter(([, two]) => one.left < two.right && two.left < one.right && one.top < two.bottom && two.top < one.bottom)
    .map(([b]) => [a.id || a.className, b.id || b.className]));
}"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the site."""
    server = serve_site(build_reading_site(tmp_path_factory.mktemp("sidenotes"), sidenotes=True))
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def arrive(chromium: Browser, host: str) -> Iterator[Callable[..., Page]]:
    """Open the article for one test, in which nothing may go wrong."""
    visits: list[Visit] = []

    def arrive(width: int, **options: Any) -> Page:
        visits.append(visit(chromium, host, f"{BASE}notes/", viewport={"width": width, "height": 900}, **options))
        page = visits[-1].page
        page.wait_for_load_state("networkidle")
        if options.get("java_script_enabled", True):
            page.evaluate("document.fonts.ready.then(() => new Promise(requestAnimationFrame))")
        return page

    yield arrive
    for opened in visits:
        opened.context.close()
    assert not [complaint for opened in visits for complaint in opened.complaints]


@pytest.mark.parametrize("width", [1180, 1280, 1600])
def test_side_notes_lie_over_nothing(arrive: Callable[..., Page], width: int) -> None:
    """Not over one another, asides, what is as wide as the page, the contents, or the list at the end."""
    page = arrive(width)
    assert page.locator(".footnote").count() > 12
    assert page.evaluate(OVERLAPS) == []
    right = page.evaluate(
        "Math.max(...[...document.querySelectorAll('.footnote')].map((e) => e.getBoundingClientRect().right))"
    )
    assert right <= width
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("width", [1280, 1600])
def test_a_side_note_is_beside_its_mark(arrive: Callable[..., Page], width: int) -> None:
    """Within a line where nothing is in its place; the text does not move for it."""
    page = arrive(width)
    for number in (1, 2, 3, 13, 14):
        mark = page.locator(f".article-body a[href='#fn-{number}']").first.bounding_box()
        note = page.locator(f"#fn-{number}").bounding_box()
        assert mark
        assert note
        assert abs(note["y"] - mark["y"]) < 24, number
        assert note["x"] > mark["x"] + mark["width"]


def test_side_notes_stay_beside_the_text_when_it_changes(arrive: Callable[..., Page]) -> None:
    """What grows above them moves them along."""
    page = arrive(1280)
    page.evaluate("document.querySelector('.article-body > p').style.paddingBottom = '300px'")
    page.wait_for_function("""() => {
      const [mark, note] = [".article-body a[href='#fn-2']", "#fn-2"].map((it) => document.querySelector(it));
      return Math.abs(mark.getBoundingClientRect().top - note.getBoundingClientRect().top) < 24;
    }""")
    assert page.evaluate(OVERLAPS) == []


def test_a_mark_leads_to_its_side_note_and_back(arrive: Callable[..., Page]) -> None:
    """No card says again what is seen; Enter goes to the note, and the note's link to the mark."""
    page = arrive(1280)
    mark = page.locator(".article-body a[href='#fn-2']")
    mark.hover()
    expect(page.locator("#fn-2")).to_have_class("footnote is-pointed")
    mark.press("Enter")
    expect(page.locator("#fn-2")).to_be_focused()
    expect(page.locator("#fn-2")).to_be_in_viewport()
    assert page.locator(".card:popover-open").count() == 0
    page.locator("#fn-2 [role=doc-backlink]").press("Enter")
    page.wait_for_url("**#fnref-2")


def test_narrower_pages_have_cards_and_notes_at_the_end(arrive: Callable[..., Page]) -> None:
    """Also after a window has become narrower, and beside the text again when it is wide."""
    page = arrive(1280)
    end, first = page.locator(".references").bounding_box(), page.locator("#fn-1").bounding_box()
    assert end
    assert first
    assert first["y"] < end["y"] / 2
    page.set_viewport_size({"width": 1000, "height": 900})
    page.locator(".article-body a[href='#fn-1']").first.click()
    expect(page.locator(".footnote-card:popover-open")).to_be_visible()
    text, first = page.locator(".article-body").bounding_box(), page.locator("#fn-1").bounding_box()
    assert text
    assert first
    assert first["y"] > text["y"] + text["height"]
    page.set_viewport_size({"width": 1280, "height": 900})
    expect(page.locator(".footnotes")).to_have_class("footnotes is-beside")
    assert page.evaluate(OVERLAPS) == []


@pytest.mark.parametrize("media", ["print", "no script"])
def test_on_paper_and_without_scripts_notes_are_at_the_end(arrive: Callable[..., Page], media: str) -> None:
    """In order, under their title, within the text's column."""
    page = arrive(1280, java_script_enabled=media == "print")
    if media == "print":
        page.emulate_media(media="print")
    expect(page.get_by_role("heading", name="Footnotes")).to_be_visible()
    tops = [note.bounding_box() for note in page.locator(".footnote").all()]
    ys = [box["y"] for box in tops if box]
    text = page.locator(".article-body").bounding_box()
    assert text
    assert len(ys) > 12
    assert ys == sorted(ys)
    assert ys[0] > text["y"] + text["height"] - 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_beside_the_text(arrive: Callable[..., Page], scheme: str) -> None:
    """Contrast too: notes are small."""
    found = Axe().run(arrive(1280, color_scheme=scheme)).response["violations"]
    assert not found, [(v["id"], [n["target"] for n in v["nodes"]][:5]) for v in found]
