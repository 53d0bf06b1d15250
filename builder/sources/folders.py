"""Models in a folder of this machine: `source = "./models/tiny"`."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path

from ..errors import BuildError, nearest
from ..folders import cache_folder
from ..model_source import ModelSource
from .checkpoint import Checkpoint
from .store import convert, make_once, settings_digest
from .weights import TOKENIZER_FILES, check_files, weight_files

__all__ = ["fetch", "find_folder", "fingerprint", "is_path"]


def is_path(source: str) -> bool:
    """Whether a source looks like a path: `./`, `../`, `/`, `~`, or a drive's letter."""
    return source in (".", "..") or source.startswith(("./", "../", "/", "~", ".\\", "..\\")) or source[1:3] == ":\\"


def fingerprint(source: ModelSource, root: Path) -> str:
    """Return a sha256 over the files that decide what is computed: configuration, tokenizer, weights."""
    folder = find_folder(source, root)
    if source.gguf_file:
        files = [_gguf(source, folder)]
    else:
        found = [path for pattern in ("config.json", "generation_config.json") for path in folder.glob(pattern)]
        found += [path for pattern in TOKENIZER_FILES for path in folder.glob(pattern)]
        if source.trust_remote_code:
            found += folder.glob("*.py")
        files = [*sorted(set(found)), *weight_files(source.name, folder)]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise BuildError(f"missing weights: {missing[0]} of model {source.name} is not in {folder}")
    return settings_digest(source, {"files": {file.name: _sha256(file) for file in files}})


def fetch(source: ModelSource, root: Path) -> Checkpoint:
    """Return a folder as it lies; a GGUF in it is converted once into the user's cache."""
    folder = find_folder(source, root)
    key = fingerprint(source, root)
    if source.gguf_file:
        file = _gguf(source, folder)

        def make(target: Path) -> dict[str, object]:
            versions = convert(source.name, file, target)
            return {"file": file.name, "sha256": _sha256(file), "license": source.license, "versions": versions}

        folder = make_once(key, make)
    check_files(source.name, folder)
    return Checkpoint(source, folder, key, revision=f"sha256:{key[:16]}", license=source.license)


def find_folder(source: ModelSource, root: Path) -> Path:
    """Return the folder that a source names. Raises `BuildError` where it is not there, or not below it."""
    folder = (root / Path(source.source).expanduser()).resolve()
    if not folder.is_dir():
        siblings = [path.name for path in folder.parent.iterdir()] if folder.parent.is_dir() else []
        raise BuildError(
            f"missing folder: {source.source}, the source of model {source.name}{nearest(folder.name, siblings)}"
        )
    inner = (folder / source.subfolder).resolve()
    if not inner.is_dir() or not inner.is_relative_to(folder):
        raise BuildError(f"missing subfolder: {source.subfolder} of model {source.name} is not in {source.source}")
    return inner


def _gguf(source: ModelSource, folder: Path) -> Path:
    file = folder / str(source.gguf_file)
    if not file.is_file():
        known = [path.name for path in folder.glob("*.gguf")]
        raise BuildError(
            f"missing gguf_file: {source.gguf_file} of model {source.name}{nearest(str(source.gguf_file), known)}"
        )
    return file


def _sha256(file: Path) -> str:
    """Return a file's sha256; that of a file unchanged since (size, time of change) is remembered."""
    stat = file.stat()
    memo = cache_folder() / "files" / f"{hashlib.sha256(str(file).encode()).hexdigest()}.json"
    part = memo.with_suffix(f".{os.getpid()}")
    state = {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "inode": stat.st_ino}
    try:
        known = json.loads(memo.read_text(encoding="utf-8"))
        if known["state"] == state:
            return str(known["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if time.time_ns() - stat.st_mtime_ns > 2_000_000_000:  # a file just written may change again within one tick
        try:
            memo.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps({"state": state, "sha256": digest}), encoding="utf-8")
            part.replace(memo)
        except OSError:  # only a memo: without it the file is read again
            with contextlib.suppress(OSError):
                part.unlink()
    return digest
