"""The vectors of heads that read the same keys and values, packed, with what else goes into their scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.rounding import significant

from .vectors import pack_bits, pack_rows, pack_vectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from builder.model.attention import AttentionPart
    from builder.model.head_vectors import HeadVectors

__all__ = ["allowed", "expected", "group"]


def group(part: AttentionPart, layer: int, vectors: HeadVectors, heads: Sequence[int]) -> dict[str, Any]:
    """Return `{heads, query, key, value, bias, mask, sinks}` of heads that share one key-value head.

    `query` is packed [heads, Q, d_head], `key` [K, d_head], `value` [K, d_value]: grouped keys are stored once. `bias`
    [1 or heads, Q, K] is what is added to the scores, None where it only masks; `mask` are the bits, 1 where a key is
    seen, of what is not masked as `causal` and the layer's window say, else None. `sinks` is the score of no token.
    """
    h = list(heads)
    see = allowed(vectors)
    bias = vectors.bias.masked_fill(~see, 0).cpu().numpy()
    bias = bias[h] if len(bias) > 1 else bias
    masked = bool((see != expected(part, layer).to(see.device)).any())
    return {
        "heads": h,
        "query": pack_rows(vectors.query[h].cpu().numpy()),
        "key": pack_rows(vectors.key[h[0]].cpu().numpy()),
        "value": pack_vectors(vectors.value[h[0]].cpu().numpy()),
        "bias": pack_rows(bias) if bias.any() else None,
        "mask": pack_bits(see[0].cpu().numpy()) if masked else None,
        "sinks": [significant(sink, 7) for sink in vectors.sinks[h].tolist()] if vectors.sinks is not None else None,
    }


def allowed(vectors: HeadVectors) -> Tensor:
    """Return whether a query sees a key, [heads, Q, K]: where the bias is not the lowest number there is, or below."""
    import torch

    see = vectors.bias > torch.finfo(torch.float16).min / 2  # the highest of the lowest numbers of all formats
    return see.expand(len(vectors.query), -1, -1)


def expected(part: AttentionPart, layer: int) -> Tensor:
    """Return who would see whom, [Q, K], if it were only for `causal` and the layer's window."""
    import torch

    queries, keys = torch.arange(*part.queries), torch.arange(*part.keys)
    behind = queries[:, None] - keys
    see = behind >= 0 if part.causal else torch.ones_like(behind, dtype=torch.bool)
    window = part.windows[part.layers.index(layer)]
    return see & (behind < window) if part.causal and window else see
