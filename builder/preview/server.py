"""The preview server put together: a port of 127.0.0.1, the application, and the follower that rebuilds."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys
import threading
import webbrowser
from dataclasses import dataclass
from types import FrameType

import uvicorn

from ..errors import BuildError
from ..terminal import Terminal
from .app import make_app
from .follow import Follower, MakeBuilder, MakeSite
from .state import Preview

__all__ = ["Served", "open_socket", "serve"]

ADDRESS = "127.0.0.1"  # on purpose not an option: what authors preview is not for their network
PORT = 8000
TRIES = 50


@dataclass(frozen=True)
class Served:
    """How the server ended; if a build was still running, its thread has to be left behind."""

    is_building: bool


def serve(
    make_site: MakeSite,
    make_builder: MakeBuilder,
    terminal: Terminal,
    *,
    port: int | None = None,
    open_browser: bool = False,
) -> Served:
    """Serve a site until interrupted.

    Raises `BuildError` if there is no site to begin with, or if the port that was asked for is taken.
    """
    preview = Preview(make_site())
    with open_socket(port) as listening:
        taken = listening.getsockname()[1]
        url = f"http://{ADDRESS}:{taken}{preview.base}"
        if port is None and taken != PORT:
            terminal.say(f"port {PORT} is in use, this is port {taken}")
        terminal.say(f"{url}  (Ctrl-C stops)", "bold")
        ended: list[Served] = []
        with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again when it has stopped
            asyncio.run(_serve(preview, make_site, make_builder, terminal, listening, url * open_browser, ended))
    return ended[0] if ended else Served(is_building=False)


async def _serve(
    preview: Preview,
    make_site: MakeSite,
    make_builder: MakeBuilder,
    terminal: Terminal,
    listening: socket.socket,
    url: str,
    ended: list[Served],
) -> None:
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    config = uvicorn.Config(
        make_app(preview),
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config, preview)
    follower = Follower(preview, make_site, make_builder, terminal)
    following = asyncio.create_task(follower.run())
    following.add_done_callback(lambda _: setattr(server, "should_exit", True))  # it ends only by a fault
    if url:
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
    try:
        await server.serve(sockets=[listening])
    finally:
        ended.append(Served(follower.is_building))
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following


class _Server(uvicorn.Server):
    """Uvicorn, but pages that listen for news are let go at once."""

    def __init__(self, config: uvicorn.Config, preview: Preview) -> None:
        super().__init__(config)
        self._preview = preview
        self._loop = asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self._preview.close)
        super().handle_exit(sig, frame)


def open_socket(port: int | None) -> socket.socket:
    """Return a socket that is bound to the port, or, if none was asked for, to the first free one from 8000 on.

    Raises `BuildError` where the port is taken or not allowed.
    """
    wanted = range(PORT, PORT + TRIES) if port is None else (port,)
    error: OSError | None = None
    for number in wanted:
        found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if sys.platform != "win32":  # there it means that two servers may share a port
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((ADDRESS, number))
            found.listen(128)
        except OSError as refused:
            found.close()
            error = refused
        else:
            return found
    which = f"port {port}" if port is not None else f"ports {PORT} to {PORT + TRIES - 1}"
    raise BuildError(f"invalid port: {which} cannot be had: {error.strerror if error else ''}")
