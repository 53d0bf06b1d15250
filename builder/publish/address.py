"""`pages_address`: where GitHub Pages serves a repository's site, read off the address it is pushed to."""

from __future__ import annotations

import re

__all__ = ["pages_address", "same_place"]

_GITHUB = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^@/]+@)?github\.com(?::\d+)?/|(?:[^@/]+@)?github\.com:)"
    r"(?P<owner>[\w.-]+)/(?P<name>[\w.-]+?)(?:\.git)?/?",
    re.IGNORECASE,
)


def pages_address(remote: str, domain: str = "") -> str:
    """Return the address of the site that is pushed to `remote`, the empty text where nobody can know.

    >>> pages_address("git@github.com:Ada/engine.git")
    'https://ada.github.io/engine/'
    >>> pages_address("https://github.com/ada/ada.github.io")
    'https://ada.github.io/'
    """
    if domain:
        return f"https://{domain}/"
    found = _GITHUB.fullmatch(remote.strip())
    if not found:
        return ""
    host = f"{found['owner'].lower()}.github.io"
    return f"https://{host}/" if found["name"].lower() == host else f"https://{host}/{found['name']}/"


def same_place(one: str, other: str) -> bool:
    """Whether two addresses are one, but for http or https and the case of the host."""
    return _plain(one) == _plain(other)


def _plain(address: str) -> tuple[str, str]:
    host, _, path = re.sub(r"^https?://", "", address).partition("/")
    return host.casefold(), path.rstrip("/")
