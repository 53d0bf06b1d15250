"""`Summary`: what the rest of a site knows of an article: its line in the index, its neighbours' links, its feed entry.

It can be stored as JSON, so an article that did not change is not read for the pages that list it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Neighbour", "Summary", "Thumbnail", "in_order", "neighbours"]


@dataclass(frozen=True)
class Thumbnail:
    """A small picture that stands for an article: its path in the site, its size in pixels, what it shows."""

    path: str
    width: int
    height: int
    alt: str = ""


@dataclass(frozen=True)
class Summary:
    """An article as its site lists it. `page` is the page's path in the site, `digest` that of the page's HTML."""

    slug: str
    page: str
    title: str
    subtitle: str | None = None
    description: str | None = None
    date: datetime.date | None = None
    updated: datetime.date | None = None
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    draft: bool = False
    excerpt: str = ""
    n_words: int = 0
    reading_minutes: int = 1
    thumbnail: Thumbnail | None = None
    digest: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        days = {name: day and day.isoformat() for name, day in (("date", self.date), ("updated", self.updated))}
        return {**vars(self), **days, "thumbnail": self.thumbnail and vars(self.thumbnail)}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Summary:
        """Read what `to_json` returned. Raises `TypeError`, `ValueError` or `KeyError` for anything else."""
        days = {name: datetime.date.fromisoformat(body[name]) if body[name] else None for name in ("date", "updated")}
        lists = {name: tuple(body[name]) for name in ("authors", "tags")}
        thumbnail = Thumbnail(**body["thumbnail"]) if body["thumbnail"] else None
        return cls(**{**body, **days, **lists, "thumbnail": thumbnail})


@dataclass(frozen=True)
class Neighbour:
    """The article before or after another one: its page's path in the site, and its title."""

    page: str
    title: str
    date: datetime.date | None = None


def in_order(summaries: Iterable[Summary]) -> list[Summary]:
    """Return articles as the index lists them: newest first, those of one day by slug, those without a day last."""
    by_slug = sorted(summaries, key=lambda summary: summary.slug)
    return sorted(by_slug, key=lambda summary: summary.date or datetime.date.min, reverse=True)


def neighbours(summaries: Iterable[Summary]) -> dict[str, tuple[Neighbour | None, Neighbour | None]]:
    """Return, by slug, the newer and the older neighbour of each article; a draft has none and is none."""
    listed = [summary for summary in in_order(summaries) if not summary.draft]
    near = [Neighbour(summary.page, summary.title, summary.date) for summary in listed]
    ends: list[Neighbour | None] = [None, *near, None]
    return {summary.slug: (ends[at], ends[at + 2]) for at, summary in enumerate(listed)}
