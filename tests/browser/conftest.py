"""A real Chromium, and pages with one figure of every kind found in `figures/`: a new folder brings its tests along."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import jinja2
import pytest
from chromium import ARGUMENTS, find_chromium
from markupsafe import Markup
from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from served import BASE, Server, serve_site

from builder.assets import Assets, collect_assets
from builder.build import Builder
from builder.figure import FigureSpec, Result
from builder.kind import Kind, load_kinds
from builder.page import shared_extent
from builder.site import find_site
from builder.templates import make_theme

SITE = find_site(Path(__file__).parents[2])
FOUND = load_kinds(SITE.folders("figures"))
OWN_CACHE = os.environ.get("FANLIGHT_CACHE")  # before the tests get one of their own
KINDS = {name: kind for name, kind in FOUND.items() if (kind.folder / "view.js").is_file()}

HOSTILE = [
    "</script>", "<img src=x onerror=alert(1)>", '"><b>', "'", "{{ 1 }}", "&lt;", " 東京", "👩‍🔬", " שלום", " مرحبا",
    "\u202e", "\u200b", "\u00a0", "\t", "\n", "\r", "\x00", " ", "  ", "a" * 80, "%3C", "ﬁ", "é", "\\u003c", "]]>",
]  # fmt: skip
"""Texts a vocabulary may hold: markup, quotes, right-to-left, controls, nothing to see, too long."""


PATIENCE = 10_000
"""Milliseconds in which a page must do what it is to do: as long for what is expected as for what is done."""

expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def example(kind: str) -> dict[str, Any]:
    """Return a kind's example, a copy that a test may change."""
    return json.loads((KINDS[kind].folder / "example.json").read_text(encoding="utf-8"))


def hostile(kind: str) -> dict[str, Any]:
    """Return a kind's example with hostile texts for its tokens, the first of them for the first output token."""
    result = example(kind)
    tokens = result["data"].get("tokens", [])
    first = next((i for i, token in enumerate(tokens) if token["type"] == "output"), 1)
    for i, token in enumerate(tokens):
        if token.get("span", 1) == 1:
            token["text"] = HOSTILE[(i - first) % len(HOSTILE)]
    if "vocabulary" in result["data"]:
        size = len(result["data"]["vocabulary"])
        result["data"]["vocabulary"] = [HOSTILE[i % len(HOSTILE)] for i in range(size)]
    return result


@dataclass(frozen=True)
class Harness:
    """A folder that is served: assets as a build lays them out, and pages that tests write into it."""

    folder: Path
    url: str
    assets: Assets
    theme: jinja2.Environment

    def write(
        self, name: str, results: Mapping[str, Any], gap: int = 0, follows: Mapping[str, str] | None = None
    ) -> str:
        """Write a page with a figure for each result, `gap` pixels above each; return its address.

        A list of results, each with a `title`, makes a gallery. `follows` names a figure that one follows.
        """
        figures = []
        for number, (anchor, result) in enumerate(results.items(), 1):
            figures.append(self._figure(number, anchor, result, (follows or {}).get(anchor)))
        kinds = {(result[0] if isinstance(result, list) else result)["kind"] for result in results.values()}
        sheets = ["css/fanlight.css", "css/figures.css"]
        kinds |= {used for kind in kinds for used in KINDS[kind].uses}
        sheets += [style for kind in sorted(kinds) if (style := f"figures/{kind}/view.css") in self.assets]
        source = Path(__file__).with_name("harness.html").read_text(encoding="utf-8")
        template = jinja2.Environment(autoescape=True).from_string(source)
        page = template.render(
            name=name,
            assets=self.assets.folder,
            stylesheets=[self.assets.path(sheet) for sheet in sheets],
            figures=figures,
            gap=gap,
        )
        (self.folder / f"{name}.html").write_text(page, encoding="utf-8")
        return f"{self.url}/{name}.html"

    def _figure(self, number: int, anchor: str, published: Any, follows: str | None = None) -> Markup:
        """Render a figure as a page does, and write its data; figures with the same answer share the file."""
        published = published if isinstance(published, list) else [published]
        kind = KINDS[published[0]["kind"]]
        spec = FigureSpec(number, anchor, Path("article.md"), 1, layout="page")
        extent = shared_extent(kind, [result["data"] for result in published])
        panels = [self._panel(kind, result, spec, extent) for result in published]
        template = self.theme.get_template("parts/figure.html")
        text = template.render(
            figure=spec,
            kind=kind.name,
            panels=panels,
            extent=json.dumps(extent),
            caption=Markup("A caption."),
            alt=" ".join(panel["alt"] for panel in panels),
            method=self._part(f"figures/{kind.name}/method.html", panels[0]),
            view_url=self.assets.path(f"figures/{kind.name}/view.js"),
            follows=FigureSpec(1, follows, Path("article.md"), 1) if follows else None,
        )
        return Markup(text)

    def _panel(
        self, kind: Kind, published: Mapping[str, Any], spec: FigureSpec, extent: Mapping[str, float]
    ) -> dict[str, Any]:
        """Write a result and its pieces, and return what a page's templates get of it."""
        text = json.dumps({key: value for key, value in published.items() if key != "title"})
        result = Result.from_json(hashlib.sha256(text.encode()).hexdigest(), text)
        address = f"data/{result.address}.json"
        (self.folder / address).write_text(result.to_json(), encoding="utf-8")
        for name in result.pieces:
            piece = self.folder / "data" / result.address / f"{name}.json"
            piece.parent.mkdir(exist_ok=True)
            piece.write_bytes((kind.folder / "example" / f"{name}.json").read_bytes())
        context = {"data": result.data, "figure": spec, "result": result, "page": None, "extent": extent}
        return {
            **context,
            "title": published.get("title", ""),
            "alt": kind.analysis.describe(result.data),
            "body": self._part(f"figures/{kind.name}/fallback.html", context),
            "data_url": address,
        }

    def _part(self, template: str, context: Mapping[str, Any]) -> Markup:
        return Markup(self.theme.get_template(template).render(context))


