"""Attention of all heads and layers as one matrix: their plain mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.figure import Check

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from builder.model import AnyRun

__all__ = ["distance_of_means", "mean_over_layers"]


def mean_over_layers(run: AnyRun, part: str) -> np.ndarray:
    """Return the mean of a part's weights over its heads and layers, [Q, K] float64; rows sum to 1 as theirs do."""
    import torch

    layers = run.attention.parts[part].layers
    total = torch.stack([run.attention.weights(part, layer).cpu().double().mean(0) for layer in layers])
    found: np.ndarray = total.mean(0).numpy()
    return found


def distance_of_means(data: Mapping[str, Any], pieces: Mapping[str, Any]) -> Check:
    """Return the largest difference between published means and the means of the published weights of all layers.

    Either is off by half a step at most, so they may differ by one; what a reader averages is what is shown.
    """
    import numpy as np

    from builder.quantised import unpack_weights

    apart = 0.0
    for name, part in data["parts"].items():
        first = data["shown"]["part"] == name
        layers = [
            data["weights"] if first and layer == data["shown"]["layer"] else pieces[f"{name}-{layer}"]["weights"]
            for layer in part["layers"]
        ]
        mean = np.mean([unpack_weights(packed).mean(0) for packed in layers], axis=0)
        found = unpack_weights(data["mean"] if first else pieces[f"{name}-mean"]["weights"])[0]
        apart = max(apart, float(np.abs(found - mean).max()))
    return Check(apart, 1 / 255 + 1e-4)
