"""`Folder`: a shared place that is a folder of this machine, such as a disk that many have mounted."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from .inside import is_inside, leads_out
from .whole import write_atomically

__all__ = ["Folder"]


class Folder:
    """Files below `folder`, which must be there: what is not mounted is not made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def name(self) -> str:
        """How the place is called in messages."""
        return str(self.folder)

    def read(self, paths: Sequence[str], most: int) -> dict[str, bytes]:
        """Return the files that are there, without those of more than `most` bytes. Raises `OSError`."""
        self._must_be_there()
        found = {}
        for path in paths:
            if not is_inside(self.folder / path, self.folder):
                continue
            with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
                with (self.folder / path).open("rb") as file:
                    content = file.read(most + 1)
                if len(content) <= most:
                    found[path] = content
        return found

    def write(self, files: Mapping[str, bytes]) -> None:
        """Put files there, each at once or not at all, in their order. Raises `OSError`."""
        self._must_be_there()
        for path, content in files.items():
            if leads_out((self.folder / path).parent, self.folder):
                raise PermissionError(f"a link on the way to {path} leaves the folder")
            write_atomically(self.folder / path, content)

    def _must_be_there(self) -> None:
        if not self.folder.is_dir():
            raise FileNotFoundError(f"there is no folder {self.folder}")
