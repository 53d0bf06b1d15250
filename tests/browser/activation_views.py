"""What is shown in tests of activations, and what it shows."""

from __future__ import annotations

from playwright.sync_api import Page

__all__ = ["CANVAS", "VALUE", "cell", "pixel"]

VALUE = "() => structuredClone(document.querySelector('#fig-it .view').value)"

CANVAS = "#fig-it .plot td canvas"


def cell(page: Page, token: int, share: float) -> tuple[float, float]:
    """Return the point of the canvas in a token's column, at a share of its height."""
    box = page.locator(CANVAS).bounding_box()
    head = page.locator("#fig-it thead th").nth(token + 1).bounding_box()
    assert box
    assert head
    return head["x"] + head["width"] / 2, box["y"] + share * box["height"]


def pixel(page: Page, token: int, share: float) -> list[int]:
    """Return the colour that is painted there, once fonts have come and what was asked for is drawn."""
    page.evaluate("""async () => {
      await document.fonts.ready;
      for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    }""")
    x, y = cell(page, token, share)
    return page.evaluate(
        """([selector, x, y]) => {
          const canvas = document.querySelector(selector);
          const box = canvas.getBoundingClientRect();
          const scale = canvas.width / box.width;
          const context = document.createElement('canvas').getContext('2d');
          context.drawImage(canvas, -Math.floor((x - box.left) * scale), -Math.floor((y - box.top) * scale));
          return [...context.getImageData(0, 0, 1, 1).data];
        }""",
        [CANVAS, x, y],
    )
