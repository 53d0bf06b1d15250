"""The Sankey and the bars of attention flow for those without a mouse or sharp eyes: by touch, by ear, in numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from test_attention_flow import made_up
from test_sliding import Finger
from views import CONTRASTS, VALUE

PAINT = """(e) => [getComputedStyle(e).stroke, getComputedStyle(e).fill].find((paint) => paint !== 'none')"""


def sankey(open_figure: Callable[..., Page], **options: Any) -> Page:
    """Open a figure that shows ribbons."""
    page = open_figure("attention_flow", **options)
    page.get_by_label("Sankey").check()
    page.wait_for_function("document.querySelectorAll('#fig-it .sankey path').length > 0")
    return page


def point_on(page: Page, ribbon: Locator) -> tuple[float, float]:
    """Return a point in the middle of a ribbon."""
    ribbon.scroll_into_view_if_needed()
    x, y = ribbon.evaluate("""(path) => {
      const { x, y } = path.getPointAtLength(path.getTotalLength() / 2).matrixTransform(path.getScreenCTM());
      return [x, y];
    }""")
    assert page.evaluate("([x, y]) => document.elementFromPoint(x, y).tagName", [x, y]) == "path"
    return x, y


def test_what_draws_ribbons_is_loaded_when_they_are_asked_for(open_figure: Callable[..., Page]) -> None:
    """A page that shows shades does not pay for it."""
    page = open_figure("attention_flow")
    loaded = "performance.getEntriesByType('resource').map((entry) => entry.name.split('/').at(-1))"
    assert not {"sankey.js", "ribbons.js"} & set(page.evaluate(loaded))
    page.get_by_label("Sankey").check()
    page.wait_for_function("document.querySelectorAll('#fig-it .sankey path').length > 0")
    assert {"sankey.js", "ribbons.js"} <= set(page.evaluate(loaded))


def test_a_ribbon_that_is_touched_stays_told(open_figure: Callable[..., Page]) -> None:
    """After the finger has left; until it touches elsewhere."""
    page = sankey(open_figure, width=390, height=900, has_touch=True, is_mobile=True)
    card = page.locator("#fig-it .tip")
    x, y = point_on(page, page.locator("#fig-it .sankey path.is-own").first)
    page.touchscreen.tap(x, y)
    expect(card).to_contain_text("input to layer 4")
    page.wait_for_timeout(300)
    assert card.is_visible()
    page.locator("#fig-it .sankey-note").tap()
    page.locator("#after").tap()
    expect(card).to_be_hidden()


def test_a_finger_that_scrolls_over_ribbons_asks_nothing(open_figure: Callable[..., Page]) -> None:
    """No card flashes by."""
    page = sankey(open_figure, width=390, height=500, has_touch=True, is_mobile=True)
    x, y = point_on(page, page.locator("#fig-it .sankey path.is-own").first)
    Finger(page).drag((x, y), (x, y - 120))
    assert page.locator("#fig-it .tip").is_hidden()


def test_what_ribbons_show_can_be_read(open_figure: Callable[..., Page]) -> None:
    """Each token's share after each layer, and the widest ribbons, of the token that is chosen."""
    page = sankey(open_figure, width=1280)
    page.get_by_text("Every share").click()
    page.get_by_text("Widest ribbons").click()
    shares, moves = (page.locator("#fig-it .sankey-rows tbody").nth(i) for i in (0, 1))
    expect(shares.locator("tr").first).to_contain_text("London")
    heads = page.locator("#fig-it .sankey-rows thead").first.locator("th").all_text_contents()
    assert heads[:3] == ["share in", "input", "4"]
    last = shares.locator("td:last-child").all_text_contents()
    assert sum(float(share.strip("%>")) for share in last if share) == pytest.approx(100, abs=1)
    first = shares.locator("td:nth-child(2)").first.text_content()
    assert first == page.locator("#fig-it .sankey-names b").first.text_content()
    told = moves.locator("tr").first.locator("th, td").all_text_contents()
    assert re.fullmatch(r"(input|layer \d+) to layer \d+", told[2])
    widths = [float(share.strip("%<>")) for share in moves.locator("td:last-child").all_text_contents()]
    assert widths == sorted(widths, reverse=True)
    before = shares.inner_text()
    page.locator("#fig-it .strip [role=button]").last.click()
    assert shares.inner_text() != before
    page.get_by_label("shades").check()
    expect(page.locator("#fig-it .sankey-rows")).to_be_hidden()


