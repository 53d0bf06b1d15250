"""An encoder-decoder's attention as one graph: its three parts one after the other, over the tokens of both texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from .edges import head_means
from .rollout import column_ends

if TYPE_CHECKING:
    from torch import Tensor

    from builder.model.attention import Attention

__all__ = ["named_columns", "spread", "sublayer_names", "sublayers"]


def sublayers(attention: Attention) -> Tensor:
    """Return what attends in the order the network runs it, [Le + 2 Ld, S + T, S + T] float64; rows sum to 1.

    First come the encoder's layers, then of each of the decoder's its self-attention, and its look at the source. A
    token that does not attend in a sublayer keeps to itself there.
    """
    size = attention.parts["decoder"].queries[1]
    means = {
        name: spread(head_means(attention, name, part.layers), part.queries[0], part.keys[0], size)
        for name, part in attention.parts.items()
    }
    decoder = torch.stack([means["decoder"], means["cross"]], dim=1).flatten(0, 1)
    return torch.cat([means["encoder"], decoder])


def spread(rows: Tensor, query: int, key: int, size: int) -> Tensor:
    """Return rows [L, Q, K] among all tokens, [L, size, size], from `query` down and from `key` to the right.

    Those of other tokens are the identity's.
    """
    wide = torch.eye(size, dtype=rows.dtype).repeat(len(rows), 1, 1)
    wide[:, query : query + rows.shape[1]] = 0
    wide[:, query : query + rows.shape[1], key : key + rows.shape[2]] = rows
    return wide


def sublayer_names(attention: Attention) -> list[str]:
    """Return what the sublayers are called: `encoder 0` …, `decoder 0 self`, `decoder 0 cross` …"""
    encoder = [f"encoder {layer}" for layer in attention.parts["encoder"].layers]
    return [*encoder, *(f"decoder {n} {name}" for n in attention.parts["cross"].layers for name in ("self", "cross"))]


def named_columns(attention: Attention) -> tuple[list[int], list[str | None]]:
    """Return how many sublayers lie below each column of a drawing, and its name; they end with a whole layer."""
    encoder, decoder = attention.parts["encoder"].layers, attention.parts["cross"].layers
    ends = column_ends(len(encoder) + len(decoder))
    names = [None, *(f"enc {layer}" for layer in encoder), *(f"dec {layer}" for layer in decoder)]
    return [end + max(0, end - len(encoder)) for end in ends], [names[end] for end in ends]
