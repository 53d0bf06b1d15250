"""What is shown in tests of the model view, and what it shows."""

from __future__ import annotations

from typing import Any

import numpy as np
from kinds import example
from playwright.sync_api import Page

from builder.quantised import pack_weights

__all__ = ["CELLS", "PAINTED", "PIXEL", "VALUE", "attend", "made", "order", "part", "told"]

VALUE = "() => structuredClone(document.querySelector('#fig-it .view').value)"
CELLS = "#fig-it .board td[data-item]"
PAINTED = "document.querySelector('#fig-it .board')?.ariaBusy === 'false'"

PIXEL = """([x, y]) => {
  const canvas = document.querySelector('#fig-it .board canvas');
  const box = canvas.getBoundingClientRect();
  const scale = canvas.width / box.width;
  const context = document.createElement('canvas').getContext('2d');
  context.drawImage(canvas, -Math.floor((x - box.left) * scale), -Math.floor((y - box.top) * scale));
  return [...context.getImageData(0, 0, 1, 1).data];
}"""


def part(weights: np.ndarray, *, causal: bool = True, dots: int = 1, **more: Any) -> dict[str, Any]:
    """Return a part of weights [layers, heads, queries, keys], as the analysis publishes it."""
    n_layers, n_heads, queries, keys = weights.shape
    flat = weights.reshape(-1, queries, keys)
    for axis in (1, 2):
        flat = np.maximum.reduceat(flat, range(0, flat.shape[axis], dots), axis=axis)
    table = np.arange(n_layers * n_heads).reshape(n_layers, n_heads)
    return {
        "queries": [0, queries],
        "keys": [0, keys],
        "causal": causal,
        "layers": list(range(n_layers)),
        "n_heads": n_heads,
        "windows": [None] * n_layers,
        "heads": list(range(n_heads)),
        "dots": [dots, dots],
        "thumbs": pack_weights(flat, triangle=causal),
        "stats": {
            "entropy": (table % 7 / 2).tolist(),
            "first": ((table * 37 % 100) / 100).tolist(),
            "induction": (table / table.size).tolist(),
        },
        **more,
    }


def attend(layers: int, heads: int, tokens: int) -> np.ndarray:
    """Return causal weights; a head looks as many tokens back as its number says, and at the first one."""
    weights = np.zeros((layers, heads, tokens, tokens))
    for h in range(heads):
        for q in range(tokens):
            weights[:, h, q, max(0, q - h)] = 0.75
            weights[:, h, q, 0] += 0.25
    return weights


def made(weights: np.ndarray, **more: Any) -> dict[str, Any]:
    """Return a result of one part, whose first layer is shown at first."""
    result = example("model_view")
    tokens = [{"text": f" t{i}", "id": i, "type": "input"} for i in range(weights.shape[2])]
    result["data"] |= {
        "tokens": tokens,
        "parts": {"self": part(weights, **more)},
        "shown": {"part": "self", "layer": 0, "head": 0},
        "weights": pack_weights(weights[0], triangle=True),
    }
    result.pop("pieces", None)
    return result


def told(page: Page) -> str:
    """Return what the figure says."""
    return page.locator("#fig-it .readout p").first.text_content() or ""


def order(page: Page) -> list[int]:
    """Return the numbers of the heads in the order in which they stand."""
    return page.locator(CELLS).evaluate_all("cells => cells.map((cell) => Number(cell.dataset.item))")
