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

    from builder.model.packing import pack_layer, prove_layer

    total, layers = None, run.attention.parts[part].layers
    for layer in layers:
        prove_layer(run.attention, part, layer)  # all that is asked of a layer, before the next one is captured
        pack_layer(run.attention, part, layer)
        # heads are added up in float32, a few numbers from 0 to 1, and layers in float64
        mean = run.attention.weights(part, layer).mean(0).cpu().to(torch.float64)
        total = mean if total is None else total.add_(mean)
    assert total is not None
    found: np.ndarray = (total / len(layers)).numpy()
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
        mean = np.zeros(())
        for layer in part["layers"]:
            own = first and layer == data["shown"]["layer"]
            mean = mean + unpack_weights(data["weights"] if own else pieces[f"{name}-{layer}"]["weights"]).mean(0)
        found = unpack_weights(data["mean"] if first else pieces[f"{name}-mean"]["weights"])[0]
        apart = max(apart, float(np.abs(found - mean / len(part["layers"])).max()))
    return Check(apart, 1 / 255 + 1e-4)
