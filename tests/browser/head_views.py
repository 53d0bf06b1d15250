"""What is shown in tests of the head view, and what it shows."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from playwright.sync_api import Locator, Page, Route

from builder.quantised import pack_weights

__all__ = ["COPY", "VALUE", "column", "crafted", "drawn", "head", "said", "serve", "shades", "two_stacks"]

VALUE = "() => structuredClone(document.querySelector('#fig-it .view').value)"

COPY = """(canvas) => {
  const copy = Object.assign(document.createElement('canvas'), { width: canvas.width, height: canvas.height });
  const context = copy.getContext('2d', { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  return context;
}"""
"""A canvas that can be read without a warning."""

SHADES = f"""([columns, heads, side]) => {{
  const canvas = document.querySelector('#fig-it .lines canvas:not([hidden])');
  const [width, pitch, context] = [canvas.clientWidth, 24, ({COPY})(canvas)];
  const cell = Math.min(8, width / 4 / heads);
  const start = side === 'from' ? width - heads * cell : 0;
  return Array.from({{ length: heads }}, (_, n) => Array.from({{ length: columns }}, (_, j) =>
    context.getImageData(start + (n + 0.4) * cell, (j + 0.5) * pitch, 1, 1).data[3] / 255));
}}"""
"""Opacities of the shades beside the tokens, a row a head; they are drawn on a root scale."""


def crafted(
    weights: np.ndarray,
    texts: str = "abcdefgh",
    *,
    segments: str | None = None,
    parts: dict[str, Any] | None = None,
    **data: Any,
) -> dict[str, Any]:
    """Return a result of one layer of weights [heads, queries, keys] over the letters of a text."""
    size = weights.shape[1]
    tokens = [{"text": letter, "id": i, "type": "input"} for i, letter in enumerate(texts)]
    for token, segment in zip(tokens, segments or "", strict=False):
        token["segment"] = int(segment)
    whole = {"queries": [0, size], "keys": [0, size], "causal": False, "layers": [0], "windows": [None]}
    shown = {"part": "self", "layer": 0, "heads": None, "token": None, "side": "from"}
    base = {
        "tokens": tokens[: None if parts else size],
        "parts": parts or {"self": {**whole, "n_heads": len(weights)}},
        "shown": shown | data.pop("shown", {}),
        "exclude_first": False,
        "weights": pack_weights(weights),
        "edges": [],
    }
    return {"kind": "head_view", "data": base | data, "checks": {}, "provenance": {}}


def drawn(heads: int, queries: int, keys: int | None = None) -> np.ndarray:
    """Return weights that sum to 1 in each row, the same each time."""
    drawn = np.random.default_rng(3).random((heads, queries, keys or queries)) ** 4
    return drawn / drawn.sum(-1, keepdims=True)


def column(page: Page, side: int) -> Locator:
    """Return the tokens of the left column (0) or the right one (1)."""
    return page.locator("#fig-it .columns .strip").nth(side).locator(".token")


def said(page: Page) -> str:
    """Return the sentence above the figure, once there is one: weights are unpacked meanwhile."""
    page.wait_for_function("document.querySelector('#fig-it .readout p').textContent")
    return page.locator("#fig-it .readout p").first.text_content() or ""


def head(page: Page, number: int) -> Locator:
    """Return the square of a head."""
    return page.get_by_role("button", name=f"head {number}", exact=True)


def shades(page: Page, rows: int, heads: int, side: str = "from") -> np.ndarray:
    """Return the weights that the shades beside the tokens show, [heads, rows]."""
    return np.array(page.evaluate(SHADES, [rows, heads, side])) ** 2


def two_stacks() -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return an encoder-decoder's result that shows its cross attention, and the weights of all parts."""
    sizes = {"encoder": (4, 4), "decoder": (3, 3), "cross": (3, 4)}
    ranges = {"encoder": ([0, 4], [0, 4]), "decoder": ([4, 7], [4, 7]), "cross": ([4, 7], [0, 4])}
    weights = {name: drawn(2, *size) for name, size in sizes.items()}
    weights["decoder"] = np.tril(weights["decoder"]) / np.tril(weights["decoder"]).sum(-1, keepdims=True)
    parts = {
        name: {
            "queries": q,
            "keys": k,
            "causal": name == "decoder",
            "layers": [0, 1],
            "n_heads": 2,
            "windows": [None] * 2,
        }
        for name, (q, k) in ranges.items()
    }
    result = crafted(weights["cross"], "abcdxyz", parts=parts, shown={"part": "cross"})
    for token in result["data"]["tokens"][4:]:
        token["type"] = "output"
    return result, weights


def serve(page: Page, weights: dict[str, np.ndarray]) -> None:
    """Answer for pieces, whose layers all have the same weights."""

    def answer(route: Route) -> None:
        name = route.request.url.rpartition("/")[2].partition("-")[0]
        packed = pack_weights(weights[name], triangle=name == "decoder")
        route.fulfill(body=json.dumps({"weights": packed}))

    page.route("**/*-*.json", answer)
