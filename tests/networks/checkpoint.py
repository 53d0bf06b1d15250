"""A tiny network as a real checkpoint: drawn so that its outputs tell tokens apart, and saved with its tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, PreTrainedTokenizerFast

__all__ = ["redraw", "save"]


def redraw(network: torch.nn.Module, std: float = 0.2) -> None:
    """Draw all weights anew, the same each time; with those of the initialisation all outputs are near-uniform.

    Vectors (biases and the weights of norms) stay around what they were: 0 or 1.
    """
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            drawn = torch.empty_like(parameter).normal_(0, std, generator=generator)
            parameter.copy_(parameter + drawn if parameter.dim() == 1 else drawn)


def save(
    automatic: Any,
    settings: Mapping[str, Any],
    tokenizer: PreTrainedTokenizerFast,
    folder: Path,
    change: Callable[[Any], None] | None = None,
) -> Path:
    """Save the network of one of transformers' automatic classes that settings describe, as wide as its tokenizer.

    `change` may alter the network before.
    """
    network = automatic.from_config(AutoConfig.for_model(**{"vocab_size": len(tokenizer), **settings}))
    redraw(network)
    if change is not None:
        change(network)
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
