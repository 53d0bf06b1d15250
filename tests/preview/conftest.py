"""A preview server in a process of its own, with a small builder in place of the whole pipeline."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from previewed import hear, write_site

SERVER = Path(__file__).parents[1] / "fixtures/preview/server.py"


class Server:
    """A preview server in a process of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "FANLIGHT_CACHE": str(root.parent / "cache")}
        env["PYTHONUNBUFFERED"] = "1"
        self.process = subprocess.Popen(
            [sys.executable, SERVER, root], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.url = hear(self.process).split()[0]
        self.port = int(self.url.split(":")[2].split("/")[0])

    def get(self, path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
        """Ask for a path exactly as it is written: no client tidies it up on the way."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.putrequest("GET", path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        body = response.read().decode(errors="replace")
        connection.close()
        return response.status, body, {key.lower(): value for key, value in response.getheaders()}

    def wait(self, path: str, holds: Callable[[str], bool], seconds: float = 10) -> str:
        """Ask until the page is as it should be."""
        end = time.monotonic() + seconds
        while True:
            _, body, _ = self.get(path)
            if holds(body):
                return body
            assert time.monotonic() < end, body
            time.sleep(0.02)

    def hear(self, word: str) -> str:
        """Return the next line of the terminal that has a word in it."""
        return hear(self.process, word)

    def events(self, base: str = "/") -> Events:
        """Listen as an open page does."""
        return Events(self.port, base)

    def stop(self) -> None:
        """End it without ceremony."""
        self.process.kill()
        self.process.communicate(timeout=10)


class Events:
    """What an open page hears."""

    def __init__(self, port: int, base: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._socket.sendall(f"GET {base}__fanlight__/events HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        self._lines = self._socket.makefile("r", encoding="utf-8")

    def next(self) -> dict[str, Any]:
        """Return the next news; fails after ten seconds of silence."""
        for line in self._lines:
            if line.startswith("data: "):
                news: dict[str, Any] = json.loads(line[6:])
                return news
        raise EOFError

    def rest(self) -> list[dict[str, Any]]:
        """Return the news until the server lets go."""
        news = []
        with contextlib.suppress(EOFError):
            while True:
                news.append(self.next())
        return news


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a site of two articles."""
    articles = {"a": "<p>first</p>", "b": "<p>second</p>"}
    return write_site(tmp_path / "site", articles, "p { color: red }", settings='title = "Mine"\n')


@pytest.fixture
def start(root: Path) -> Iterator[Callable[[], Server]]:
    """Start a server for the site, and stop it after the test."""
    with contextlib.ExitStack() as stack:

        def start() -> Server:
            server = Server(root)
            stack.callback(server.stop)
            return server

        yield start


@pytest.fixture
def server(start: Callable[[], Server]) -> Server:
    """Return a server that has built the site."""
    server = start()
    server.hear("built in")
    return server


def settled(server: Server) -> Events:
    """Return the events of a server whose first build is over; the greeting is read."""
    events = server.events()
    assert events.next()["since"] is None
    return events
