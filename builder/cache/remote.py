"""`Remote`: a shared place at an address such as `s3://bucket/folder`, by fsspec and whatever it needs for it."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from ..errors import BuildError, nearest
from .inside import is_inside, leads_out

__all__ = ["OnlyReadError", "Remote", "is_address", "without_password"]

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds in which a place must answer, with one more for each file: stores' clients try a dead one for minutes."""

AT_ONCE = 64
"""How many files are asked for together: a store's client has them under way at the same time."""

_FILE_LIKE = frozenset({"file", "local", "sftp", "ssh", "smb", "ftp", "hdfs", "arrow_hdfs", "webhdfs", "webdav"})
"""Protocols whose files grow as they are written, in folders that must be made; other stores put an object whole."""

_LOCAL = frozenset({"file", "local"})
"""Protocols of this machine's own disks: links there lead to its own files, elsewhere to those of a server."""

_ONLY_READ = frozenset({"http", "https", "github", "git", "gist", "zip", "tar", "hf"})

_PACKAGES = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
    "sftp": "paramiko",
    "ssh": "paramiko",
    "http": "aiohttp",
    "https": "aiohttp",
    "smb": "smbprotocol",
    "webdav": "webdav4",
    "oss": "ossfs",
    "oci": "ocifs",
}
"""What fsspec's own messages say, in a word; for other protocols its message is shown."""


class OnlyReadError(OSError):
    """A place that is read, and that nobody writes to by its protocol: a mirror of answers on the web, say."""


class Remote:
    """Files below an address. fsspec is imported when it is first asked, and credentials are its own affair.

    Everything raises `OSError` where the place refuses or does not answer, whatever its client raised, and
    `BuildError` where this Python has no client for it.
    """

    def __init__(self, address: str, config: Path | None = None) -> None:
        self.address = address
        self.config = config
        self.protocol = address.partition("://")[0].rpartition("::")[2]

    @property
    def name(self) -> str:
        """How the place is called in messages: the address without its password."""
        return without_password(self.address)

    def read(self, paths: Sequence[str], most: int) -> dict[str, bytes]:
        """Return the files that are there, without those of more than `most` bytes."""
        found: dict[str, bytes] = {}
        for start in range(0, len(paths), AT_ONCE):
            part = paths[start : start + AT_ONCE]
            contents = self._ask(lambda part=part: self._read(part, most), len(part))  # type: ignore[misc]
            for path, content in zip(part, contents, strict=True):
                if isinstance(content, bytes) and len(content) <= most:
                    found[path] = content
                elif isinstance(content, Exception) and not _is_missing(content):
                    raise _as_refusal(content)
        return found

    def write(self, files: Mapping[str, bytes]) -> None:
        """Put files there, each at once or not at all, in their order."""
        if self.protocol in _ONLY_READ:
            raise OnlyReadError(f"{self.protocol}:// is only read")
        paths = list(files)
        for start in range(0, len(paths), AT_ONCE):
            part = {path: files[path] for path in paths[start : start + AT_ONCE]}
            self._ask(lambda part=part: self._write(part), len(part))  # type: ignore[misc]

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        """The file system, and the folder in it."""
        from fsspec.core import url_to_fs  # 0.15 s, and most builds find all they need on this machine

        try:
            system, folder = url_to_fs(self.address)
        except ImportError as error:
            package = _PACKAGES.get(self.protocol)
            hint = f"{self.protocol}:// needs {package}: pip install {package}" if package else str(error)
            raise BuildError(f"missing package: {hint}", self.config) from error
        except ValueError as error:
            if "Protocol not known" not in str(error):
                raise
            from fsspec.registry import known_implementations

            close = nearest(self.protocol, known_implementations)
            raise BuildError(f"unknown protocol: {self.protocol}://{close}", self.config) from error
        return system, str(folder).rstrip("/")

    def _read(self, paths: Sequence[str], most: int) -> list[Any]:
        system, folder = self._opened
        there = [path for path in paths if self.protocol not in _LOCAL or is_inside(Path(folder, path), Path(folder))]
        contents = system.cat_ranges([f"{folder}/{path}" for path in there], 0, most + 1, on_error="return")
        found = dict(zip(there, contents, strict=True))
        return [found.get(path) for path in paths]

    def _write(self, files: Mapping[str, bytes]) -> None:
        system, folder = self._opened
        where = {f"{folder}/{path}": content for path, content in files.items()}
        if self.protocol not in _FILE_LIKE:
            system.pipe(where)
            return
        for path, content in where.items():
            parent, _, name = path.rpartition("/")
            if self.protocol in _LOCAL and leads_out(Path(parent), Path(folder)):
                raise PermissionError(f"a link on the way to {name} leaves the folder")
            system.makedirs(parent, exist_ok=True)
            part = f"{parent}/.{name}.{os.urandom(8).hex()}.part"
            try:
                system.pipe_file(part, content)
                system.mv(part, path)
            except BaseException:
                with contextlib.suppress(Exception):
                    system.rm_file(part)
                raise

    def _ask(self, question: Callable[[], T], n_files: int) -> T:
        """Return what a call returns, if it does so in time. Whoever does not is left behind in a thread."""
        answers: list[T] = []
        errors: list[BaseException] = []

        def ask() -> None:
            try:
                answers.append(question())
            except BaseException as error:  # whatever a client's code raises; the caller's thread has it next
                errors.append(error)

        thread = threading.Thread(target=ask, name="fanlight-cache", daemon=True)
        thread.start()
        thread.join(PATIENCE + n_files)
        if answers:
            return answers[0]
        if not errors:
            raise TimeoutError(f"no answer in {PATIENCE + n_files:.0f} s")
        if isinstance(errors[0], BuildError):
            raise errors[0]
        raise _as_refusal(errors[0]) from errors[0]


def is_address(written: str) -> bool:
    """Whether a setting is an address, with a protocol, and no path."""
    return re.match(r"[A-Za-z][\w+.-]*(::[\w+.-]+)*://", written) is not None


def without_password(address: str) -> str:
    """Return an address as it may be shown: without the user's name and password."""
    return re.sub(r"(://)[^/@]*@", r"\1", address)


def _is_missing(error: Exception) -> bool:
    """Whether an error means that there is no such file; an empty one cannot be read from its first byte on."""
    is_none = isinstance(error, (FileNotFoundError, IsADirectoryError, NotADirectoryError))
    return is_none or re.search(r"InvalidRange|range is not satisfiable|\b416\b", str(error)) is not None


def _as_refusal(error: BaseException) -> OSError:
    """Return what a client raised as an `OSError`, in one line."""
    first = (str(error).strip().splitlines() or [""])[0]
    told = without_password(first) or type(error).__name__
    return error if isinstance(error, OSError) and told == str(error) else OSError(told)
