"""What proves that a logit was shared out right: the shares add up to it, and each part is what the model wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.figure import Check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.model import Run
    from builder.model.answers import Question
    from builder.model.decomposition import Decomposition
    from builder.model.frozen import Readout

ROUNDING = 1e-5
"""What publishing five digits costs: half of a unit in the fifth of each number."""


def checks(
    run: Run, question: Question, parts: Decomposition, way: Readout, data: Mapping[str, Any]
) -> dict[str, Check]:
    """Return the checks of a decomposition, and of what `data` publishes of it."""
    from builder.model.answers import logits_at
    from builder.model.precision import tolerance

    bound = tolerance(run.model.network.dtype)
    shares = [*data["embeddings"].values(), *(v for row in data["heads"] for v in row), data["constant"]]
    shares += [*data["biases"], *data["mlps"]]
    sizes = sum(map(abs, shares))
    found = {
        "all parts, added up, against the logit": Check(
            abs(sum(shares) - way.value), bound * max(sizes, 1e-3) + ROUNDING * sizes
        ),
        "the final norm with its scale kept against the norm itself": Check(way.error, bound),
        **{name: Check(error, bound) for name, error in parts.errors.items()},
        "heads against attention weights times values": Check(_apart(run, question.position - 1, parts), bound),
    }
    if not way.capped:
        own = float(question.value(logits_at(run, question.position)))
        found["the logit shared out against the model's own"] = Check(
            abs(way.value - own), bound * max(1.0, abs(data["answer"]["logit"]))
        )
    return found


def _apart(run: Run, position: int, parts: Decomposition) -> float:
    """Return how far heads are from weights @ values through the output projection, of the middle layer.

    Proof that a head's slice of the projection is that head's. As a share of the largest number there; where a norm
    follows or a gate stands between, only that the heads are as many.
    """
    import torch

    from builder.model.projection import output_projection

    layers = run.attention.part("self").layers
    layer = layers[len(layers) // 2]
    projection = output_projection(run, "self", layer)
    vectors = run.attention.heads("self", layer)
    written = torch.einsum("hk,hkd,hdo->ho", vectors.weights[:, position], vectors.value, projection.weight)
    ours = parts.heads[layer].float().to(written.device)
    if not projection.plain:
        return 0.0
    # a multiple, or a norm's gains, may lie between: the same for all heads
    ratio = (written * ours).sum(0) / written.square().sum(0).clamp_min(1e-30)
    return float((written * ratio - ours).abs().max() / ours.abs().max().clamp_min(1e-30))
