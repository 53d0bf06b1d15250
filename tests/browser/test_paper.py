"""What is painted on canvas, on paper: in the colours of the day, as the legend beside it, whatever the screen has."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from kinds import KINDS, example
from playwright.sync_api import Page

PAINTED = ["activations", "attention_matrix", "head_view", "model_view", "neuron_view"]
"""The kinds that paint."""

PIXELS = "[...document.querySelectorAll('#fig-it canvas')].filter((c) => c.width).map((c) => c.toDataURL())"
ARE = f"(wanted) => JSON.stringify({PIXELS}) === JSON.stringify(wanted)"
STILL = f"""async () => {{
  await document.fonts.ready;
  for (let before = ''; before !== String({PIXELS}); ) {{
    before = String({PIXELS});
    for (let frame = 0; frame < 5; frame++) await new Promise(requestAnimationFrame);
  }}
  return {PIXELS};
}}"""
"""What all canvases show once nothing is painted any more."""

FOREIGN = """async (selector) => {
  const view = new URL(document.querySelector('#fig-it').dataset.view, document.baseURI);
  const { pixels } = await import(new URL('../shared/canvas.js', view));
  const ramp = document.querySelector('#fig-it .legend-ramp');
  const colours = getComputedStyle(ramp).backgroundImage.match(/(rgb|color|oklch|oklab)\\([^)]*\\)/g);
  const known = new Set(pixels(ramp, colours, 256));
  const canvas = document.querySelector(selector);
  const copy = Object.assign(document.createElement('canvas'), { width: canvas.width, height: canvas.height });
  copy.getContext('2d').drawImage(canvas, 0, 0);
  const found = new Uint32Array(copy.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  const painted = found.filter((pixel) => pixel);
  return [painted.length, new Set(painted).size, painted.filter((pixel) => !known.has(pixel)).length];
}"""
"""How many pixels are painted, in how many colours, and how many have one that the legend has not."""


@pytest.mark.parametrize("kind", PAINTED)
def test_paper_is_painted_by_day(kind: str, open_figure: Callable[..., Page]) -> None:
    """Printed from a dark screen, a canvas has each pixel that it has printed from a light one; then it is night."""
    page = open_figure(kind, color_scheme="light")
    page.emulate_media(media="print")
    by_day = page.evaluate(STILL)
    page = open_figure(kind, color_scheme="dark")
    by_night = page.evaluate(STILL)
    assert by_night != by_day
    page.emulate_media(media="print")
    page.wait_for_function(ARE, arg=by_day)
    page.emulate_media(media="screen")
    page.wait_for_function(ARE, arg=by_night)


@pytest.mark.parametrize("kind", PAINTED)
def test_a_page_that_is_copied_for_the_printer_is_painted_before(kind: str, open_figure: Callable[..., Page]) -> None:
    """At once, and also where the reader chose the night; after printing it is night again."""
    page = open_figure(kind, color_scheme="light")
    by_day = page.evaluate(STILL)
    page = open_figure(kind, color_scheme="light")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    by_night = page.evaluate(STILL)
    assert by_night != by_day
    assert page.evaluate(f"dispatchEvent(new Event('beforeprint')) && {PIXELS}") == by_day
    assert page.evaluate(f"dispatchEvent(new Event('afterprint')) && {PIXELS}") == by_night


@pytest.mark.parametrize(
    ("kind", "canvas"), [("activations", "#fig-it .plot td canvas"), ("attention_matrix", "#fig-it canvas")]
)
def test_pixels_agree_with_the_legend_on_paper(kind: str, canvas: str, open_figure: Callable[..., Page]) -> None:
    """Every shade is one of those between the legend's ends."""
    result = example(kind)
    result["data"] |= {"first": 0} if kind == "activations" else {}  # what is left out has no shade of the scale
    page = open_figure(result, color_scheme="dark")
    page.evaluate(STILL)
    page.emulate_media(media="print")
    page.evaluate(STILL)
    painted, colours, foreign = page.evaluate(FOREIGN, canvas)
    assert painted > 1000
    assert colours > 10
    assert foreign == 0


SCROLLS = """(table) => [table, ...table.querySelectorAll('div')]
  .some((element) => getComputedStyle(element).overflowX !== 'visible')"""

SHEET = 672
"""Pixels across a sheet of A4 between its margins, as print.css has them."""


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_table_is_printed_where_a_reader_opened_it(kind: str, script: bool, open_figure: Callable[..., Page]) -> None:
    """And whole: nothing scrolls on paper. Else it is left out, whatever the kind, with scripts and without."""
    page = open_figure(kind, width=SHEET, java_script_enabled=script, wait=script)
    page.emulate_media(media="print")
    tables = page.locator("#fig-it .rows")
    assert not [table for table in tables.all() if table.is_visible()]
    page.emulate_media(media="screen")
    for summary in page.locator("#fig-it .rows > summary").all():
        summary.click()
    page.emulate_media(media="print")
    for table in tables.all():
        assert table.locator("tbody tr").first.is_visible()
        assert not table.evaluate(SCROLLS)
        room, whole = table.bounding_box(), table.locator("table").bounding_box()
        assert room
        assert whole
        assert whole["width"] <= SHEET
        assert whole["y"] + whole["height"] <= room["y"] + room["height"] + 1
