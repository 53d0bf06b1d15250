"""A visit: a page of the real site in a browser, read once from top to bottom, and all that was heard meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from borrowed import PATIENCE, faults, listen, strangers
from playwright.sync_api import Browser, BrowserContext, Page, Response

SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries().filter((entry) => !entry.hadRecentInput)) {
    window.shifts.push([entry.value, ...entry.sources.map((s) => `${s.node?.nodeName} ${s.node?.className ?? ""}`)]);
  }
}).observe({ type: "layout-shift", buffered: true });
"""


@dataclass
class Visit:
    """A page that stays open for several tests, which leave it as they found it."""

    page: Page
    context: BrowserContext
    host: str
    address: str
    complaints: list[str] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    first: list[Response] = field(default_factory=list)
    """What came before anything was scrolled to."""
    shifts: list[Any] = field(default_factory=list)

    def listen(self) -> None:
        """Note from now on what a page should not do, and what it asks for."""
        listen(self.page, faults(self.complaints.append))
        listen(self.page, strangers(self.complaints.append, self.host))
        self.page.on("response", lambda response: self.responses.append(response))  # of `append` itself it takes none

    def read(self) -> None:
        """Scroll from top to bottom at a reader's pace, until every figure is drawn.

        A reader is slower than a machine that has other work: what was begun ahead is drawn before the next step.
        """
        page = self.page
        page.wait_for_load_state("networkidle")
        self.first = list(self.responses)
        page.evaluate("""async () => {
          await document.fonts.ready;
          const pause = (ms) => new Promise((done) => setTimeout(done, ms));
          for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight / 3) {
            scrollTo({ top: y, behavior: "instant" });
            await pause(35);
            while (document.querySelector("figure[data-state=loading]")) await pause(10);
          }
        }""")
        page.wait_for_function("document.querySelectorAll('figure[data-view]:not([data-state=ready])').length === 0")
        page.wait_for_load_state("networkidle")
        page.evaluate("scrollTo(0, 0)")
        self.shifts = page.evaluate("window.shifts")


def visit(browser: Browser, host: str, address: str, **options: Any) -> Visit:
    """Open an address in a context of its own, and listen; `options` are Playwright's."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    context.set_default_timeout(PATIENCE)
    context.add_init_script(SHIFTS)
    page = context.new_page()
    opened = Visit(page, context, host, address)
    opened.listen()
    page.goto(host + address)
    return opened
