"""Links to other hosts: found in articles and in the works they cite, and asked whether they lead somewhere.

The addresses are an author's, who may be a stranger to whoever checks: only http and https are asked, a host in a
private network never is, nor one that a redirection names, nor one that a name means only when it is asked again.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urldefrag, urljoin, urlsplit

from .. import __version__
from ..document import Document
from ..finding import Finding
from ..library import Library
from .walk import walk

__all__ = ["OutsideLink", "ask_links", "find_links"]

AT_ONCE = 8
TIMEOUT = 10.0
"""Seconds to wait for a host; slower ones lose readers, too."""
MAX_HOPS = 5
_SHY = frozenset({401, 403, 405, 406, 429, 451})
"""Answers of hosts that turn programs away and let readers in."""
_MOVED = frozenset({301, 302, 303, 307, 308})
_FOR_GOOD = frozenset({301, 308})
_AGENT = f"fanlight/{__version__} (checks links; stdlib urllib)"


@dataclass(frozen=True)
class OutsideLink:
    """An address that an article or an entry of a bibliography names, and where."""

    url: str
    path: Path
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True)
class _Reply:
    """A status, or why there is none; `moved` is where the address leads for good."""

    status: int = 0
    why: str = ""
    moved: str = ""


def find_links(documents: Sequence[Document], library: Library) -> list[OutsideLink]:
    """Return the links of articles to other hosts, and the addresses and DOIs of the works that they cite."""
    found: dict[tuple[str, Path], OutsideLink] = {}
    for document in documents:
        article = document.article
        lines = article.body.split("\n")
        for token, line in walk(document):
            href = str(token.attrs.get("href", "")) if token.type == "link_open" else ""
            if href.startswith(("http://", "https://")):
                place = _find(href, lines, line - article.body_line)
                at = (place[0] + article.body_line, place[1] + 1) if place else (line, None)
                url = urldefrag(href).url
                found.setdefault((url, article.path), OutsideLink(url, article.path, *at))
        bibliography = library.bibliography(article)
        for entry in (bibliography[key] for key in document.citations if key in bibliography):
            for field, url in _addresses(entry.fields):
                line = entry.lines.get(field, entry.line)
                found.setdefault((url, entry.path), OutsideLink(url, entry.path, line))
    return list(found.values())


def _addresses(fields: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    doi = re.sub(r"^(https?://(dx\.)?doi\.org/|doi:)", "", fields.get("doi", "").strip())
    if doi:
        yield "doi", f"https://doi.org/{doi}"
    if fields.get("url", "").startswith(("http://", "https://")):
        yield "url", urldefrag(fields["url"].strip()).url


def ask_links(links: Sequence[OutsideLink], *, private: bool = False, timeout: float = TIMEOUT) -> list[Finding]:
    """Ask each address once, eight at a time, and return what is to be said. Nothing is raised for what a host does.

    `private` lets hosts of private networks be asked: tests have no others.
    """
    urls = list(dict.fromkeys(link.url for link in links))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        replies = dict(zip(urls, pool.map(lambda url: _ask(url, private, timeout), urls), strict=True))
    return [finding for link in links for finding in _judge(link, replies[link.url])]


def _judge(link: OutsideLink, reply: _Reply) -> Iterator[Finding]:
    where = (link.path, link.line, link.column)
    if reply.why:
        yield Finding(f"unknown link: {link.url} ({reply.why})", *where, "note")
    elif reply.status in (404, 410):
        yield Finding(f"broken link: {link.url} (its host says {reply.status})", *where, "warning")
    elif reply.status >= 400:
        yield Finding(f"unknown link: {link.url} (its host says {reply.status})", *where, "note")
    elif reply.moved:
        yield Finding(f"moved link: {link.url} (now {reply.moved})", *where, "note")


def _ask(url: str, private: bool, timeout: float) -> _Reply:
    """Return what an address answers, to HEAD, or to GET where a host will not hear of HEAD."""
    current, moved, stays = url, "", True
    try:
        for _ in range(MAX_HOPS):
            opener = _OPENER if private or _is_proxied(current) else _PUBLIC
            if opener is _OPENER and not private:
                _judge_proxied(current)
            status, location = _request(current, "HEAD", timeout, opener)
            if status >= 400 and status != 429:
                status, location = _request(current, "GET", timeout, opener)
            if status not in _MOVED or not location:
                return _Reply(status, moved=moved)
            current = urljoin(current, location)
            if not current.startswith(("http://", "https://")):
                return _Reply(why=f"leads to {current.partition(':')[0]}:")
            stays = stays and status in _FOR_GOOD
            moved = current if stays else moved
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _Reply(why=_reason(error))
    return _Reply(why=f"leads on more than {MAX_HOPS} times")


class _Still(urllib.request.HTTPRedirectHandler):
    """Follows nothing: where a redirection leads is looked at first."""

    def redirect_request(self, *_: Any) -> None:
        return None


class _PrivateError(OSError):
    """A host is in a private network."""

    def __init__(self) -> None:
        super().__init__("a host in a private network is not asked")


class _Plain(http.client.HTTPConnection):
    """Connects to the address that was judged: asked again, a name of a stranger's may mean a neighbour."""

    def connect(self) -> None:
        found = _public_addresses(self.host, self.port)
        for number, address in enumerate(found, 1):
            try:
                self.sock = socket.create_connection((address, self.port), self.timeout)
                return
            except OSError:
                if number == len(found):
                    raise


