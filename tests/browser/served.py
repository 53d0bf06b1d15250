"""A built site on loopback as GitHub Pages serves it: under a sub-path, compressed, 404.html at any depth."""

from __future__ import annotations

import gzip
import mimetypes
import sys
import threading
import time
from contextlib import suppress
from functools import cache, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

BASE = "/project/"

LOST = f"{BASE}lost/at/some/depth/"
"""Where 404.html is shown, with status 200: a browser tells of any other in the console, which ought to stay silent."""

LATENCY = 0.15
"""Seconds that fonts and data let wait, as over a network: what jumps when they come would not be seen on loopback."""

_LATE = {".woff2", ".json"}
_PACKED = {".html", ".css", ".js", ".json", ".svg", ".txt"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, folder: Path, *args: Any) -> None:
        self.folder = folder
        super().__init__(*args)

    def do_GET(self) -> None:
        """Answer with a file of the site."""
        path = self.path.partition("?")[0]
        name = "404.html" if path == LOST else path.removeprefix(BASE)
        file = self.folder / name
        if file.is_dir():
            file /= "index.html"
        if not path.startswith(BASE) or not file.is_file():
            return self.send_error(404)
        if file.suffix in _LATE:
            time.sleep(LATENCY)
        body = _packed(file)
        self.send_response(200)
        kind = "text/javascript" if file.suffix == ".js" else mimetypes.guess_type(file.name)[0]
        self.send_header("Content-Type", f"{kind or 'application/octet-stream'}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if file.suffix in _PACKED:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        with suppress(ConnectionError):  # the reader went on to another page
            self.wfile.write(body)
        return None

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Serves as many at once as ask, and does not mind a reader who goes away."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what went wrong, unless it is that the reader went on to another page."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@cache
def _packed(file: Path) -> bytes:
    content = file.read_bytes()
    return gzip.compress(content) if file.suffix in _PACKED else content


def serve_site(folder: Path) -> Server:
    """Serve a site until `shutdown()`; it lies at `http://127.0.0.1:PORT/project/`."""
    server = Server(("127.0.0.1", 0), partial(_Handler, folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
