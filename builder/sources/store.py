"""Checkpoints that Fanlight makes itself, in the user's cache: each made once, whole or not there at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BuildError
from ..folders import cache_folder
from ..model_source import ModelSource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["RECORD", "convert", "make_once", "settings_digest"]

RECORD = "fanlight.json"
"""What a stored checkpoint was made from: source, hashes, licence, versions. Written last: it vouches for the rest."""

FORMAT = 2
"""Counts up when conversion changes what is stored."""


def settings_digest(source: ModelSource, weights: Mapping[str, Any]) -> str:
    """Return the sha256 of what names the weights and of all settings that change what is computed with them."""
    names = ("subfolder", "gguf_file", "member", "embedding", "blocks", "norm", "head", "trust_remote_code")
    settings = {name: value for name, value in asdict(source).items() if name in names and value}
    text = json.dumps({"format": FORMAT, "settings": settings, **weights}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def make_once(fingerprint: str, make: Callable[[Path], Mapping[str, Any]]) -> Path:
    """Return the stored checkpoint of that fingerprint; `make` fills an empty folder and returns its record.

    Two builds at once make it once; one that is killed leaves nothing that the next would take for whole.
    """
    home = cache_folder() / "checkpoints"
    target = home / fingerprint
    if (target / RECORD).is_file():
        return target
    from filelock import FileLock  # 35 ms, and most builds make nothing

    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / f"{fingerprint}.lock"):
        if (target / RECORD).is_file():
            return target
        prefix = f".{fingerprint}-"
        for left in [target, *home.glob(f"{prefix}*")]:  # of a process that was killed: we hold the lock
            shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(dir=home, prefix=prefix))
        try:
            record = {"format": FORMAT, **make(folder)}
            (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
            folder.replace(target)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return target


def convert(name: str, file: Path, folder: Path) -> dict[str, Any]:
    """Convert a GGUF file into a safetensors checkpoint in `folder`, in a process that gives its memory back.

    Returns the versions of what converted it. Raises `BuildError` where the file cannot be read.
    """
    package = Path(__file__).resolve().parents[1]
    paths = [str(package.parent), os.environ.get("PYTHONPATH", "")]
    # threads that wait asleep: spinning ones are thirty times slower where other processes want the cores too
    environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [sys.executable, "-m", f"{package.name}.sources.gguf", str(file), str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise BuildError(f"broken checkpoint: {file.name} of model {name} cannot be converted: {lines[-1]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))