class _Quiet(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # a page asks for two dozen files: over one connection, not over each its own

    def end_headers(self) -> None:
        """Let a browser keep what has a hash in its address; another page of the same name may come within a second."""
        if not self.path.startswith("/assets/"):
            self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """The folder and its server."""
    folder = tmp_path_factory.mktemp("harness")
    (folder / "data").mkdir()
    assets = collect_assets(SITE, _kinds())
    for path, content in assets.files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    server = Server(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Harness(folder, f"http://127.0.0.1:{server.server_port}", assets, make_theme(SITE))
    server.shutdown()


def _kinds() -> list[Kind]:
    return list(KINDS.values())


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of this process."""
    path = find_chromium()
    assert path, "missing Chromium: run python tests/browser/chromium.py"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


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


@pytest.fixture(scope="session")
def pages(chromium: Browser) -> Pages:
    """The pages of this process."""
    return Pages(chromium)


@pytest.fixture
def open_page(pages: Pages, harness: Harness) -> Iterator[Callable[..., Page]]:
    """Open an address in a page that nothing else has at the time; at the end, nothing may have gone wrong.

    `broken=True` for tests in which something goes wrong on purpose; `without` is a pattern of addresses to refuse.
    `own=True` where what other tests had loaded must not be there yet, or where what is done cannot be undone.
    """
    complaints: list[str] = []
    quiet: dict[str, Callable[..., None]] = {
        "pageerror": lambda error: complaints.append(f"page error: {error}"),
        "console": lambda message: complaints.append(f"console: {message.text}"),
        "response": lambda r: complaints.append(f"{r.status}: {r.url}") if r.status >= 400 else None,
        # what was under way when a page is left is aborted
        "requestfailed": lambda r: None if "ABORTED" in str(r.failure) else complaints.append(f"failed: {r.url}"),
    }
    always = {"request": lambda r: None if _ours(r.url, harness) else complaints.append(f"external: {r.url}")}

    def open_page(
        address: str,
        *,
        width: int = 1000,
        height: int = 800,
        broken: bool = False,
        without: str | None = None,
        own: bool = False,
        **options: Any,
    ) -> Page:
        page = pages.lend(width, height, own=own or broken or without is not None, **options)
        if without:
            page.route(without, lambda route: route.abort())
        for event, listener in (always if broken or without else quiet | always).items():
            page.on(event, listener)  # type: ignore[call-overload]
        page.goto(address)
        return page

    yield open_page
    pages.take_back(quiet | always)
    assert not complaints, "\n".join(complaints)


def _ours(address: str, harness: Harness) -> bool:
    return address.startswith((harness.url, "data:", "file:", "blob:"))


@pytest.fixture
def open_figure(open_page: Callable[..., Page], harness: Harness) -> Callable[..., Page]:
    """Open a page with one figure, `fig-it`, and wait until its view is drawn."""

    def open_figure(result: str | Mapping[str, Any], *, query: str = "", wait: bool = True, **options: Any) -> Page:
        result = example(result) if isinstance(result, str) else result
        address = harness.write(f"page-{len(list(harness.folder.glob('page-*.html')))}", {"fig-it": result})
        page = open_page(address + query, **options)
        if wait:
            page.locator("#fig-it[data-state=ready]").wait_for(state="attached")
        return page

    return open_figure


@pytest.fixture(scope="session")
def real_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The site of this repository, with what smollm2 answers: its folder, and the address where it is served."""
    folder = tmp_path_factory.mktemp("site") / "built"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("FANLIGHT_CACHE")
        if OWN_CACHE is not None:
            patch.setenv("FANLIGHT_CACHE", OWN_CACHE)
        Builder(replace(SITE, output=folder, base_url=f"https://example.org{BASE}")).build()
    server = serve_site(folder)
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
