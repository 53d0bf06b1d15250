"""`find_entries` and `judge_entries`: which articles there are, and which of them must be made."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path

from ..errors import BuildError
from ..library import Library, check_slugs
from ..summary import neighbours
from .records import Record, Records, folder_stamps
from .rendering import Entry, sketch
from .standing import Standing

__all__ = ["find_entries", "judge_entries"]


def find_entries(library: Library, records: Records, only: frozenset[str]) -> list[Entry]:
    """Return the articles that may be shown, each with its neighbours; only those that changed are read.

    Raises `BuildError` where there are none, where two have one address, and for a slug in `only` that none has.
    """
    site, found = library.site, []
    for file in library.files():
        sources = folder_stamps(file.parent)
        record = records.articles.get(str(file))
        if record is not None and record.sources.get(str(file)) != sources.get(str(file)):
            record = None
        summary = sketch(library.article(file)) if record is None else record.summary
        found.append(Entry(file, summary, sources, record=record))
    try:
        check_slugs([(entry.summary.slug, entry.path) for entry in found], site.root, only)
    except BuildError:
        library.read(only)  # which raises that, with all else that is wrong
        raise
    listed = [entry for entry in found if site.drafts or not entry.summary.draft]
    if not listed:
        raise BuildError("missing articles: all are drafts; build with --drafts", site.content)
    near = neighbours(entry.summary for entry in listed)
    ends = [near.get(entry.summary.slug, (None, None)) for entry in listed]
    return [replace(entry, newer=newer, older=older) for entry, (newer, older) in zip(listed, ends, strict=True)]


def judge_entries(
    entries: Iterable[Entry], standing: Standing, *, only: Collection[str], refresh: Collection[str]
) -> tuple[dict[Path, Record], list[Entry]]:
    """Return the records that hold, by article, and the articles that must be made; with `only`, of these alone.

    With `refresh`, articles that show answers are made: it names figures in them.
    """
    holding, changed = {}, []
    for entry in entries:
        if only and entry.summary.slug not in only:
            continue
        known = entry.record
        refreshed = refresh and known is not None and known.answers
        record = None if known is None or refreshed else standing.judge(known, entry.near, entry.sources)
        if record is None:
            changed.append(entry)
        else:
            holding[entry.path] = record
    return holding, changed
