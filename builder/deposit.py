"""`Deposit`: the answers that a site keeps among its own files, so that a fresh clone of it builds with `--frozen`."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from .cache import ANSWERS, Cache, find_kept, is_inside, leads_out, write_atomically
from .errors import BuildError
from .figure import Result
from .model_source import ModelSource

__all__ = ["Deposit"]

MODELS = "models.json"
_ADDRESS = re.compile(r"[0-9a-f]{64}")
_ATTRIBUTES = Path(__file__).parent / "new" / "starter" / "answers" / "dot-gitattributes"
"""Git keeps the bytes as they are, and shows no differences of what no human writes."""


class Deposit:
    """The folder `answers/` of a site. That it is there makes builds keep their answers in it too.

    It holds the answers that the site's pages show, in the form of the cache, and in `models.json` the fingerprints of
    the models that gave them: in a clone, nobody knows a branch's commit on the hub, or the weights in a folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ANSWERS

    @property
    def is_open(self) -> bool:
        """Whether the site keeps its answers. Raises `BuildError` where the folder is a link that leaves the site."""
        return find_kept(self.root) is not None

    def open(self) -> None:
        """Make the folder, if it is not there."""
        if not self.is_open:
            self.folder.mkdir()
        attributes = self.folder / ".gitattributes"
        if not attributes.exists():
            self._write(attributes, _ATTRIBUTES.read_bytes())

    def fingerprint(self, source: ModelSource) -> str | None:
        """Return the fingerprint that a model had when its answers were kept, None where that is not known."""
        found = self._models().get(_key(source))
        return found if isinstance(found, str) else None

    def keep(self, addresses: Iterable[str], models: Mapping[ModelSource, str], cache: Cache, *, prune: bool) -> None:
        """Copy answers out of the cache; with `prune` these are all, and others go.

        Raises `OSError`, and `BuildError` where a link leaves the folder.
        """
        wanted, kept = set(addresses), set(self.addresses())
        for address in sorted(wanted - kept):
            self._copy(address, cache)
        if prune:
            for address in kept - wanted:
                self._remove(address)
        named = {_key(source): fingerprint for source, fingerprint in models.items()}
        known = named if prune else {**self._models(), **named}
        text = json.dumps(known, indent=2, sort_keys=True) + "\n"
        target = self.folder / MODELS
        if not is_inside(target, self.folder) or target.read_text(encoding="utf-8") != text:
            self._write(target, text.encode())

    def addresses(self) -> list[str]:
        """Return the addresses of the answers that are kept."""
        found = [file for file in self.folder.glob("??/*.json") if _ADDRESS.fullmatch(file.stem)]
        return sorted(file.stem for file in found if file == self._place(file.stem) and is_inside(file, self.folder))

    def _copy(self, address: str, cache: Cache) -> None:
        """Copy an answer after its pieces: where the answer is, they are."""
        source, target = cache.path(address), self._place(address)
        if not source.is_file():
            return
        content = source.read_bytes()
        try:
            pieces = Result.from_json(address, content.decode()).pieces
        except (ValueError, KeyError, TypeError, AttributeError):
            return  # it is none: the next build computes it anew
        for name in pieces:
            self._write(target.with_suffix("") / f"{name}.json", cache.piece(address, name).read_bytes())
        self._write(target, content)

    def _write(self, file: Path, content: bytes) -> None:
        """Put a file there; a link in its own place makes way for it."""
        if leads_out(file.parent, self.folder):
            where = file.parent.relative_to(self.root)
            raise BuildError(f"invalid folder: {where} leads out of {ANSWERS}; remove the link", file.parent)
        write_atomically(file, content)

    def _remove(self, address: str) -> None:
        target = self._place(address)
        target.unlink(missing_ok=True)
        shutil.rmtree(target.with_suffix(""), ignore_errors=True)
        with contextlib.suppress(OSError):  # others lie there
            target.parent.rmdir()

    def _place(self, address: str) -> Path:
        return self.folder / address[:2] / f"{address}.json"

    def _models(self) -> dict[str, object]:
        try:
            known = self.folder / MODELS
            found = json.loads(known.read_text(encoding="utf-8")) if is_inside(known, self.folder) else {}
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def _key(source: ModelSource) -> str:
    """Return what names a source in `models.json`: people read it, and two sources of one name differ."""
    said = asdict(source)
    for name in ("device_map", "max_memory"):  # where weights lie on somebody's machine is no matter
        del said[name]
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    return f"{source.source} {digest[:16]}"
