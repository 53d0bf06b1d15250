"""`Preview`: what the preview shows, the last good site and what is wrong since, and the pages that listen for news."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import Problem
from ..finding import with_columns
from ..site import Site

__all__ = ["Change", "Preview", "difference", "place"]

HEARTBEAT = 15  # seconds; a comment this often finds out which pages have gone

Marks = Mapping[str, str]
"""A digest of each file of a site, that of a page without the name of the assets' folder."""


@dataclass(frozen=True)
class Change:
    """What differs between two builds, as far as an open page cares. `pages` None: all of them."""

    pages: frozenset[str] | None = frozenset()
    styles: tuple[str, str] | None = None
    """The old and the new assets folder, where style sheets are all that changed in it."""

    def __bool__(self) -> bool:
        return self.pages is None or bool(self.pages) or self.styles is not None


def difference(before: Marks | None, after: Marks) -> Change:
    """Return what changed from one build to the next.

    Assets lie in a folder named by their digest, so an edited style sheet renames all of them, and changes every page:
    only what is left when the old folder's name is read as the new one counts.
    """
    if before is None:
        return Change(pages=None)
    old_folder, new_folder = _assets_folder(before), _assets_folder(after)
    renamed = {_moved(path, old_folder, new_folder): mark for path, mark in before.items()}
    changed = {path for path in renamed.keys() | after.keys() if renamed.get(path) != after.get(path)}
    pages = {path for path in changed if path.endswith(".html")}
    if any(not path.endswith(".css") for path in changed - pages):
        return Change(pages=None)
    return Change(frozenset(pages), (old_folder, new_folder) if changed - pages else None)


def _assets_folder(marks: Marks) -> str:
    return next((found[0] for path in marks if (found := re.match(r"assets/[0-9a-f]+/", path))), "assets/")


def _moved(path: str, old: str, new: str) -> str:
    return new + path.removeprefix(old) if path.startswith(old) else path


class Preview:
    """The state of a preview; all of it belongs to the event loop's thread."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.version = time.time_ns() // 1_000_000  # also tells an open page that the server is another one now
        self.problems: tuple[Problem, ...] = ()
        self.building: str | None = None
        self.closing = False
        self._marks: Marks | None = None
        self._listeners: set[asyncio.Queue[str | None]] = set()

    @property
    def base(self) -> str:
        """The path that the site is served under, as on the host it is published on: `/` or `/project/`."""
        return urlsplit(self.site.base_url).path.rstrip("/") + "/"

    @property
    def has_built(self) -> bool:
        """Whether a build has succeeded since the server started."""
        return self._marks is not None

    def succeed(self, marks: Marks) -> Change:
        """Take over a good build and tell the pages what changed in it."""
        change = difference(self._marks, marks)
        self._marks = marks
        self.problems, self.building = (), None
        since = self.version
        self.version += bool(change)
        self._tell({"since": since, "pages": _sorted(change.pages), "styles": change.styles})
        return change

    def fail(self, problems: tuple[Problem, ...]) -> None:
        """Show what is wrong over the last good site."""
        self.problems, self.building = tuple(sorted(with_columns(problems), key=_order)), None
        self._tell({"since": self.version, "pages": [], "styles": None})

    def progress(self, text: str | None) -> None:
        """Say in the pages what is being computed."""
        self.building = text
        self._tell({"since": self.version, "pages": [], "styles": None})

    async def listen(self) -> AsyncIterator[str]:
        """Yield the state now, then all news, as server-sent events, until the server closes."""
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield "retry: 500\n\n" + self._event({"since": None, "pages": [], "styles": None})
            while not self.closing:
                try:
                    news = await asyncio.wait_for(queue.get(), HEARTBEAT)
                except TimeoutError:
                    news = ":\n\n"
                if news is None:
                    return
                yield news
        finally:
            self._listeners.discard(queue)

    def close(self) -> None:
        """Let all listeners go, so that the server can stop at once."""
        self.closing = True
        for queue in self._listeners:
            queue.put_nowait(None)

    def _tell(self, news: Mapping[str, Any]) -> None:
        event = self._event(news)
        for queue in self._listeners:
            queue.put_nowait(event)

    def _event(self, news: Mapping[str, Any]) -> str:
        state = {
            "version": self.version,
            "problems": [{"place": place(p, self.site.root), "message": p.message} for p in self.problems],
            "building": self.building,
        }
        return f"data: {json.dumps({**state, **news})}\n\n"


def _sorted(pages: frozenset[str] | None) -> list[str] | None:
    return None if pages is None else sorted(pages)


def _order(problem: Problem) -> tuple[str, int, int]:
    return str(problem.path or ""), problem.line or 0, problem.column or 0


def place(problem: Problem, root: Path) -> str:
    """Return `content/x/article.md:41:7`, as far as it is known."""
    path = problem.path
    if path is not None and path.is_relative_to(root):
        path = path.relative_to(root)
    return ":".join(str(part) for part in (path, problem.line, problem.column) if part is not None)
