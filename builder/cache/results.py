"""`Cache`: results on disk under their content address, and behind them what others have computed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BuildError, Problem
from ..figure import Result, published
from ..folders import cache_folder
from ..site import Site
from .form import has_form
from .inside import is_inside, leads_out
from .shared import Shared, open_shared
from .whole import is_whole, write_atomically

if TYPE_CHECKING:
    from ..plan import Question

__all__ = ["ANSWERS", "Cache", "find_kept", "open_cache"]

ANSWERS = "answers"
"""The folder of a site that its answers are kept in too, where there is one (see `deposit`)."""


class Cache:
    """Results in `folder/results/ab/ADDRESS.json`, their pieces in `ADDRESS/NAME.json`, in the form the site publishes.

    What is not there is looked for in `second`, a folder of the same form without `results/`, which is never written,
    and out of which no link is followed.
    What neither has may be at a `shared` place, from which `bring` copies it and to which `put` writes, too.
    Writes are atomic and an address has only one right content, so any number of builds may read and write at once.
    """

    def __init__(self, folder: Path, second: Path | None = None, shared: Shared | None = None) -> None:
        self.folder = folder / "results"
        self.second = second
        self.shared = shared

    def path(self, address: str) -> Path:
        """Return where the result of that address lies or would lie."""
        return self._place(f"{address[:2]}/{address}.json")

    def piece(self, address: str, name: str) -> Path:
        """Return where a piece of the result of that address lies or would lie."""
        return self._place(f"{address[:2]}/{address}/{name}.json")

    def _place(self, path: str) -> Path:
        """Return where a file is; a broken one of the user's own, as a power cut leaves, hides none that is whole."""
        own = self.folder / path
        if self.second is None or is_whole(own):
            return own
        other = self.second / path
        return other if is_inside(other, self.second) else own

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
        whole = has_form(result.provenance) and all(is_whole(self.piece(address, name)) for name in result.pieces)
        return result if whole and kind in (None, result.kind) else None

    def bring(self, questions: Iterable[Question]) -> None:
        """Copy the answers to these questions out of the shared place into the user's own folder, where it has them.

        Raises `BuildError` for a disk that refuses; a shared place that does is told of by `warnings`.
        """
        if self.shared is not None:
            for address, files in self.shared.find(questions):
                self._write(address, *files)

    def put(self, result: Result, pieces: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """Store a result under its address, after its pieces: where the result is, they are.

        Raises `ValueError` for what JSON cannot hold, before anything is written, and `BuildError` for a disk that
        refuses.
        """
        texts = {name: published(piece).encode() for name, piece in (pieces or {}).items()}
        whole = result.to_json().encode()
        self._write(result.address, whole, texts)
        if self.shared is not None:
            self.shared.put(result.address, whole, texts)

    def _write(self, address: str, result: bytes, pieces: Mapping[str, bytes]) -> None:
        folder = self.folder / address[:2]
        try:
            for name, text in pieces.items():
                write_atomically(folder / address / f"{name}.json", text)
            write_atomically(folder / f"{address}.json", result)
        except OSError as error:
            message = f"broken cache: a result cannot be written: {error.strerror or error}"
            raise BuildError(message, self.folder) from error

    def warnings(self) -> list[Problem]:
        """Return what the shared place refused since this was last asked: the build goes on without it."""
        return self.shared.warnings() if self.shared is not None else []

    def warn(self, warnings: Iterable[Problem]) -> None:
        """Take over what another process's copy of this was refused; each is told once."""
        if self.shared is not None:
            self.shared.warn(warnings)

    def __iter__(self) -> Iterator[str]:
        for file in sorted(self.folder.glob("??/*.json")):
            yield file.stem


def open_cache(site: Site) -> Cache:
    """Return the user's cache, behind it the answers that the site itself keeps, if it does, and those it shares."""
    return Cache(cache_folder(), find_kept(site.root), open_shared(site.cache, site.root))


def find_kept(root: Path) -> Path | None:
    """Return the folder of the answers that a site itself keeps, None where there is none.

    Raises `BuildError` where it leaves the site: what lies there would be read, published, and written over.
    """
    kept = root / ANSWERS
    if leads_out(kept, root):
        raise BuildError(f"invalid folder: {ANSWERS} is a link that leaves the site", kept)
    return kept if kept.is_dir() else None
