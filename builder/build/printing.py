"""`print_articles`: articles parsed, and rendered if they wait for no answer, in several processes where that pays."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..assets import Assets
from ..document import Document
from ..kind import load_kinds
from ..library import Library
from ..machine import usable_cores
from ..plan import Plan
from ..site import Site
from .answers import Answers
from .rendering import Entry, Made, Renderer

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

__all__ = ["print_articles"]

WORTH_IT = 60
"""Articles from which on the start of other processes, half a second, is won back."""
CHUNK = 4
TIDY = 100
"""Articles after which a process looks for what it can forget."""

_NOTHING_PLANNED = Plan({}, {}, ())
_NOTHING_ANSWERED = Answers({}, frozenset(), ())


def print_articles(
    entries: Sequence[Entry], targets: Mapping[str, Path], renderer: Renderer
) -> tuple[list[Made], list[Document]]:
    """Return the articles that are made, and those, parsed, that have computed figures or mistakes.

    `targets` are the articles that links may lead to, file by slug.
    """
    n_processes = min(usable_cores(), 8)
    if len(entries) < WORTH_IT or n_processes < 2:
        found = [_print(entry, targets, renderer) for entry in entries]
    else:
        found = _print_in_processes(entries, targets, renderer, n_processes)
    made = [one for one in found if isinstance(one, Made)]
    return made, [one for one in found if isinstance(one, Document)]


def _print(entry: Entry, targets: Mapping[str, Path], renderer: Renderer) -> Made | Document:
    document = renderer.library.parse(renderer.library.article(entry.path), targets)
    waits = any(spec.kind is not None for spec in document.figures)
    if waits or any(problem.severity == "error" for problem in document.problems):
        return document
    return renderer.make(document, entry, renderer.read_files(document), _NOTHING_PLANNED, _NOTHING_ANSWERED)


# in other processes


def _print_in_processes(
    entries: Sequence[Entry], targets: Mapping[str, Path], renderer: Renderer, n_processes: int
) -> list[Made | Document]:
    """Share the articles out. What is not made there, because it waits for an answer, is parsed again here."""
    from concurrent.futures import BrokenExecutor, ProcessPoolExecutor  # 10 ms, with multiprocessing

    names = Assets(renderer.assets.folder, dict.fromkeys(renderer.assets.files, b""))
    start = (renderer.site, targets, names)
    with ProcessPoolExecutor(n_processes, _context(), initializer=_start, initargs=start) as pool:
        try:
            found = list(pool.map(_work, entries, chunksize=CHUNK))
        except BrokenExecutor:  # no memory for them, perhaps; there is still this one
            found = [None] * len(entries)
    return [
        one if isinstance(one, Made) else _print(entry, targets, renderer)
        for entry, one in zip(entries, found, strict=True)
    ]


def _context() -> BaseContext:
    """Return how to start processes: by a fork, which saves them their imports, where no thread would be torn by it.

    `serve` has threads, the engine of formulas has one, and a model's do not survive.
    """
    import multiprocessing

    alone = sys.platform == "linux" and threading.active_count() == 1 and "torch" not in sys.modules
    return multiprocessing.get_context("fork" if alone else "spawn")


class _Process:
    """What one of the other processes keeps between articles."""

    renderer: Renderer
    targets: Mapping[str, Path]
    n_done = 0


def _start(site: Site, targets: Mapping[str, Path], assets: Assets) -> None:
    _Process.renderer = Renderer(site, load_kinds(site.folders("figures")), assets, Library(site, keep=False))
    _Process.targets = targets
    gc.disable()  # a fifth of the time goes into looking for cycles among tokens, which have none


def _work(entry: Entry) -> Made | None:
    try:
        made = _print(entry, _Process.targets, _Process.renderer)
    except Exception:  # whose code failed is told by its frames, which stay here: it fails again where they are seen
        return None
    _Process.n_done += 1
    if _Process.n_done % TIDY == 0:
        gc.collect()
    return made if isinstance(made, Made) else None
