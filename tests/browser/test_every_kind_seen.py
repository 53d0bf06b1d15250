"""How every kind of figure looks, whatever it shows: legible, in its place, still, and there without scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from harness import Harness
from kinds import example, hostile
from playwright.sync_api import Page
from views import CONTRASTS, every_kind

TEXTS = ".token, td, th, q, .share, .readout p, .tip dt, .tip dd, .legend span"


@every_kind
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(kind: str, scheme: str, open_figure: Callable[..., Page]) -> None:
    """No violation with a selection pinned and everything open."""
    page = open_figure(kind, color_scheme=scheme)
    page.locator("#fig-it .view [data-item][tabindex]").nth(2).click()
    page.locator("#fig-it details.figure-method summary").click()
    page.wait_for_timeout(150)  # the shades' transition
    results = Axe().run(page, context="#fig-it")
    assert results.violations_count == 0, results.generate_report()


@every_kind
def test_axe_finds_nothing_in_the_fallback(kind: str, open_figure: Callable[..., Page]) -> None:
    """Nor without our scripts, with all that folds open."""
    page = open_figure(kind, without="**/mount.js", wait=False)
    page.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")
    results = Axe().run(page, context="#fig-it")
    assert results.violations_count == 0, results.generate_report()


@every_kind
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("colors", ["none", "active"])
def test_text_over_shade_is_legible(kind: str, scheme: str, colors: str, open_figure: Callable[..., Page]) -> None:
    """Contrast of at least 4.5 for every token and number, for every shade, also in forced colours."""
    page = open_figure(kind, color_scheme=scheme, forced_colors=colors, reduced_motion="reduce")
    for index in (0, 1, -1):
        page.locator("#fig-it .view [data-item][tabindex]").nth(index).click()
        contrasts = page.evaluate(CONTRASTS, f"#fig-it .view :is({TEXTS})")
        assert min(contrasts) >= 4.5


@every_kind
def test_the_theme_can_change_under_a_view(kind: str, open_figure: Callable[..., Page]) -> None:
    """Colours follow the page's own switch and the system's at once: they are style, not drawn."""
    page = open_figure(kind, color_scheme="light", reduced_motion="reduce")
    ramp = "() => getComputedStyle(document.querySelector('#fig-it .view')).color"
    light = page.evaluate(ramp)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(ramp)
    assert light != dark
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    assert page.evaluate(ramp) == light


@every_kind
@pytest.mark.parametrize("width", [360, 768, 1600])
def test_nothing_sticks_out_and_nothing_jumps(kind: str, width: int, open_figure: Callable[..., Page]) -> None:
    """No sideways scrolling of the page; the view is as tall as the fallback it replaces."""
    plain = open_figure(kind, width=width, java_script_enabled=False, wait=False)
    fallback = plain.locator("#fig-it .figure-body").bounding_box()
    page = open_figure(kind, width=width)
    view = page.locator("#fig-it .view").first.bounding_box()
    assert fallback is not None
    assert view is not None
    assert abs(view["height"] - fallback["height"]) <= 4
    page.locator("#fig-it .view [data-item][tabindex]").last.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@every_kind
def test_exploring_shifts_nothing(kind: str, open_figure: Callable[..., Page]) -> None:
    """Cumulative layout shift stays below 0.05 from the first paint through hovering over every item."""
    page = open_figure(kind, height=1200, own=True)  # with fonts that are still to come
    page.evaluate("""() => {
      window.shift = 0;
      new PerformanceObserver((list) => list.getEntries().forEach((entry) => (window.shift += entry.value)))
        .observe({ type: 'layout-shift', buffered: true });
    }""")
    items = page.locator("#fig-it .view [data-item]")
    for index in range(0, items.count(), max(1, items.count() // 20)):
        items.nth(index).hover()
    page.wait_for_timeout(100)
    assert page.evaluate("shift") < 0.05


@every_kind
def test_hostile_texts_stay_texts(kind: str, open_figure: Callable[..., Page]) -> None:
    """Whatever a vocabulary holds is shown, never parsed, in the fallback and in the view."""
    for script in (False, True):
        page = open_figure(hostile(kind), java_script_enabled=script, wait=script)
        page.on("dialog", lambda dialog: pytest.fail("a token ran as a script"))
        body = page.locator("#fig-it .figure-body")
        assert body.locator("img, script, b:not(.tip b)").count() == 0
        if "tokens" in example(kind)["data"]:
            assert "</script>" in (body.text_content() or "")
        assert page.locator("#after").count() == 1
    for item in page.locator("#fig-it .view [data-item][tabindex]").all()[:12]:
        item.hover()
    assert page.locator("#fig-it .figure-body").locator("img, script").count() == 0


@every_kind
def test_without_javascript_the_answer_is_there(kind: str, open_figure: Callable[..., Page]) -> None:
    """The fallback shows the text and is not touched."""
    page = open_figure(kind, java_script_enabled=False, wait=False)
    text = page.locator("#fig-it .figure-body").text_content() or ""
    tokens = example(kind)["data"].get("tokens", ())
    shown = [token["text"].strip() for token in tokens if token["type"] == "output"]
    assert text.strip()
    assert all(word in text for word in shown)
    assert page.locator("#fig-it[data-state]").count() == 0


@every_kind
def test_a_page_from_disk_shows_the_fallback(kind: str, open_page: Callable[..., Page], harness: Harness) -> None:
    """Modules do not load from `file://`; the reader still gets the answer."""
    harness.write(f"disk-{kind}", {"fig-it": example(kind)})
    page = open_page((harness.folder / f"disk-{kind}.html").as_uri(), broken=True)
    assert page.locator("#fig-it .view").first.is_visible()


@every_kind
def test_still_for_those_who_want_no_motion(kind: str, open_figure: Callable[..., Page]) -> None:
    """With reduced motion nothing moves or fades."""
    page = open_figure(kind, reduced_motion="reduce")
    durations = page.evaluate("""() => [...document.querySelectorAll('#fig-it .view, #fig-it .view *')]
      .map((element) => getComputedStyle(element)).flatMap((s) => [s.transitionDuration, s.animationDuration])""")
    assert {d for text in durations for d in text.split(", ")} <= {"0s", "1e-05s", "0.01ms"}
