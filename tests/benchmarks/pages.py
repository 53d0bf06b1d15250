"""How long Chromium takes to draw large figures, and to answer a pointer: `python -m tests.benchmarks.pages`.

The figures are those of `tests/browser/large.py`, beside an example of their kind, which is small. A frame has 16 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import browser

ITEMS = {
    "rankings": "#fig-it td",
    "layer_similarity": "#fig-it .cell",
    "factors": "#fig-it .factor",
    "decoding": "#fig-it .strip [role=button]",
    "activations": "#fig-it .heat tbody td:not(.plot td)",
}
"""What is pointed at, by kind."""


def main() -> None:
    """Print milliseconds to the first paint, and what pointing at an item costs a page's main thread."""
    with browser.served() as harness, browser.chromium() as chromium:
        import large
        from kinds import example

        figures: Mapping[str, tuple[str, Callable[[], dict[str, Any]]]] = {
            "rankings": ("48 layers × 100 tokens", lambda: large.large_rankings(48, 100, embeddings=True)),
            "layer_similarity": ("49 × 49 layers", lambda: large.large_similarity(49, 49)),
            "factors": ("10 factors of 200 tokens", lambda: large.large_factors(200)),
            "decoding": ("200 tokens", lambda: large.large_decoding(200)),
            "activations": ("3,072 neurons × 200 tokens", lambda: large.large_activations(3072, 200)),
        }
        browser.tell_columns()
        for kind, (size, make) in figures.items():
            for name, result in ((f"{kind}, the example", example(kind)), (f"{kind}, {size}", make())):
                address = browser.write(harness, kind, result["data"], {})
                browser.tell(name, browser.time_page(chromium, address, items=ITEMS[kind]))


if __name__ == "__main__":
    main()
