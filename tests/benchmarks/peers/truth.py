"""What others are held to: the obvious ways in float64, of every fifth token of long texts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..own import square
from . import load
from .plain import gradients

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..subjects import Subject, Way


def logit() -> Way:
    """Gradient × input of the logit."""
    return _some(gradients("float64", "logit"))


def logprob() -> Way:
    """Gradient × input of the log-probability."""
    return _some(gradients("float64", "logprob"))


def _some(way: Way) -> Way:
    """Return a way that leaves out four of five targets of a text of more than 100 tokens: their rows are not known."""

    def some(subject: Subject) -> Callable[[], Any]:
        if len(subject.ids) <= 100:
            return way(subject)
        targets = subject.targets[::5]
        rows = [way(replace(subject, options={**subject.options, "targets": [target]})) for target in targets]

        def work() -> Any:
            found = np.full((len(subject.targets), len(subject.ids)), np.nan)
            for place, row in zip(range(0, len(found), 5), rows, strict=True):
                found[place] = row()[0]
            return found

        return work

    return some


def integrated() -> Way:
    """Integrated gradients of the logit from 0, 50 Gauss–Legendre nodes: |Σ over the embedding| as shares."""
    import torch

    network = load("float64").network.requires_grad_(False)
    nodes, weights = np.polynomial.legendre.leggauss(50)
    steps = torch.from_numpy((nodes + 1) / 2)[:, None, None].split(10)
    shares_of_steps = torch.from_numpy(weights / 2)[:, None, None].split(10)

    def row(subject: Subject, position: int) -> Any:
        x = network.get_input_embeddings()(torch.tensor([subject.ids[:position]])).detach()
        total = torch.zeros_like(x[0])
        for step, weight in zip(steps, shares_of_steps, strict=True):
            at = (x * step).requires_grad_()
            logits = network(inputs_embeds=at, use_cache=False, logits_to_keep=1).logits[:, -1]
            total += (weight * torch.autograd.grad(logits[:, subject.ids[position]].sum(), at)[0]).sum(0)
        sizes = (total * x[0]).sum(-1).abs()
        return sizes / sizes.sum()

    return lambda subject: lambda: square([row(subject, at) for at in subject.targets], subject)
