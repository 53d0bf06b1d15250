"""What proves a reading by the lens: its last layer is the model, and its statistics are those of float64."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Any

from builder.figure import Check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.model import Run
    from builder.model.lens import Reading
    from builder.model.stream import Stream

    from .analysis import Params

NATS = 1e-4
"""What entropy and KL may be off by in float32: 1.7e-5 at most on smollm2, where KL goes up to 56."""


def checks(run: Run, reading: Reading, data: Mapping[str, Any], params: Params) -> dict[str, Check]:
    """Return the checks of a reading, and of what `data` publishes of it."""
    import numpy as np

    from builder.model.precision import tolerance
    from builder.model.stream import ecco_error, read_stream

    from .packed import unpack

    bound = tolerance(run.model.network.dtype)
    places = [position - 1 for position in run.targets]
    stream = read_stream(run, places, embeddings=params.embeddings, reproduce=params.reproduce)
    entropies, divergences = reading.entropies, reading.divergences
    apart = [
        (np.abs(unpack(data[name]) - numbers.clamp(min=0).numpy()).max(axis=1) / data[name]["scale"]).max()
        for name, numbers in (("entropy", entropies), ("kl", divergences))
    ]
    own = run.said.probabilities.cpu()
    found = {
        "lens after the last block against the model's logits": Check(reading.apart, bound * reading.size),
        "probabilities after the last block against the model's": Check(
            float((reading.probabilities[-1] - own).abs().max()), bound
        ),
        "entropy below 0 or above ln of the vocabulary, nats": Check(
            max(float(-entropies.min()), float(entropies.max()) - log(data["vocab_size"]), 0.0), NATS
        ),
        "KL below 0, nats": Check(max(float(-divergences.min()), 0.0), NATS),
        "KL after the last layer, nats": Check(float(divergences[-1].abs().max()), NATS),
        "entropy and KL of one state against float64, nats": Check(_apart(reading, stream), NATS),
        # rounding to the nearest step: half of one, and float32's own digits
        "packed entropy and KL against the computed, steps": Check(float(max(apart)), 0.51),
    }
    if params.reproduce == "ecco":
        found["states against transformers' hidden states"] = Check(ecco_error(run, places, stream), bound)
    return found


def _apart(reading: Reading, stream: Stream) -> float:
    """Return how far entropy and KL are from their definitions in float64, in the middle of the states."""
    import torch

    row, n = len(stream.states) // 2, stream.states.shape[1] // 2
    with torch.no_grad():
        here, last = stream.unembed(stream.states[[row, -1], n]).cpu().double().log_softmax(-1)
    entropy = float(-(here.exp() * here).sum())
    kl = float((last.exp() * (last - here)).sum())
    return max(abs(float(reading.entropies[row, n]) - entropy), abs(float(reading.divergences[row, n]) - kl))
