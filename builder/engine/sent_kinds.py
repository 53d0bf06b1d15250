"""`SentKinds`: a kind that a worker may not have, a site's own or a plugin's, as source; ours are known by name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..cache import write_atomically
from ..errors import BuildError
from ..folders import built_in
from ..kind import NOT_CODE, Kind, forget_kinds

__all__ = ["SentKinds", "bare", "pack", "unpack"]

MOST = 16 << 20
"""Bytes that a kind may weigh: code, and small tables beside it."""


@dataclass(frozen=True)
class SentKinds:
    """The files of kinds by their paths in `figures/`: those of the kinds that are wanted, and others' Python files."""

    files: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """A sha256 over names and contents."""
        digest = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()


def pack(kinds: Iterable[Kind]) -> SentKinds:
    """Return what a worker needs besides its own installation. Raises `BuildError` for a kind that is too large."""
    files: dict[str, bytes] = {}
    for kind in {kind.folder: kind for kind in kinds if kind.folder.parent != built_in("figures")}.values():
        figures = kind.folder.parent
        wanted = [path for path in kind.folder.rglob("*") if path.suffix not in NOT_CODE]  # who asked draws
        wanted += figures.rglob("*.py")  # kinds import from one another
        for path in wanted:
            if path.is_file() and "__pycache__" not in path.parts:
                files[path.relative_to(figures).as_posix()] = path.read_bytes()
        if sum(map(len, files.values())) > MOST:
            raise BuildError(
                f"unsupported kind: {kind.name} has more than {MOST >> 20} MB of files to send", kind.folder
            )
    return SentKinds(files)


def bare(kind: Kind) -> Kind:
    """Return a kind without the folder that it lies in here, which means nothing elsewhere."""
    return Kind(kind.name, Path(kind.folder.name))


def unpack(kinds: SentKinds, folder: Path) -> Path:
    """Write the files below `folder`, under their digest, and return where. Forgets kinds of other digests."""
    target = folder / kinds.digest
    for name, content in kinds.files.items():
        path = target / name
        if not path.resolve().is_relative_to(target.resolve()):
            raise ValueError(f"{name} is no path in a folder of kinds")
        if not path.is_file() or path.read_bytes() != content:
            write_atomically(path, content)
    if _unpacked[:1] != [target]:
        forget_kinds()
        _unpacked[:] = [target]
    return target


_unpacked: list[Path] = []
