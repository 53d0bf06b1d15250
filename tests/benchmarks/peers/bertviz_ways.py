"""BertViz: the HTML of its views, of weights that a forward pass of transformers' eager attention returns."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

from . import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..subjects import Subject, Told, Way


def head_view() -> Way:
    """Its `head_view`."""
    return _view("head_view")


def model_view() -> Way:
    """Its `model_view`."""
    return _view("model_view")


def _view(name: str) -> Way:
    import bertviz
    import torch

    peer = load()
    peer.network.set_attn_implementation("eager")  # others return no weights
    show: Any = getattr(bertviz, name)

    def way(subject: Subject) -> Callable[[], Told]:
        def work() -> Told:
            ids = torch.tensor([subject.ids])
            with torch.no_grad():
                attention = peer.network(ids, output_attentions=True, use_cache=False).attentions
            page = show(attention, peer.tokenizer.convert_ids_to_tokens(subject.ids), html_action="return").data

            def told() -> tuple[None, dict[str, float]]:
                html = page.encode()
                packed = len(gzip.compress(html)) / 1000
                return None, {"kB": len(html) / 1000, "kB gz": packed, "kB gz at first": packed}

            return told

        return work

    return way
