"""What proves a reading by the lens: its last layer is the model, and its statistics are those of float64."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Any

from builder.figure import Check

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from builder.model import Run
    from builder.model.lens import Reading

NATS = 1e-4
"""What entropy and KL may be off by in float32: 1.7e-5 at most on smollm2, where KL goes up to 56."""


def checks(
    run: Run, reading: Reading, unembed: Callable[[Tensor], Tensor], states: Tensor, data: Mapping[str, Any]
) -> dict[str, Check]:
    """Return the checks of a reading of `states` [rows, N, d] by `unembed`, and of what `data` publishes of it."""
    import numpy as np
    import torch

    from .packed import unpack

    targets = torch.tensor(run.targets, device=run.ids.device)
    eps = torch.finfo(run.model.network.dtype).eps
    tolerance = 1e-4 if eps < 1e-6 else eps**0.5  # half of the digits of a short format
    softmax = run.logits.double().softmax(-1).gather(-1, run.ids[targets, None])[:, 0]
    entropies, divergences = reading.entropies.double().cpu(), reading.divergences.double().cpu()
    apart = [
        (np.abs(unpack(data[name]) - numbers.clamp(min=0).numpy()).max(axis=1) / data[name]["scale"]).max()
        for name, numbers in (("entropy", entropies), ("kl", divergences))
    ]
    return {
        "lens after the last block against the model's logits": Check(
            float((reading.last - run.logits).abs().max()), float(tolerance * run.logits.abs().max())
        ),
        "probabilities after the last block against the model's": Check(
            float((reading.probabilities[-1] - softmax).abs().max()), tolerance
        ),
        "entropy below 0 or above ln of the vocabulary, nats": Check(
            max(float(-entropies.min()), float(entropies.max()) - log(data["vocab_size"]), 0.0), NATS
        ),
        "KL below 0, nats": Check(max(float(-divergences.min()), 0.0), NATS),
        "KL after the last layer, nats": Check(float(divergences[-1].abs().max()), NATS),
        "entropy and KL of one state against float64, nats": Check(_apart(reading, unembed, states), NATS),
        # rounding to the nearest step: half of one, and float32's own digits
        "packed entropy and KL against the computed, steps": Check(float(max(apart)), 0.51),
    }


def _apart(reading: Reading, unembed: Callable[[Tensor], Tensor], states: Tensor) -> float:
    """Return how far entropy and KL are from their definitions in float64, in the middle of the states."""
    import torch

    from builder.model.lens import FLOATS

    # in a block as large as the reading's: a product of another shape adds up in another order
    block = states[:, : max(1, FLOATS // reading.last.shape[-1])]
    row, n = len(block) // 2, block.shape[1] // 2
    with torch.no_grad():
        logs = [unembed(block[r])[n].double().log_softmax(-1) for r in (row, len(block) - 1)]
    here, last = logs
    entropy = float(-(here.exp() * here).sum())
    kl = float((last.exp() * (last - here)).sum())
    return max(abs(float(reading.entropies[row, n]) - entropy), abs(float(reading.divergences[row, n]) - kl))
