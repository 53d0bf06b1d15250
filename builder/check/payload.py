"""How much data a figure hands to its readers, and what would make it less."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from ..cache import Cache
from ..document import Document
from ..figure import Result
from ..finding import Finding
from ..kind import Kind, parameters
from ..plan import Plan

__all__ = ["check_payload"]

_FEWER = ("layers", "heads", "top", "clusters", "factors", "steps", "samples", "watch", "neurons")
"""Parameters of kinds that say how much is shown."""


def check_payload(
    documents: Sequence[Document],
    plan: Plan,
    results: Mapping[str, Result],
    cache: Cache,
    kinds: Mapping[str, Kind],
    limit: int,
) -> Iterator[Finding]:
    """Yield a warning for each figure whose data is over `limit` kilobytes; pieces are fetched when asked for."""
    for document in documents:
        for spec in document.figures:
            panels = plan.figures.get((document.article.slug, spec.anchor), ())
            shown = [results[panel.address] for panel in panels if panel.address in results]
            sizes = [cache.path(result.address).stat().st_size for result in shown]
            if sum(sizes) <= limit * 1024:
                continue
            largest = max(zip(sizes, shown, strict=True), key=lambda pair: pair[0])[1]
            message = (
                f"large data: {spec.anchor} ({largest.kind}) has {sum(sizes) // 1024} KB, over {limit} KB"
                f"{_most(largest)}; {_hint(kinds[largest.kind], len(panels))}"
            )
            yield Finding(message, spec.path, spec.line)


def _most(result: Result) -> str:
    """Say which part of an answer is the most of it, if one is."""
    sizes = {name: len(json.dumps(value, separators=(",", ":"))) for name, value in result.data.items()}
    name = max(sizes, key=lambda key: sizes[key], default="")
    return f", most of it {name}" if name and sizes[name] * 2 > sum(sizes.values()) else ""


def _hint(kind: Kind, n_panels: int) -> str:
    fewer = [field.name for field in parameters(kind) if field.name in _FEWER]
    ways = ["a shorter text", *(f"fewer {name}" for name in fewer[:2])]
    if n_panels > 1:
        ways.append("fewer panels")
    return f"{' or '.join([', '.join(ways[:-1]), ways[-1]] if len(ways) > 1 else ways)} would make it less"
