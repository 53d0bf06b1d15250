"""Articles as lists get them, and what lists make of them."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

from builder.site import Site
from builder.summary import Summary

BASE = "https://example.org/project/"
Listed = Callable[..., dict[str, str]]


def summary(n: int, **given: Any) -> Summary:
    """Return an article of the first days of 2026, the first the newest."""
    day = datetime.date(2026, 3, 1) - datetime.timedelta(days=n)
    return Summary(**{"slug": f"a{n}", "page": f"a{n}/index.html", "title": f"Article {n}", "date": day, **given})


def site(root: Path, **settings: Any) -> Site:
    """Return a site with an address and without a search."""
    return Site(root, root / "_site", **{"title": "A & B", "base_url": BASE, "search": False, **settings})