class _Secure(http.client.HTTPSConnection, _Plain):
    """The same, and on top of it what HTTPS does; a certificate is for the name, not for the address."""


class _Public(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
    """Opens addresses in both ways."""

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Plain, request)

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Secure, request)


_OPENER = urllib.request.build_opener(_Still)
_PUBLIC = urllib.request.build_opener(_Still, _Public, urllib.request.ProxyHandler({}))


def _request(url: str, method: str, timeout: float, opener: urllib.request.OpenerDirector) -> tuple[int, str]:
    """Return a status, and where a redirection leads; the user's proxies and certificates count. Raises `OSError`."""
    asked = quote(url, safe="%/:=&?~#+!$,;'@()*[]")
    request = urllib.request.Request(asked, method=method, headers={"User-Agent": _AGENT, "Accept": "*/*"})  # noqa: S310
    try:
        with opener.open(request, timeout=timeout) as response:
            return response.status, ""
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers.get("Location", "")


def _is_proxied(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(parts.netloc)


def _judge_proxied(url: str) -> None:
    """Raise `OSError` for a host that a proxy, which connects to what it likes, is not to be asked for."""
    host = urlsplit(url).hostname or ""
    try:
        _public_addresses(host, None)
    except (socket.gaierror, UnicodeError):
        if host.endswith(("localhost", ".local", ".internal")):
            raise  # other names the proxy may know


def _public_addresses(host: str, port: int | None) -> list[str]:
    """Return the addresses that a name means. Raises `OSError` where it has none, or one of a private network."""
    found = list(dict.fromkeys(str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    if not all(ipaddress.ip_address(address.partition("%")[0]).is_global for address in found):
        raise _PrivateError
    return found


def _reason(error: Exception) -> str:
    inner = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(inner, TimeoutError):
        return "no answer in time"
    if isinstance(inner, ssl.SSLError):
        return f"certificate: {getattr(inner, 'verify_message', '') or inner.reason or 'broken'}"
    if isinstance(inner, socket.gaierror):
        return "no such host"
    return str(getattr(inner, "strerror", None) or inner or type(inner).__name__)


def _find(url: str, lines: list[str], first: int) -> tuple[int, int] | None:
    """Return line and column, from 0, of an address in a body, in a block that begins with line `first`."""
    for number in range(first, len(lines)):
        at = lines[number].find(url)
        if at >= 0:
            return number, at
    return None