def test_many_layers_are_read_on_a_phone(open_figure: Callable[..., Page]) -> None:
    """The table scrolls in itself, by keys too; words in it are whole."""
    page = sankey(open_figure, width=360)
    page.get_by_text("Every share").click()
    rows = page.locator("#fig-it .rows").first
    assert rows.evaluate("e => [e.scrollWidth > e.clientWidth, e.scrollLeft]") == [True, 0]
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('#fig-it .rows').scrollLeft > 0")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    heights = rows.locator("q").evaluate_all("e => e.map((chip) => Math.round(chip.getBoundingClientRect().height))")
    assert len(set(heights)) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_bars_and_ribbons_can_be_seen(scheme: str, open_figure: Callable[..., Page]) -> None:
    """3:1 against the paper for what moves, and for bars (WCAG 2.2, 1.4.11); their opacity counts."""
    page = sankey(open_figure, color_scheme=scheme, reduced_motion="reduce")
    for shown, selector in (("Sankey", ".sankey path:not(.is-own)"), ("bars", ".layers .bars:not(.is-cut)")):
        page.get_by_label(shown).check()
        page.locator(f"#fig-it {selector}").first.wait_for(state="attached")
        # the same paint as text on the same ground, for the formula that texts are measured by
        page.locator(f"#fig-it {selector}").first.evaluate(
            f"""(e) => {{
              document.querySelector('#sample')?.remove();
              const sample = Object.assign(document.createElement('b'), {{ id: 'sample', textContent: 'x' }});
              const opacity = 100 * getComputedStyle(e).strokeOpacity;
              sample.style.color = `color-mix(in srgb, ${{({PAINT})(e)}} ${{opacity}}%, transparent)`;
              document.querySelector('#fig-it').append(sample);
            }}"""
        )
        assert min(page.evaluate(CONTRASTS, "#sample")) >= 3


def test_where_a_token_has_most_is_heard(open_figure: Callable[..., Page]) -> None:
    """As the card has it: up and down tell the layer too, where bars are shown."""
    page = open_figure("attention_flow")
    page.get_by_label("bars").check()
    page.wait_for_function("document.querySelectorAll('#fig-it .layers').length > 0")
    page.locator("#fig-it [role=button]").first.focus()
    page.keyboard.press("ArrowDown")
    card = page.locator("#fig-it .tip").text_content() or ""
    most = card[card.index("most in layer ") :]
    expect(page.locator("#fig-it [aria-live]")).to_contain_text(f", {most}")


def test_a_display_that_is_none_is_the_authors(open_figure: Callable[..., Page]) -> None:
    """What every object has is no display."""
    for name in ("constructor", "toString", "nonsense"):
        page = open_figure("attention_flow", query=f"?fig-it=display.{name}")
        assert page.evaluate(VALUE)["display"] == "strip"


def test_an_articles_ribbons_have_room_without_scripts(open_figure: Callable[..., Page]) -> None:
    """The table in their place can be scrolled by keys."""
    result = made_up(["a", " b", " c", " d"], [[0.1, 0.6, 0.3]], n_input=3)
    result["data"] |= {"display": "sankey", "passing": [[0.25] * 4] * 3}
    page = open_figure(result, java_script_enabled=False, wait=False)
    assert page.locator("#fig-it .is-table").get_attribute("tabindex") == "0"
