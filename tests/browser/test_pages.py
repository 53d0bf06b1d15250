"""The pages of the real site: silent, small, steady, within the window, and without a violation that axe finds."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import feedparser
import pytest
from axe_playwright_python.sync_playwright import Axe
from kinds import KINDS, SITE
from playwright.sync_api import Browser
from served import BASE, LOST
from visits import Visit, visit

from builder.article import read_article

pytestmark = pytest.mark.weights

ARTICLES = [
    article.slug
    for file in sorted(SITE.content.glob("*/article.md"))
    if not (article := read_article(file, SITE)).meta.draft
]
ADDRESSES = {"index": BASE, "404": LOST, "tag": f"{BASE}tags/smollm2/", **{slug: f"{BASE}{slug}/" for slug in ARTICLES}}

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
SCREENS: dict[str, dict[str, Any]] = {"desk": {}, "phone": PHONE}

KB = 1000

METHODS = "(open) => document.querySelectorAll('.figure-method').forEach((method) => (method.open = open))"

WIDE = """() => [...document.querySelectorAll("main *")]
  .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && e.checkVisibility({ visibilityProperty: true }))
  .filter((e) => !e.closest(".heat, .code, .equation-body, .table-scroll, .scroller, .predictions, .neurons, .board"))
  .filter((e) => !e.closest(".katex-mathml, .hide-tail, .card, .visually-hidden, .spoken"))
  .map((e) => e.outerHTML.slice(0, 90))"""
"""What is seen over the right edge, not in a box that scrolls, nor in one that cuts it off (a long root's line)."""

FIGURES = re.compile(r"<figure [^>]*data-view.*?</figure>", re.DOTALL)
"""What computed figures are without scripts: their answers, the checks of these, and where they come from."""


@pytest.fixture(scope="module", params=[(name, screen) for name in ADDRESSES for screen in SCREENS], ids="-".join)
def read(request: pytest.FixtureRequest, chromium: Browser, real_site: tuple[Path, str]) -> Iterator[Visit]:
    """A page, on a desk and on a phone, after it was read once; at the end nothing may have gone wrong."""
    name, screen = request.param
    opened = visit(chromium, real_site[1], ADDRESSES[name], **SCREENS[screen])
    opened.read()
    yield opened
    opened.context.close()
    assert not opened.complaints, opened.complaints


def test_a_page_says_nothing_and_asks_no_other_host(read: Visit) -> None:
    """No message in the console, no error, nothing missing, no request that leaves the site."""
    assert not read.complaints


def test_nothing_jumps_while_a_page_is_read(read: Visit) -> None:
    """All layout shifts together, while fonts come and figures are drawn, are below 0.05."""
    assert sum(value for value, *_ in read.shifts) < 0.05, read.shifts


def test_a_page_is_small(read: Visit) -> None:
    """On the wire: 300 KB before it is scrolled, and scripts of 60 KB in all and 5 KB for each kind that it shows.

    Figures' data are no part of it, be they fetched or in the page itself, where they stand for those without scripts.
    """
    sizes = {r.url.removeprefix(read.host): r.request.sizes()["responseBodySize"] for r in read.responses}
    assert all(sizes.values()), sizes
    first = {response.url.removeprefix(read.host) for response in read.first}
    page = next(response for response in read.responses if response.request.is_navigation_request()).text()
    answers = len(gzip.compress(page.encode())) - len(gzip.compress(FIGURES.sub("", page).encode()))
    assert sum(sizes[url] for url in first if "/data/" not in url) - answers <= 300 * KB, (answers, sizes)
    kinds = set(re.findall(r'data-kind="(\w+)"', page))
    kinds |= {used for kind in kinds for used in KINDS[kind].uses}
    assert sum(size for url, size in sizes.items() if url.endswith(".js")) <= (60 + 5 * len(kinds)) * KB, sizes


def test_a_reader_reads_the_feed(real_site: tuple[Path, str]) -> None:
    """With feedparser, without complaint: every article in full, its formulas and figures without a script."""
    found = feedparser.parse(real_site[0] / "feed.xml")
    assert found.bozo == 0, found.bozo_exception
    assert {entry.link for entry in found.entries} == {f"https://example.org{BASE}{slug}/" for slug in ARTICLES}
    for entry in found.entries:
        content = entry.content[0].value
        page = (real_site[0] / entry.link.removeprefix(f"https://example.org{BASE}") / "index.html").read_text()
        assert len(content) > 10 * KB
        assert ("<math" in content) == ("<math" in page)
        assert (">References</h2>" in content) == (">References</h2>" in page)
        shaded = re.search(r'data-kind="(?!tokens")', page)  # which shades nothing
        assert ("background-color" in content) == bool(shaded)
        assert not re.search(r"<script|<[^>]*\sclass=", content)
        assert not [url for url in re.findall(r'<[^>]*\s(?:src|href)="([^"]*)"', content) if not url.startswith("http")]


def test_figures_data_is_small(real_site: tuple[Path, str]) -> None:
    """200 KB each, before compression."""
    data = {file.name: file.stat().st_size for file in (real_site[0] / "data").glob("*.json")}
    assert data
    assert max(data.values()) <= 200 * KB, data


def test_method_notes_lose_no_spaces(read: Visit) -> None:
    """Templates trim the white space around their tags: after a bracket or a full stop there is some left."""
    for note in read.page.locator(".method-note").all():
        text = note.text_content() or ""
        assert not re.search(r"\)\w|[a-z][.,;:][A-Za-z]", text), text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(read: Visit, scheme: str) -> None:
    """With all figures drawn, a method opened, and a citation's card open."""
    page = read.page
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.evaluate(METHODS, True)
    marks = page.locator("a[data-card]")
    if marks.count():
        marks.first.press("Enter")
        page.locator(".card:popover-open").wait_for()
    page.wait_for_function("document.getAnimations().length === 0")
    found = Axe().run(page).response["violations"]
    page.keyboard.press("Escape")
    page.evaluate(METHODS, False)
    page.emulate_media(color_scheme="light")
    assert not found, [(v["id"], [n["target"] for n in v["nodes"]][:5], v["nodes"][0]["failureSummary"]) for v in found]


def test_no_page_is_wider_than_the_window(read: Visit) -> None:
    """What is wide scrolls in itself, on a desk as on the narrowest phone, with methods open too."""
    page = read.page
    before = page.viewport_size
    assert before is not None
    page.evaluate(METHODS, True)
    found = {}
    for width in (320, 360) if before["width"] < 500 else (768, 900, 1280, 1600):
        page.set_viewport_size({**before, "width": width})
        wide = page.evaluate(WIDE)
        if wide or page.evaluate("document.documentElement.scrollWidth") != width:
            found[width] = wide
    page.evaluate(METHODS, False)
    page.set_viewport_size(before)
    assert not found
