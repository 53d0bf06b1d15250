"""How long Chromium takes to draw a page and to answer a pointer, and the pages of the browser tests' harness."""

from __future__ import annotations

import hashlib
import json
import re
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import say

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TESTS = Path(__file__).parents[1]
VISITS, COUNT = 3, 30
PATIENCE = 60_000
"""Milliseconds after which a page is given up."""

UNBOUND = ["--disable-frame-rate-limit", "--disable-gpu-vsync"]
"""Frames come as fast as they are done: otherwise each answer would wait for the screen."""

FIRST_PAINT = """
window.painted = new Promise((resolve) => {
  const wait = () => (READY ? requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())))
                            : requestAnimationFrame(wait));
  requestAnimationFrame(wait);
});
"""
"""From the start of the navigation to the frame after the one in which what is drawn is there."""

WAIT = f"Promise.race([window.painted, new Promise((resolve) => setTimeout(resolve, {PATIENCE}))])"

HOVER = """async ([items, type, count, act]) => {
  const found = [...document.querySelectorAll(items)];
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  for (let i = 0; i < count; i++) {
    const item = found[Math.floor(((i + 0.5) / count) * found.length)];
    if (act) item.dispatchEvent(new PointerEvent(type, { bubbles: true, pointerType: 'mouse' }));
    await frame();
  }
}"""
"""Points at one item after another, or at none, and waits each time until the frame that shows it is handed on."""

DRAWN = "document.querySelector('#fig-it[data-state=ready]')"


def tell_columns() -> None:
    """Print the line above what `tell` prints."""
    say(f"\n{'milliseconds in Chromium':52}{'to first paint':>16}{'CPU a hover':>14}")


def tell(name: str, times: tuple[list[float], float | None] | None) -> None:
    """Print what `time_page` returned."""
    if times is None:
        say(f"{name:52}{f'more than {PATIENCE // 1000} s':>16}")
        return
    paints, hover = times
    say(f"{name:52}{statistics.median(paints):16.0f}" + (f"{hover:14.1f}" if hover is not None else ""))


def time_page(
    browser: Browser,
    address: str,
    ready: str = DRAWN,
    items: str = "",
    event: str = "pointerover",
    scripts: Mapping[str, bytes] | None = None,
) -> tuple[list[float], float | None] | None:
    """Return the times to the first paint of some visits, and a hover's in the last; None where it takes too long."""
    from playwright.sync_api import TimeoutError as TooLongError

    paints: list[float] = []
    hover: float | None = None
    for visit in range(VISITS):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.add_init_script(FIRST_PAINT.replace("READY", ready))
        page.route(
            re.compile("^https:"),
            lambda route: route.fulfill(body=(scripts or {})[route.request.url.rpartition("/")[2]]),
        )
        try:
            page.goto(address)
            paints.append(page.evaluate(WAIT))
            if paints[-1] is None:
                return None
            if visit == VISITS - 1 and items:
                page.wait_for_timeout(500)
                hover = _cost(page, items, event)
        except TooLongError:
            return None
        finally:
            context.close()
    return paints, hover


def _cost(page: Page, items: str, event: str) -> float:
    """Return the CPU milliseconds of the main thread (scripts, style, layout, paint) that pointing at an item takes."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent(act: bool) -> float:
        before = tasks()
        page.evaluate(HOVER, [items, event, COUNT, act])
        return tasks() - before

    def tasks() -> float:
        found = session.send("Performance.getMetrics")["metrics"]
        return next(float(metric["value"]) for metric in found if metric["name"] == "TaskDuration")

    spent(True)
    return (spent(True) - spent(False)) * 1000 / COUNT


def write(harness: Any, kind: str, data: Any, pieces: Mapping[str, Any]) -> str:
    """Write a page of ours with an answer and its pieces; return its address."""
    result = {"kind": kind, "data": data, "checks": {}, "provenance": {}}
    key = hashlib.sha256(json.dumps(result).encode()).hexdigest()
    address: str = harness.write(f"ours-{key[:12]}", {"fig-it": result})
    folder = harness.folder / "data" / key
    folder.mkdir(exist_ok=True)
    for name, piece in pieces.items():
        (folder / f"{name}.json").write_text(json.dumps(piece), encoding="utf-8")
    return address


@contextmanager
def served() -> Iterator[Any]:
    """Within: the harness of the browser tests, its files served on this machine."""
    sys.path.insert(0, str(TESTS / "browser"))
    from harness import serve_harness

    with tempfile.TemporaryDirectory() as folder, serve_harness(Path(folder)) as harness:
        yield harness


@contextmanager
def chromium() -> Iterator[Browser]:
    """Within: a browser that draws frames as fast as it can."""
    from chromium import ARGUMENTS, find_chromium
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*ARGUMENTS, *UNBOUND])
        yield browser
        browser.close()
