"""`Files`: what an imported text names, found where it may be, and kept to be copied beside the article."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from ..directives.safe_html import shorten_references
from ..errors import nearest
from ..local import PICTURES
from ..pictures import PictureError, read_drawing

__all__ = ["Files", "read_text"]

MAX_TEXT, MAX_FILE = 10 << 20, 50 << 20
"""Bytes of a text, and of a file to be copied: more is no article's."""

DOCUMENTS = frozenset({".pdf", ".csv", ".tsv", ".json", ".txt", ".zip", ".ipynb", ".py", ".bib", ".md"})
"""What a link may lead to and is copied along, beside pictures. Never HTML: it would run on the site."""

_DATA = re.compile(r"data:image/(png|jpeg|gif|webp|avif);base64,([A-Za-z0-9+/=\s%]+)")


class FileError(ValueError):
    """Why a file is not carried over; its text is a message."""


def read_text(path: Path) -> tuple[str, str]:
    """Return a text file, and what is wrong with its encoding. Raises `FileError` for what is no text."""
    try:
        if not path.is_file():
            raise FileError(f"missing file: {path.name}")
        if path.stat().st_size > MAX_TEXT:
            raise FileError(f"unsupported file: {path.name} has more than {MAX_TEXT >> 20} MB")
        content = path.read_bytes()
    except OSError as error:
        raise FileError(f"broken file: {path.name}: {error.strerror or error}") from error
    try:
        text, wrong = content.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        text, wrong = content.decode("cp1252", "replace"), f"invalid encoding: {path.name} is not UTF-8"
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return shorten_references(text), wrong


class Files:
    """Finds files as seen from `folder`, nowhere but in `root`; `found` has what is to be written, by its new name."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder.resolve()
        self.root = root.resolve()
        self.found: dict[str, Path | bytes] = {}

    def take_picture(self, written: str) -> str:
        """Return the new name of a picture. Raises `FileError` if it cannot be had."""
        written = written.strip()
        if written.startswith("data:"):
            return self._take_data(written)
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", written):
            raise FileError(f"unsupported picture: {written} (pages ask no other host; put it beside the article)")
        path = self.find(written, "picture")
        if path.suffix.lower() not in PICTURES:
            raise FileError(f"unsupported picture: {written} (known: {', '.join(sorted(PICTURES))})")
        return self._copy(path, written)

    def take_document(self, written: str) -> str:
        """Return the new name of a file that a link leads to. Raises `FileError` if it cannot be had."""
        path = self.find(written, "file")
        if path.suffix.lower() not in DOCUMENTS | PICTURES:
            raise FileError(f"unsupported file: {written}")
        return self._copy(path, written)

    def take_bibliography(self, written: str) -> str:
        """Return the new name of a `.bib` file, as UTF-8. Raises `FileError` if it cannot be had."""
        names = [
            written,
            *(f"{folder}/{written}" for folder in ("assets/bibliography", "_bibliography", "bibliography")),
        ]
        for name in names:
            try:
                text, _ = read_text(self.find(name, "bibliography"))
                return self._add(PurePosixPath(written).name, text.encode())
            except FileError as error:
                if name == names[-1] or "missing" not in str(error):
                    raise FileError(str(error).replace(name, written)) from error
        raise FileError(f"missing bibliography: {written}")

    def add(self, name: str, content: bytes) -> str:
        """Return the new name of what was written out in the text itself."""
        return self._add(name, content)

    def find(self, written: str, what: str) -> Path:
        """Return a file of `root`. Raises `FileError` for what is none, hidden, too large, or elsewhere."""
        name = unquote(re.split(r"[?#]", written, maxsplit=1)[0])
        if "\\" in name or "\0" in name or name.startswith("~") or not name:
            raise FileError(f"invalid {what}: {written}")
        parts = PurePosixPath(name.lstrip("/"))
        places = [self.root / parts] if name.startswith("/") else [self.folder / parts, self.root / parts]
        if self.root != self.folder:  # a post's page lies elsewhere than its file: `../../assets/` is its site's
            places.append(self.root.joinpath(*(part for part in parts.parts if part != "..")))
        for place in places:
            try:
                path = place.resolve()
                if place != places[-1] and not path.is_relative_to(self.root):
                    continue
                if not path.is_relative_to(self.root) or any(
                    part.startswith(".") for part in path.relative_to(self.root).parts
                ):
                    raise FileError(f"invalid {what}: {written} is not in {self.root.name}/")
                if path.is_file():
                    if path.stat().st_size > MAX_FILE:
                        raise FileError(f"unsupported {what}: {written} has more than {MAX_FILE >> 20} MB")
                    return path
            except (OSError, RuntimeError) as error:  # a name too long, a loop of links
                raise FileError(f"invalid {what}: {written} cannot be read") from error
        raise FileError(f"missing {what}: {written}{self._near(parts)}")

    def _near(self, name: PurePosixPath) -> str:
        try:
            folder = (self.folder / name).parent.resolve()
            names = [entry.name for entry in folder.iterdir()] if folder.is_relative_to(self.root) else []
        except (OSError, RuntimeError):
            return ""
        return nearest(name.name, names)

    def _copy(self, path: Path, written: str) -> str:
        """Return the new name of a file that is copied as it is: a drawing only if nothing in it would run."""
        if path.suffix.lower() == ".svg":
            try:
                read_drawing(path.read_bytes())
            except (OSError, PictureError) as error:
                raise FileError(f"unsupported picture: {written} ({str(error).partition(': ')[2]})") from error
        return self._add(path.name, path)

    def _take_data(self, written: str) -> str:
        found = _DATA.fullmatch(written)
        try:
            content = base64.b64decode(unquote(found[2]) if found else "", validate=False)
        except (binascii.Error, ValueError):
            content = b""
        if not found or not content:
            raise FileError(f"unsupported picture: {written[:40]}…")
        return self._add(f"picture.{found[1].replace('jpeg', 'jpg')}", content)

    def _add(self, name: str, content: Path | bytes) -> str:
        """Return a name that nothing else has: one for each file, however often it is asked for."""
        path = PurePosixPath(re.sub(r"[^A-Za-z0-9._-]+", "-", name).lstrip(".-") or "file")
        stem = path.stem or "file"
        number = 1
        new = f"{stem}{path.suffix.lower()}"
        taken = {name.casefold(): content for name, content in self.found.items()}  # some disks know no case
        while taken.get(new.casefold(), content) != content or new.lower() == "article.md":
            number += 1
            new = f"{stem}-{number}{path.suffix.lower()}"
        self.found[new] = content
        return new
