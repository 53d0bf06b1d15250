"""Pages with a figure of any kind, on loopback: a site's assets, and what tests write beside them."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import jinja2
from kinds import KINDS, SITE
from markupsafe import Markup
from served import Server

from builder.assets import Assets, collect_assets
from builder.figure import FigureSpec, Result
from builder.kind import Kind
from builder.page import shared_extent
from builder.templates import make_theme


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


@contextmanager
def serve_harness(folder: Path) -> Iterator[Harness]:
    """Within: an empty folder has the assets of all kinds and is served."""
    (folder / "data").mkdir()
    assets = collect_assets(SITE, list(KINDS.values()))
    for path, content in assets.files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    server = Server(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Harness(folder, f"http://127.0.0.1:{server.server_port}", assets, make_theme(SITE))
    server.shutdown()
