"""What is shown in tests of saliency, and what it shows."""

from __future__ import annotations

from typing import Any

__all__ = ["SHADES", "VALUE", "made_up"]

VALUE = "() => structuredClone(document.querySelector('#fig-it .view').value)"

SHADES = """() => [...document.querySelectorAll('#fig-it .token.is-shaded')]
  .map((token) => Number(getComputedStyle(token).getPropertyValue('--s')))"""


def made_up(texts: list[str], n_input: int, scores: list[list[float]], **more: Any) -> dict[str, Any]:
    """Return a saliency result of a text of ours."""
    tokens = [{"text": t, "id": i, "type": "input" if i < n_input else "output"} for i, t in enumerate(texts)]
    data = {"tokens": tokens, "targets": list(range(n_input, len(texts))), "scores": scores, "method": "gradient",
            "target": "logit", "contrast": None, "detail": False, **more}  # fmt: skip
    return {"kind": "saliency", "data": data, "checks": {}, "provenance": {}}
