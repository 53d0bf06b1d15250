"""What tests ask of the view of any kind: what it has selected, and how legible it is."""

from __future__ import annotations

import pytest
from kinds import KINDS

__all__ = ["CONTRASTS", "READOUTS", "VALUE", "every_kind"]

every_kind = pytest.mark.parametrize("kind", sorted(KINDS))

VALUE = "() => structuredClone(document.querySelector('#fig-it .view').value)"

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

READOUTS = """(selector) => {
  const sizes = new Set();
  for (const item of document.querySelectorAll(selector)) {
    item.dispatchEvent(new PointerEvent("pointerover", { bubbles: true, pointerType: "mouse" }));
    sizes.add(Math.round(document.querySelector("#fig-it .readout").getBoundingClientRect().height));
  }
  return [...sizes];
}"""
"""Heights of the sentence of `fig-it` while a mouse is over each of the matching elements, each once."""
