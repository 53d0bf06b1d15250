"""What every kind of figure must do, whatever it shows; the kinds are the folders that are there."""

from __future__ import annotations

import gzip
import posixpath
import re
from collections.abc import Callable
from pathlib import PurePosixPath

import pytest
from axe_playwright_python.sync_playwright import Axe
from harness import Harness
from kinds import KINDS, example, hostile
from playwright.sync_api import Page, expect

every_kind = pytest.mark.parametrize("kind", sorted(KINDS))

VALUE = "() => structuredClone(document.querySelector('#fig-it .view').value)"

COUNT_INPUTS = """() => {
  window.inputs = 0;
  document.querySelector('#fig-it').addEventListener('input', () => window.inputs++);
}"""

CONTRASTS = """(selector) => {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const paint = (colors) => {
    for (const color of colors) { context.fillStyle = color; context.fillRect(0, 0, 1, 1); }
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (rgb) => rgb
    .map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  return [...document.querySelectorAll(selector)].filter((e) => e.textContent.trim()).map((element) => {
    const behind = [];
    for (let e = element; e; e = e.parentElement) behind.unshift(getComputedStyle(e).backgroundColor);
    const [text, ground] = [[...behind, getComputedStyle(element).color], behind].map(paint).map(luminance);
    return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
  });
}"""
"""Contrast of every matching element's text with what lies behind it, by the formula of WCAG 2."""


TEXTS = ".token, td, th, q, .share, .readout p, .tip dt, .tip dd, .legend span"


def stop(page: Page) -> None:
    """Go with the keyboard to where the figure is entered."""
    page.locator("#fig-it .view [tabindex='0']").first.focus()


@every_kind
def test_a_view_is_drawn_with_a_value(kind: str, open_figure: Callable[..., Page]) -> None:
    """`view(data, options)` returns an element with a `value`; nothing goes to the console, no other host is asked."""
    page = open_figure(kind)
    assert "pinned" in page.evaluate(VALUE)
    assert page.locator("#fig-it .figure-body > .view").count() == 1


@every_kind
def test_keys_move_pin_and_let_go(kind: str, open_figure: Callable[..., Page]) -> None:
    """One tab stop in each view of a figure; arrows select and emit `input`, Enter pins, Escape lets go."""
    page = open_figure(kind)
    assert page.locator("#fig-it .view [data-item][tabindex='0']").count() == max(1, len(KINDS[kind].uses))
    page.evaluate(COUNT_INPUTS)
    stop(page)
    before = page.evaluate(VALUE)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    moved = page.evaluate(VALUE)
    assert moved != before
    assert page.evaluate("inputs") >= 1
    page.keyboard.press("Enter")
    assert page.evaluate(VALUE) == {**moved, "pinned": True}
    assert "fig-it=" in page.url
    page.keyboard.press("Escape")
    assert page.evaluate(VALUE)["pinned"] is False
    assert "fig-it=" not in page.url


@every_kind
def test_home_and_end_reach_the_ends(kind: str, open_figure: Callable[..., Page]) -> None:
    """Home and End lead to different items, and back."""
    page = open_figure(kind)
    stop(page)
    page.keyboard.press("Home")
    first = page.evaluate("document.activeElement.dataset.item")
    page.keyboard.press("End")
    last = page.evaluate("document.activeElement.dataset.item")
    page.keyboard.press("Home")
    assert first == page.evaluate("document.activeElement.dataset.item") != last


@every_kind
def test_what_is_pinned_survives_a_reload(kind: str, open_figure: Callable[..., Page]) -> None:
    """The address keeps the pin, beside whatever else stands in it."""
    page = open_figure(kind, query="?other=1#after")
    stop(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    value = page.evaluate(VALUE)
    assert "other=1" in page.url
    assert page.url.endswith("#after")
    page.reload()
    page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
    assert page.evaluate(VALUE) == value
    assert page.locator("#fig-it .tip").is_hidden()


@every_kind
def test_nonsense_in_the_address_is_nothing(kind: str, open_figure: Callable[..., Page]) -> None:
    """An address that somebody made up selects nothing and breaks nothing."""
    page = open_figure(kind)
    for query in ("nonsense", "position.99999", "position.-1_layer.x", "__proto__.1", "%3Cscript%3E", "position.1e999"):
        page.goto(f"{page.url.partition('?')[0]}?fig-it={query}")
        page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
        assert page.evaluate(VALUE)["pinned"] is False


@every_kind
def test_a_tap_pins_and_another_lets_go(kind: str, open_figure: Callable[..., Page]) -> None:
    """Touch needs no hover, and leaves none behind."""
    page = open_figure(kind, width=390, has_touch=True, is_mobile=True)
    item = page.locator("#fig-it .view [data-item][tabindex]").nth(1)
    item.tap()
    assert page.evaluate(VALUE)["pinned"] is True
    item.tap()
    assert page.evaluate(VALUE)["pinned"] is False


@every_kind
def test_hover_selects_without_pinning(kind: str, open_figure: Callable[..., Page]) -> None:
    """A mouse previews; a click pins, and then hovering elsewhere changes nothing."""
    page = open_figure(kind)
    items = page.locator("#fig-it .view [data-item][tabindex]")
    items.nth(2).hover()
    hovered = page.evaluate(VALUE)
    assert hovered["pinned"] is False
    items.nth(2).click()
    items.nth(1).hover()
    assert page.evaluate(VALUE) == {**hovered, "pinned": True}


@every_kind
def test_what_is_selected_is_spoken(kind: str, open_figure: Callable[..., Page]) -> None:
    """A polite live region says in words what the eye sees."""
    page = open_figure(kind)
    spoken = page.locator("#fig-it [aria-live=polite]").first
    expect(spoken).not_to_be_empty()  # some fetch a piece of their data first
    before = spoken.text_content()
    stop(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    changed = "(before) => document.querySelector('#fig-it [aria-live]').textContent !== before"
    page.wait_for_function(changed, arg=before)


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


@every_kind
def test_the_scripts_of_a_page_fit_the_budget(kind: str, harness: Harness) -> None:
    """60 KB compressed for D3, the theme and what explorables share, and 5 KB for each kind that a page shows.

    Counted is what a page with this kind loads: a module that no view of it imports costs it nothing, nor does what is
    imported once a gallery is there. A kind may be larger than 5 KB where the rest leaves room.
    """
    files = {path.removeprefix(f"{harness.assets.folder}/"): text for path, text in harness.assets.files.items()}
    wanted = ["d3.js", *(f"js/{name}.js" for name in ("theme-toggle", "toc", "cards", "mentions", "mount"))]
    kinds = [kind, *KINDS[kind].uses]
    loaded: set[str] = set()
    pending = [*wanted, *(f"figures/{name}/view.js" for name in kinds)]
    while pending:
        name = pending.pop()
        if name not in loaded:
            loaded.add(name)
            folder = PurePosixPath(name).parent
            found = re.findall(r'from\s*"(\.[^"]+)"', files[name].decode())
            pending += [posixpath.normpath(str(folder / path)) for path in found]
    sizes = {name: len(gzip.compress(files[name])) for name in sorted(loaded)}
    assert sum(sizes.values()) <= (60 + 5 * len(kinds)) * 1024, sizes
    own = [path for path in harness.assets.files if f"/figures/{kind}/" in path]
    assert sum(len(gzip.compress(harness.assets.files[path])) for path in own) <= 9 * 1024  # one that draws on canvas
