"""Links to other hosts: which machine is asked, whatever a name means from one moment to the next."""

from __future__ import annotations

import socket
import ssl
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from builder.check import outside
from builder.check.outside import OutsideLink, ask_links

PUBLIC, OTHER = "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"
REFUSED = "a host in a private network is not asked"


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """The requests that a server on loopback gets; the last entry is its port. `/away` leads to another name."""
    found: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            """Note the request, and answer."""
            found.insert(-1, f"{self.command} {self.headers['Host'].partition(':')[0]}{self.path}")
            self.send_response(302 if self.path == "/away" else 404)
            if self.path == "/away":
                self.send_header("Location", f"http://neighbour.example:{found[-1]}/admin")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.append(str(server.server_port))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """What names mean, one list of addresses a question, the last for good. There is no proxy."""
    meanings: dict[str, list[list[str]]] = {}

    def look_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        answers = meanings.get(host, [[host]])
        now = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(0, 0, 0, "", (address, port)) for address in now]

    monkeypatch.setattr("urllib.request.getproxies", dict)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return meanings


@pytest.fixture
def connected(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that were connected to; all but the first public one, if there are two, lead to the server."""
    found: list[str] = []
    port = int(asked[-1])

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        found.append(address[0])
        if address[0] == OTHER:
            raise ConnectionRefusedError(111, "Connection refused")
        stream = socket.socket()
        stream.connect(("127.0.0.1", port))
        return stream

    monkeypatch.setattr(socket, "create_connection", connect)
    return found


def told(url: str) -> str:
    """Return what is said of one address."""
    return " ".join(finding.message for finding in ask_links([OutsideLink(url, Path("a.md"), 1)], timeout=5))


def test_the_address_that_was_judged_is_the_one_that_is_asked(
    names: dict[str, list[list[str]]], connected: list[str], asked: list[str]
) -> None:
    """A name that means a neighbour when it is asked again, as its owner may arrange, is not asked again."""
    names["rebind.example"] = [[PUBLIC], ["127.0.0.1"]]
    assert told(f"http://rebind.example:{asked[-1]}/x") == (
        f"unknown link: http://rebind.example:{asked[-1]}/x ({REFUSED})"  # HEAD was answered by 404, and GET came after
    )
    assert connected == [PUBLIC]
    assert asked[:-1] == ["HEAD rebind.example/x"]


def test_of_several_addresses_the_next_is_tried(
    names: dict[str, list[list[str]]], connected: list[str], asked: list[str]
) -> None:
    """Where one of them is private none is."""
    names["two.example"] = [[OTHER, PUBLIC]]
    names["half.example"] = [[PUBLIC, "10.0.0.1"]]
    assert "its host says 404" in told(f"http://two.example:{asked[-1]}/x")
    assert connected == [OTHER, PUBLIC] * 2
    assert asked[:-1] == ["HEAD two.example/x", "GET two.example/x"]
    assert REFUSED in told(f"http://half.example:{asked[-1]}/x")
    assert len(connected) == 4


@pytest.mark.parametrize(
    "inside", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fe80::1%eth0", "::ffff:10.0.0.1"]
)
def test_a_redirection_into_a_private_network_is_not_followed(
    inside: str, names: dict[str, list[list[str]]], connected: list[str], asked: list[str]
) -> None:
    """Each address that one leads to is judged as the first was."""
    names["away.example"], names["neighbour.example"] = [[PUBLIC]], [[inside]]
    assert REFUSED in told(f"http://away.example:{asked[-1]}/away")
    assert connected == [PUBLIC]
    assert asked[:-1] == ["HEAD away.example/away"]


def test_a_certificate_is_for_the_name(
    names: dict[str, list[list[str]]], connected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over HTTPS an address is connected to, and the name is shown and checked."""
    shown: list[str] = []

    def wrap(context: ssl.SSLContext, stream: socket.socket, *, server_hostname: str, **_: Any) -> ssl.SSLSocket:
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.check_hostname
        shown.append(server_hostname)
        raise ConnectionResetError("that is enough")

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", wrap)
    names["secure.example"] = [[PUBLIC]]
    assert "(that is enough)" in told("https://secure.example/x")
    assert (shown, connected) == (["secure.example"], [PUBLIC])


def test_a_proxy_is_asked_wherever_it_lies(
    names: dict[str, list[list[str]]], asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the user's own, and mostly near; names that mean a neighbour from here are not handed to it."""
    monkeypatch.setattr("urllib.request.getproxies", lambda: {"http": f"http://127.0.0.1:{asked[-1]}"})
    monkeypatch.setattr("urllib.request.proxy_bypass", lambda _: False)
    names["near.example"] = [["192.168.0.1"]]
    assert REFUSED in told("http://near.example/x")
    assert asked[:-1] == []


def test_what_a_proxy_knows_is_asked_through_it(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is unknown here may be known there; the proxy itself is on loopback."""
    proxies = {"http": f"http://127.0.0.1:{asked[-1]}"}
    monkeypatch.setattr("urllib.request.getproxies", lambda: proxies)
    monkeypatch.setattr("urllib.request.proxy_bypass", lambda _: False)
    through = urllib.request.build_opener(outside._Still, urllib.request.ProxyHandler(proxies))
    monkeypatch.setattr(outside, "_OPENER", through)
    assert "its host says 404" in told("http://nobody.invalid/x")
    assert asked[:-1] == ["HEAD nobody.invalidhttp://nobody.invalid/x", "GET nobody.invalidhttp://nobody.invalid/x"]
