"""`Citations`: settles what is cited, how often, and which `@` is no citation."""

from __future__ import annotations

import re

from markdown_it.token import Token

from ..bibliography import Bibliography
from ..directives.cite import LABEL, ROLES
from ..errors import nearest
from ..source_map import Source
from .reading import Locate

__all__ = ["Citations"]

_YEAR = re.compile(r"[A-Za-z].*(1[5-9]|20)\d\d")


class Citations:
    """`places` says at how many places a key is cited, in the order of the first; `handles` only looked like keys."""

    def __init__(self, source: Source, bibliography: Bibliography) -> None:
        self.source = source
        self.bibliography = bibliography
        self.places: dict[str, int] = {}
        self.handles: dict[str, None] = {}

    def add(self, token: Token, locate: Locate) -> None:
        """Note a citation; a bare handle becomes text again."""
        meta = token.meta
        meta["line"], meta["column"] = locate(0)
        raw = str(meta["raw"])
        if meta["bare"] and not any(self._is_meant(item["key"]) for item in meta["items"]):
            token.type, token.content = "text", raw
            self.handles.update(dict.fromkeys(item["key"] for item in meta["items"]))
            for key in (item["key"] for item in meta["items"] if LABEL.match(item["key"].lower())):
                self.source.complain(f"unknown label: {key} (did you mean {key.lower()}?)", locate(0))
            return
        if meta["unknown_role"]:
            role = f"cite:{meta['unknown_role']}"
            self.source.complain(f"unknown role: {role}{nearest(role, [f'cite:{name}' for name in ROLES])}", locate(0))
        for item in meta["items"]:
            key = item["key"]
            if key in self.bibliography:
                self.places[key] = self.places.get(key, 0) + 1
            else:
                near = nearest(key, self.bibliography.keys())
                near = f" (did you mean {key.lower()}?)" if LABEL.match(key.lower()) else near
                offset = raw.find(f"@{key}" if "@" in raw else key)  # HTML and roles have no @
                self.source.complain(f"unknown citation: {key}{near}", locate(max(offset, 0)))

    def _is_meant(self, key: str) -> bool:
        """Whether a bare `@key` is meant as a citation: a known key, one with a year, or one that is all but known.

        Else it is a handle or a decorator, and text. In brackets, `@key` is always a citation.
        """
        known = key in self.bibliography or _YEAR.search(key) is not None
        return known or self.bibliography.has_similar(key)
