"""Other programs, as they come: on transformers' own network, with its default attention and torch's own products."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

os.environ.pop("GOMP_SPINCOUNT", None)  # threads wait as they do by default


@dataclass(frozen=True)
class Peer:
    """A network as transformers loads it, and its tokenizer."""

    network: Any
    tokenizer: Any


@cache
def load(dtype: str = "float32") -> Peer:
    """Return smollm2 without any of this project's code in it, once a process."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from builder.site import find_site
    from builder.sources import fetch

    site = find_site(Path(__file__).parent)
    folder = fetch(site.models["smollm2"], site.root).folder
    network = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype)).eval()
    for parameter in network.parameters():
        parameter.sum()  # weights that are mapped from a file are read now
    return Peer(network, AutoTokenizer.from_pretrained(folder))
