"""How tasks compare where nothing like them was measured here, and how what they take grows."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from .task import Task

__all__ = ["REFERENCE", "Usual", "repeats", "usual"]

REFERENCE = Task("answer", parameters=134_515_008, n_input=23, n_output=40)
"""smollm2 and a text of 23 tokens that it continues by 40: what `tests/benchmarks/costs.py` measures."""


@dataclass(frozen=True)
class Usual:
    """CPU seconds of a task on the reference, and how they grow: with `size ** exponent`, and with the parameters.

    `outputs` is how much a task's size is that of its output: 1 where each token of the output costs the same, 0 where
    each token of the text does, 0.5 where each of the output asks all before it.
    """

    seconds: float
    exponent: float = 1.0
    outputs: float = 0.0

    def size(self, task: Task) -> float:
        """Return how large a task is, in tokens."""
        length = max(1, task.n_input + task.n_output)
        explained = task.n_output or max(1, length - 1)
        return math.pow(length, 1 - self.outputs) * math.pow(explained, self.outputs)

    def seconds_of(self, task: Task) -> float:
        """Return the seconds that a task would take where the table was measured."""
        parameters = task.parameters or REFERENCE.parameters
        grown = math.pow(self.size(task) / self.size(REFERENCE), self.exponent) * repeats(task)
        return self.seconds * grown * parameters / REFERENCE.parameters


def usual(task: Task) -> Usual:
    """Return how a task of that kind and method compares; a site's own kinds are as those that read a forward pass."""
    name = task.kind or task.step
    return _USUAL.get((name, task.method)) or _USUAL.get((name, "")) or _OTHERS


def repeats(task: Task) -> float:
    """Return how many times as often a task does its work as is usual: by the steps of integrated gradients."""
    found = re.search(r"\bsteps=(\d+)", task.variant)
    return max(1, int(found[1])) / STEPS if found else 1.0


STEPS = 50
"""The steps of a figure that does not say how many."""

_OTHERS = Usual(0.3, 1.2)
"""Kinds that read what a forward pass leaves, and a site's own, of which nobody knows."""

_USUAL = {
    ("load", ""): Usual(1.5, 0.0),
    ("run", ""): Usual(2.6, 1.0, 0.9),
    ("ablation", ""): Usual(6.1, 0.8),
    ("activations", ""): Usual(0.19, 0.8),
    ("attention", ""): Usual(0.38, 1.5),
    ("attention_flow", ""): Usual(2.6, 1.5),
    ("attention_matrix", ""): Usual(0.15, 1.8),
    ("causal_trace", ""): Usual(8.0, 1.5),
    ("decoding", ""): Usual(5.4, 1.3, 0.5),
    ("factors", ""): Usual(0.69, 1.0),
    ("head_view", ""): Usual(0.17, 1.7),
    ("layer_predictions", ""): Usual(0.65, 1.0, 1.0),
    ("rankings", ""): Usual(0.63, 1.0, 1.0),
    ("saliency", ""): Usual(2.4, 2.0, 0.5),
    ("saliency", "integrated_gradients"): Usual(90.0, 2.0, 0.5),
    ("saliency", "occlusion"): Usual(3.3, 2.0),
    ("saliency", "value_zeroing"): Usual(3.1, 2.0),
    ("tokens", ""): Usual(0.001),
}
"""CPU seconds of one thread of an AMD EPYC that others used too, on 2026-11-28, by the benchmark that is named above.

Exponents of saliency are those of its operations. Integrated gradients are reckoned from 1 and 10 steps; causal tracing
is a guess: what it restores, and in how many samples, decides.
"""
