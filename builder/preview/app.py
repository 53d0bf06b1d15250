"""The preview's web application: the site as it lies on disk, with the preview's script put into each page."""

from __future__ import annotations

import mimetypes
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import jinja2
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from ..folders import built_in
from .state import place

if TYPE_CHECKING:
    from .state import Preview

__all__ = ["make_app"]

OWN = "__fanlight__"  # the one name under the base path that is the preview's and not the site's

HOSTS = ["localhost", "127.0.0.1", "[::1]"]  # any other name that leads here is DNS rebinding

TYPES = {".js": "text/javascript", ".json": "application/json", ".woff2": "font/woff2", ".svg": "image/svg+xml"}

NEVER, FOREVER = "no-store", "public, max-age=31536000, immutable"


def make_app(preview: Preview) -> Starlette:
    """Return the application that shows a preview."""
    for suffix, kind in TYPES.items():  # Windows' registry has been known to call scripts text/plain
        mimetypes.add_type(kind, suffix)
    folder = built_in("theme") / "preview"
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder), autoescape=True, undefined=jinja2.StrictUndefined
    )

    async def answer(request: Request) -> Response:
        path = "/" + request.path_params["path"]
        base = unquote(preview.base)
        if not path.startswith(base):
            return RedirectResponse(preview.base) if path in ("/", base[:-1]) else _no_such_file()
        path = path.removeprefix(base)
        own, _, name = path.partition("/")
        if own == OWN:
            return _own(name)
        return _page_or_file(path)

    def _own(name: str) -> Response:
        if name == "events":
            return StreamingResponse(preview.listen(), media_type="text/event-stream", headers=_caching(NEVER))
        if name in ("preview.js", "preview.css"):
            return FileResponse(folder / name, headers=_caching(NEVER))
        return _no_such_file()

    def _page_or_file(path: str) -> Response:
        output = preview.site.output
        file = find(output, path)
        if file is not None and file.is_dir():
            if path and not path.endswith("/"):
                return RedirectResponse(f"{preview.base}{path}/")
            file = find(output, f"{path}index.html")
        if file is not None and file.is_file():
            if file.suffix == ".html":
                return _page(file.read_bytes())
            # an assets folder is named by its digest, so what lies in it is good for ever
            return FileResponse(file, headers=_caching(FOREVER if path.startswith("assets/") else NEVER))
        newer = find_newer(output, path)
        if newer is not None:
            return FileResponse(newer, headers=_caching(NEVER))
        wants_page = path.endswith(("/", ".html")) or "." not in path.rpartition("/")[2]
        if not wants_page:
            return _no_such_file()
        lost = output / "404.html"
        if lost.is_file() and (preview.has_built or (output / "index.html").is_file()):
            return _page(lost.read_bytes(), 404)
        return _page(_error_page(path), 404 if preview.has_built else 503)

    def _page(html: bytes, status: int = 200) -> Response:
        script = templates.get_template("script.html").render(src=_url("preview.js"), version=preview.version)
        end = html.rfind(b"</body>")
        end = len(html) if end < 0 else end
        return Response(html[:end] + script.encode() + html[end:], status, _caching(NEVER), "text/html")

    def _error_page(path: str) -> bytes:
        problems = [(place(problem, preview.site.root), problem.message) for problem in preview.problems]
        page = templates.get_template("error.html")
        return page.render(
            site=preview.site,
            path=path,
            problems=problems,
            has_built=preview.has_built,
            building=preview.building,
            stylesheet=_url("preview.css"),
        ).encode()

    def _url(name: str) -> str:
        return f"{preview.base}{OWN}/{name}"

    return Starlette(
        routes=[Route("/{path:path}", answer, methods=["GET", "HEAD"])],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False)],
    )


def find(output: Path, path: str) -> Path | None:
    """Return the file or folder of the site at a path, or None where it leads out of the site or is hidden in it."""
    parts = path.rstrip("/").split("/") if path.rstrip("/") else []
    if any(not part or part.startswith(".") or re.search(r"[\\:\0]", part) for part in parts):
        return None
    try:
        file = output.joinpath(*parts).resolve()
        return file if file.is_relative_to(output.resolve()) and file.exists() else None
    except (OSError, ValueError):  # names that are too long, or no names at all
        return None


def find_newer(output: Path, path: str) -> Path | None:
    """Return today's version of an asset that an open page asks for under the name of an old assets folder.

    After a style sheet was swapped the page is still the old one; its explorables that are not drawn yet point there.
    """
    found = re.fullmatch(r"assets/[0-9a-f]+/(.+)", path)
    folders = sorted((output / "assets").glob("*/")) if found else []
    files = [find(output, f"assets/{folder.name}/{found[1]}") for folder in folders] if found else []
    return next((file for file in files if file is not None and file.is_file()), None)


def _no_such_file() -> Response:
    return PlainTextResponse("not found", 404, headers=_caching(NEVER))


def _caching(value: str) -> dict[str, str]:
    return {"Cache-Control": value}
