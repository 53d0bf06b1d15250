"""Figures where a reader's system chooses the colours: what is told by colour keeps its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

COLOURS = """(selector) => {
  const canvas = document.querySelector(selector);
  const copy = Object.assign(document.createElement('canvas'), { width: canvas.width, height: canvas.height });
  copy.getContext('2d').drawImage(canvas, 0, 0);
  return new Set(new Uint32Array(copy.getContext('2d').getImageData(0, 0, copy.width, copy.height).data.buffer)).size;
}"""
"""How many colours a canvas has."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("kind", "canvas"),
    [
        ("activations", ".plot td canvas"),
        ("attention_matrix", ".weights canvas"),
        ("head_view", ".lines canvas:not([hidden])"),
        ("model_view", ".board canvas"),
        ("neuron_view", ".k .cells canvas"),
        ("neuron_view", ".state canvas"),
    ],
)
def test_what_is_painted_has_its_colours(kind: str, canvas: str, scheme: str, open_figure: Callable[..., Page]) -> None:
    """A number has the shade that it has elsewhere: painted in one colour they would say nothing."""
    page = open_figure(kind, forced_colors="active", color_scheme=scheme)
    page.wait_for_function(f"(selector) => ({COLOURS})(selector) > 10", arg=f"#fig-it {canvas}")


def test_a_gap_is_no_line(open_figure: Callable[..., Page]) -> None:
    """What is drawn by a transparent border elsewhere: the gap between the embeddings and the first layer."""
    page = open_figure("rankings", forced_colors="active")
    ground = page.evaluate("""() => {
      const sample = document.body.appendChild(document.createElement('i'));
      sample.style.color = 'Canvas';
      return getComputedStyle(sample).color;
    }""")
    for cell in page.locator("#fig-it .heat tbody tr").first.locator("th, td").all()[:2]:
        assert cell.evaluate("cell => getComputedStyle(cell).borderBottomColor") == ground


def test_a_candidate_that_cannot_be_followed_is_no_less_legible(open_figure: Callable[..., Page]) -> None:
    """It is no button, but says as much as the others: not in the grey of what does not work."""
    page = open_figure("decoding", forced_colors="active")
    rows = page.locator("#fig-it .candidate")
    colours = {row.evaluate("row => getComputedStyle(row).color") for row in rows.all()}
    assert {row.is_disabled() for row in rows.all()} == {True, False}
    assert len(colours) == 1


def test_a_chosen_token_is_framed_within_its_column(open_figure: Callable[..., Page]) -> None:
    """Its ground is not drawn there, and a head view's column cuts a frame around it."""
    page = open_figure("head_view", forced_colors="active")
    chosen = page.locator("#fig-it .columns .token").nth(3)
    chosen.click()
    style = chosen.evaluate("chip => [getComputedStyle(chip).outlineStyle, getComputedStyle(chip).outlineOffset]")
    assert style == ["solid", "-2px"]
