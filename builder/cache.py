"""Results on disk under their content address, and a ledger of what each figure asked last."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .figure import Result, published
from .site import Site, cache_folder

__all__ = ["ANSWERS", "Cache", "Ledger", "open_cache", "write_atomically"]

ANSWERS = "answers"
"""The folder of a site that its answers are kept in too, where there is one (see `deposit`)."""


class Cache:
    """Results in `folder/results/ab/ADDRESS.json`, their pieces in `ADDRESS/NAME.json`, in the form the site publishes.

    What is not there is looked for in `second`, a folder of the same form without `results/`, which is never written.
    Writes are atomic and an address has only one right content, so any number of builds may read and write at once.
    """

    def __init__(self, folder: Path, second: Path | None = None) -> None:
        self.folder = folder / "results"
        self.second = second

    def path(self, address: str) -> Path:
        """Return where the result of that address lies or would lie."""
        return self._place(f"{address[:2]}/{address}.json")

    def piece(self, address: str, name: str) -> Path:
        """Return where a piece of the result of that address lies or would lie."""
        return self._place(f"{address[:2]}/{address}/{name}.json")

    def _place(self, path: str) -> Path:
        """Return where a file is; a broken one of the user's own, as a power cut leaves, hides none that is whole."""
        own = self.folder / path
        if self.second is None or _is_whole(own):
            return own
        other = self.second / path
        return other if other.is_file() else own

    def __contains__(self, address: object) -> bool:
        return isinstance(address, str) and self.path(address).is_file()

    def find(self, address: str, kind: str | None = None) -> Result | None:
        """Return the stored result, or None, and the answer is computed anew.

        A file that is no result, or of another kind, is none; nor is a result that has lost a piece, or part of one.
        """
        try:
            result = Result.from_json(address, self.path(address).read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        whole = all(_is_whole(self.piece(address, name)) for name in result.pieces)
        return result if whole and kind in (None, result.kind) else None

    def put(self, result: Result, pieces: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """Store a result under its address, after its pieces: where the result is, they are.

        Raises `ValueError` for what JSON cannot hold, before anything is written.
        """
        texts = {name: published(piece) for name, piece in (pieces or {}).items()}
        whole = result.to_json()
        folder = self.folder / result.address[:2]
        for name, text in texts.items():
            write_atomically(folder / result.address / f"{name}.json", text.encode())
        write_atomically(folder / f"{result.address}.json", whole.encode())

    def __iter__(self) -> Iterator[str]:
        for file in sorted(self.folder.glob("??/*.json")):
            yield file.stem


def open_cache(site: Site) -> Cache:
    """Return the user's cache, and behind it the answers that the site itself keeps, if it does."""
    kept = site.root / ANSWERS
    return Cache(cache_folder(), kept if kept.is_dir() else None)


class Ledger:
    """What each figure of a site asked when it was last answered, so that `status` can say why it is stale."""

    def __init__(self, folder: Path, site: Path) -> None:
        name = hashlib.sha256(str(site).encode()).hexdigest()[:16]
        self._file = folder / "ledgers" / f"{name}.json"
        try:
            entries = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            entries = {}
        whole = entries.items() if isinstance(entries, dict) else ()
        self._entries: dict[str, dict[str, Any]] = {name: entry for name, entry in whole if isinstance(entry, dict)}

    def find(self, figure: str) -> Mapping[str, Any] | None:
        """Return the parts of the question that `figure` (`slug#anchor`) asked last, or None."""
        return self._entries.get(figure)

    def record(self, questions: Mapping[str, Any]) -> None:
        """Remember the questions (dataclasses) that figures now have answers to; writes only what changed.

        A disk that refuses costs only the reasons that `status` gives.
        """
        parts = {figure: json.loads(json.dumps(dataclasses.asdict(asked))) for figure, asked in questions.items()}
        if any(self._entries.get(figure) != entry for figure, entry in parts.items()):
            self._entries = {**self._entries, **parts}
            with contextlib.suppress(OSError):
                write_atomically(self._file, json.dumps(self._entries, sort_keys=True).encode())


def _is_whole(piece: Path) -> bool:
    """Whether a piece's file ends as its JSON does: a machine that lost its power may leave a file short, or empty."""
    try:
        with piece.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read() == b"}"
    except OSError:
        return False


def write_atomically(path: Path, content: bytes) -> None:
    """Put `content` at `path` at once or not at all: a temporary file beside it, then a rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
