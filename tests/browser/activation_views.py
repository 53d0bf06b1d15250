"""What is shown in tests of activations, and what it shows."""

from __future__ import annotations

import importlib
import json
from typing import Any

import numpy as np
from kinds import KINDS, example
from playwright.sync_api import Page

__all__ = [
    "CANVAS", "JOIN", "LOADED", "VALUE", "WORDS", "cell", "chosen", "heads", "merged", "number", "numbers", "pixel",
    "sheet", "told", "wordy",
]  # fmt: skip

VALUE = "() => structuredClone(document.querySelector('#fig-it .view').value)"

CANVAS = "#fig-it .plot td canvas"

JOIN = "Merge into words"

LOADED = "document.querySelector('#fig-it [role=application]')?.ariaBusy === 'false'"

TEXTS = ["In", "ter", "pret", "able", " fan", "light", ",", " Lon", "don", "ers", " read", "ing", " it", "."]
"""The first is left out, and the output begins with the ninth, inside what would be a word."""

WORDS = [[0], [1, 2, 3], [4, 5], [6], [7], [8, 9], [10, 11], [12], [13]]


def wordy() -> dict[str, Any]:
    """Return the example, of two layers in pieces, with tokens that make `WORDS`."""
    result = example("activations")
    for token, text in zip(result["data"]["tokens"], TEXTS, strict=True):
        token["text"] = text
    return result


def sheet(layer: int) -> dict[str, Any]:
    """Return the cells of a layer of the example, 4 or 20."""
    return example("activations")["data"]["sheet"] if layer == 4 else _piece("layer-20")


def numbers(layer: int, *, negatives: bool = False) -> np.ndarray:
    """Return the activations [14, n] of a layer of the example; those below 0 are 0 unless they are asked for."""
    package = KINDS["activations"].analysis.__name__.rpartition(".")[0]  # type: ignore[attr-defined]
    rest = _piece(f"layer-{layer}-rest") if negatives else None
    return importlib.import_module(f"{package}.cells").decode(sheet(layer), rest)


def _piece(name: str) -> dict[str, Any]:
    return json.loads((KINDS["activations"].folder / f"example/{name}.json").read_text(encoding="utf-8"))


def told(page: Page) -> str:
    """Return the sentence that is seen."""
    return page.locator("#fig-it .readout p").first.text_content() or ""


def number(text: str) -> float:
    """Return the number that a sentence ends with; what is not positive is not told how far."""
    found = text.removesuffix("pinned").rpartition(": ")[2].removeprefix("mean ")
    return 0.0 if found == "not positive" else float(found.replace("−", "-"))


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


def heads(page: Page) -> list[str]:
    """Return the columns' names."""
    return page.locator("#fig-it thead th[scope=col] .column-name").all_text_contents()


def chosen(page: Page) -> list[str]:
    """Return the names of the columns that are marked."""
    return page.locator("#fig-it thead th.is-column .column-name").all_text_contents()


def merged(values: np.ndarray) -> np.ndarray:
    """Return the means over the tokens of each word, of rows that are tokens."""
    return np.array([values[tokens].mean(axis=0) for tokens in WORDS])
