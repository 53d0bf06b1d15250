"""What readers can do with every kind of figure, whatever it shows; the kinds are the folders that are there."""

from __future__ import annotations

import gzip
import posixpath
import re
from collections.abc import Callable
from pathlib import PurePosixPath

from harness import Harness
from kinds import KINDS
from playwright.sync_api import Page, expect
from views import VALUE, every_kind

COUNT_INPUTS = """() => {
  window.inputs = 0;
  document.querySelector('#fig-it').addEventListener('input', () => window.inputs++);
}"""


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
