"""Attention × value norms: how long a vector a token hands over through all heads, not how much they look at it.

Kobayashi et al. 2020, https://arxiv.org/abs/2004.10102
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from builder.errors import BuildError
from builder.model.precision import double
from builder.model.projection import output_projection

from .edges import rescaled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from builder.model import AnyRun

__all__ = ["value_norms"]


@torch.no_grad()
def value_norms(run: AnyRun, part: str, layers: Sequence[int]) -> tuple[Tensor, dict[str, float]]:
    """Return ‖Σ_h α_h[q, k] v_h[k] W_h‖, [L, Q, K] float64 whose rows are rescaled to sum to 1, and what proves them.

    v_h [K, d] are a head's value vectors, their bias included, and W_h [d, d_model] is the head's part of the output
    projection. Vectors are added over the heads before their length is taken, so heads that write against each other
    cancel. The bias of the projection belongs to no token.

    Raises `BuildError` where values or projection cannot be had, or where more than a projection follows attention.
    """
    known = run.attention.parts[part]
    shape = (len(layers), *(end - start for start, end in (known.queries, known.keys)))
    found = torch.empty(shape, dtype=torch.float64)
    apart = short = 0.0
    for number, layer in enumerate(layers):
        heads, projection = run.attention.heads(part, layer), output_projection(run, part, layer)
        if not projection.plain:
            raise BuildError(
                f"unsupported model: between the heads and the output projection of {run.model.name} stands a gate or "
                "a norm, so what a token hands over is no sum over its heads"
            )
        weights = double(heads.weights)  # [heads, Q, K]
        handed = double(heads.value) @ double(projection.weight)  # [heads, K, d_model]
        lengths = _lengths(weights, handed)
        found[number] = lengths.cpu()

        own = double(projection(heads.output))
        total = torch.einsum("hqk,hkd->qd", weights, handed) + double(projection.bias)
        apart = max(apart, float((total - own).abs().max() / own.abs().max().clamp_min(1e-30)))
        q = weights.shape[1] // 2
        plain = torch.einsum("hk,hkd->kd", weights[:, q], handed).norm(dim=-1)
        short = max(short, float((plain - lengths[q]).abs().max() / plain.max().clamp_min(1e-30)))
    return rescaled(found), {
        "values through the output projection, added up, against what it hands on": apart,
        "lengths against the vectors' own, one position a layer": short,
    }


def _lengths(weights: Tensor, handed: Tensor) -> Tensor:
    """Return ‖Σ_h weights[h, q, k] handed[h, k]‖, [Q, K], by the vectors' products: T² vectors are too many to hold."""
    vectors = handed.transpose(0, 1)
    products = vectors @ vectors.mT  # [K, heads, heads]
    given = weights.permute(2, 1, 0)  # [K, Q, heads]
    return ((given @ products) * given).sum(-1).clamp_min(0).sqrt().mT
