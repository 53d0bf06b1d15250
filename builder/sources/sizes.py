"""`ModelSize`: how large a model is, and how many tokens a text has for it; nothing is loaded for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BuildError
from ..folders import cache_folder
from . import folders, hub, wheels
from .store import RECORD
from .weights import CONFIG, SIZES, check_files, count_parameters, stored_bytes

if TYPE_CHECKING:
    from ..model_source import ModelSource

__all__ = ["ModelSize", "find_folder", "find_size", "make_counter"]

_NAMES = {
    "n_layers": ("num_hidden_layers", "n_layer", "num_layers", "n_layers"),
    "d_model": ("hidden_size", "n_embd", "d_model", "dim"),
    "n_heads": ("num_attention_heads", "n_head", "num_heads", "n_heads"),
    "vocabulary": ("vocab_size",),
}
"""What configurations call these."""

_GENERATE = ("ForCausalLM", "LMHead", "ForConditionalGeneration", "Seq2Seq")
"""Parts of the names of classes that continue a text, as transformers calls them."""


@dataclass(frozen=True)
class ModelSize:
    """Parameters, and the bytes they take in the numbers that the site wants; 0 for what is not known."""

    parameters: int
    weights: int
    n_layers: int = 0
    d_model: int = 0
    n_heads: int = 0
    vocabulary: int = 0
    generates: bool = True
    """Whether it continues a text; an encoder does not."""

    def activations(self, n_input: int, n_output: int) -> int:
        """Return about how many bytes a run takes beside the weights, in float32.

        The residual stream after each block, the weights of one layer's attention as they are read and packed, the
        logits of all outputs, and a chunk of work (see `model.memory`). 0 where the shape is not known.
        """
        if not self.n_layers or not self.d_model:
            return 0
        length, explained = n_input + n_output, n_output or n_input
        stream = self.n_layers * length * self.d_model
        attention = 3 * self.n_heads * length**2
        logits = 2 * explained * self.vocabulary
        return 4 * (stream + attention + logits) + CHUNK


CHUNK = 128 << 20
"""`MOST` of `builder.model.memory`, which imports torch."""


def find_folder(source: ModelSource, root: Path, fingerprint: str) -> Path | None:
    """Return where a model's checkpoint lies on this machine, None where it is still to be fetched or converted."""
    stored = cache_folder() / "checkpoints" / fingerprint
    if source.gguf_file or source.source.startswith(wheels.SCHEME):
        return stored if (stored / RECORD).is_file() else None
    try:
        found = folders.find_folder(source, root) if folders.is_path(source.source) else hub.find_snapshot(source)
    except BuildError:
        return None
    return found if (found / CONFIG).is_file() else None


def find_size(source: ModelSource, folder: Path | None, *, frozen: bool = False) -> ModelSize | None:
    """Return a model's size by the headers of its files, or as the hub tells it; None where nobody knows.

    `frozen` asks nobody outside this machine.
    """
    if folder is None:
        counted = None if frozen or folders.is_path(source.source) else hub.count_parameters(source)
        return None if counted is None else ModelSize(counted, counted * SIZES.get(source.dtype, 2))
    try:
        check_files(source.name, folder)
        parameters = count_parameters(source.name, folder)
        weights = stored_bytes(source.name, folder, source.dtype)
    except (BuildError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    config = _read_config(folder)
    shape = {name: next((config[key] for key in keys if key in config), 0) for name, keys in _NAMES.items()}
    known = {name: value for name, value in shape.items() if type(value) is int and 0 <= value < 1 << 30}
    classes = " ".join(map(str, config.get("architectures") or ["ForCausalLM"]))
    return ModelSize(parameters, weights, generates=any(part in classes for part in _GENERATE), **known)


def make_counter(folder: Path | None) -> Callable[[str], int] | None:
    """Return what counts the tokens of a text, special ones included, by the checkpoint's `tokenizer.json`.

    None where there is no such file, or none that can be read: then nobody counts without transformers.
    """
    if folder is None or not (folder / "tokenizer.json").is_file():
        return None
    from tokenizers import Tokenizer  # comes with transformers, and needs neither it nor torch

    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.encode("")
    except Exception:  # what Rust raises has no class of its own
        return None
    return cache(lambda text: len(tokenizer.encode(text).ids))


def _read_config(folder: Path) -> dict[str, Any]:
    """Return a checkpoint's configuration, empty where it is none; that of the text where it has one of its own."""
    try:
        config: Any = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        return {**config, **(config.get("text_config") or {})}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
