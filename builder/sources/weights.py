"""The files of a checkpoint folder: which count, and whether they are whole; nothing is loaded for it."""

from __future__ import annotations

import json
import struct
from math import prod
from pathlib import Path
from typing import Any

from ..errors import BuildError

__all__ = ["TOKENIZER_FILES", "check_files", "count_parameters", "stored_bytes", "weight_files"]

CONFIG = "config.json"
INDEX = "model.safetensors.index.json"
SIZES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}
"""Bytes of a number."""
TOKENIZER_FILES = (
    "tokenizer*.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "*.model",
    "*.tiktoken",
)


def weight_files(name: str, folder: Path) -> tuple[Path, ...]:
    """Return the safetensors files that `from_pretrained` will read in a folder.

    Raises `BuildError` for a folder without a configuration or with no weights but pickles, which may run code.
    """
    if not (folder / CONFIG).is_file():
        raise BuildError(f"missing {CONFIG}: {folder} is no checkpoint of model {name}")
    if (folder / "model.safetensors").is_file():
        return (folder / "model.safetensors",)
    index = folder / INDEX
    if index.is_file():
        try:
            names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise BuildError(f"broken checkpoint: {INDEX} of model {name} cannot be read: {error}") from error
        if any(not isinstance(shard, str) or Path(shard).name != shard for shard in names):
            raise BuildError(f"broken checkpoint: {INDEX} of model {name} names files outside its folder")
        return tuple(folder / shard for shard in names)
    pickles = sorted([*folder.glob("*.bin"), *folder.glob("*.pt"), *folder.glob("*.pth")])
    if pickles:
        raise BuildError(
            f"unsupported weights: {pickles[0].name} of model {name} is a pickle, which may run code; "
            "save it as safetensors (`save_pretrained` does)"
        )
    raise BuildError(f"missing weights: {folder} has no model.safetensors for model {name}")


def check_files(name: str, folder: Path) -> None:
    """Raise `BuildError` for a weight file that is missing, truncated or no safetensors file, naming it."""
    for file in weight_files(name, folder):
        if not file.is_file():
            raise BuildError(f"missing weights: {file.name}, which {INDEX} of model {name} names, is not in {folder}")
        flaw = _flaw(file)
        if flaw:
            raise BuildError(f"broken checkpoint: {file} of model {name} {flaw}")


def stored_bytes(name: str, folder: Path, dtype: str) -> int:
    """Return how many bytes a checkpoint's weights take in a format of numbers; `auto` is the one they are stored in.

    Only the headers are read. Raises `BuildError` as `weight_files` does.
    """
    total = 0
    for file in weight_files(name, folder):
        for entry in _header(file).values():
            numbers, stored = prod(entry["shape"]), str(entry["dtype"])
            floats = stored.startswith(("F", "BF")) and dtype in SIZES  # others, of a quantised model, stay as they are
            begin, end = entry["data_offsets"]
            total += numbers * SIZES[dtype] if floats else end - begin
    return total


def count_parameters(name: str, folder: Path) -> int:
    """Return how many numbers a checkpoint's weights are, by the headers. Raises as `weight_files` does."""
    return sum(prod(entry["shape"]) for file in weight_files(name, folder) for entry in _header(file).values())


def _header(file: Path) -> dict[str, dict[str, Any]]:
    """Return what a safetensors file says of its tensors: https://huggingface.co/docs/safetensors (format)."""
    with file.open("rb") as stream:
        length = struct.unpack("<Q", stream.read(8))[0]
        header = json.loads(stream.read(length))
    return {key: entry for key, entry in header.items() if key != "__metadata__"}


def _flaw(file: Path) -> str:
    """Return what is wrong with a safetensors file: its header says how long it is (8 bytes, JSON, then the data)."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        start = stream.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else size
        if length + 8 > size:
            return f"is truncated or no safetensors file: it has {size} bytes"
        try:
            header = json.loads(stream.read(length))
            ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
        except (ValueError, KeyError, IndexError, TypeError, AttributeError):
            return "is no safetensors file: its header cannot be read"
    wanted = 8 + length + max(ends, default=0)
    return "" if wanted == size else f"is truncated: it has {size} of {wanted} bytes"
