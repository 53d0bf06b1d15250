"""Pages of a browser that tests borrow, and what is said of those in which something goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page
from playwright.sync_api import Error as PlaywrightError

PATIENCE = 10_000
"""Milliseconds in which a page must do what it is to do: as long for what is expected as for what is done."""

Listeners = Mapping[str, Callable[..., None]]
"""By event of a page."""


def faults(complain: Callable[[str], None]) -> Listeners:
    """Return what tells of errors, words in the console, and what cannot be loaded."""

    def failed(request: Any) -> None:
        if "ABORTED" not in str(request.failure):  # what was under way when a page is left
            complain(f"failed: {request.url}")

    def answered(response: Any) -> None:
        if response.status >= 400:
            complain(f"{response.status}: {response.url}")

    return {
        "pageerror": lambda error: complain(f"page error: {error}"),
        "console": lambda message: complain(f"console: {message.text}"),
        "requestfailed": failed,
        "response": answered,
    }


def strangers(complain: Callable[[str], None], *ours: str) -> Listeners:
    """Return what tells of requests to addresses that begin otherwise."""

    def asked(request: Any) -> None:
        if not request.url.startswith((*ours, "data:", "blob:")):
            complain(f"external: {request.url}")

    return {"request": asked}


def listen(page: Page, listeners: Listeners) -> None:
    """Let a page's events be heard."""
    for event, listener in listeners.items():
        page.on(event, listener)  # type: ignore[call-overload]


MEDIA = {"color_scheme": "light", "reduced_motion": "no-preference", "forced_colors": "none"}
"""What a page is shown for, unless a test says otherwise."""


@dataclass
class Pages:
    """Pages that tests borrow and give back as they were: a new one takes longer than most of what is done in it."""

    browser: Browser
    _idle: dict[str, list[Page]] = field(default_factory=dict)
    _lent: list[tuple[str, Page]] = field(default_factory=list)

    def lend(self, width: int, height: int, *, own: bool, **options: Any) -> Page:
        """Return a page without routes, listeners or anything stored; a new one with an empty cache if it is `own`."""
        media = {name: options.pop(name, usual) for name, usual in MEDIA.items()}
        key = "" if own else repr(sorted(options.items()))
        idle = self._idle.get(key) if key else None
        page = idle.pop() if idle else self._new(**options)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(media="screen", **media)
        self._lent.append((key, page))
        return page

    def _new(self, **options: Any) -> Page:
        context = self.browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        return context.new_page()

    def take_back(self, listeners: Mapping[str, Callable[..., None]]) -> None:
        """Make pages that were lent as they were; those from disk may have stored something elsewhere."""
        for key, page in self._lent:
            if key and _emptied(page, listeners):
                self._idle.setdefault(key, []).append(page)
            else:
                page.context.close()
        self._lent.clear()


def _emptied(page: Page, listeners: Mapping[str, Callable[..., None]]) -> bool:
    """Clear a page of what a test left in it; return whether that can be done."""
    if page.is_closed() or not page.url.startswith("http:"):
        return False
    try:
        page.unroute_all(behavior="ignoreErrors")
        for event, listener in listeners.items():
            page.remove_listener(event, listener)  # type: ignore[arg-type]
        page.evaluate("localStorage.clear(), sessionStorage.clear()")
        page.mouse.move(-1, -1)
    except PlaywrightError:  # on its way to another address
        return False
    return True
