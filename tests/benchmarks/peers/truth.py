"""What others are held to: the obvious ways in float64."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..own import square
from . import load
from .plain import gradients

if TYPE_CHECKING:
    from ..subjects import Subject, Way


def logit() -> Way:
    """Gradient × input of the logit."""
    return gradients("float64", "logit")


def logprob() -> Way:
    """Gradient × input of the log-probability."""
    return gradients("float64", "logprob")


def integrated() -> Way:
    """Integrated gradients from 0 in float64, 50 Gauss–Legendre nodes: |Σ over the embedding| as shares."""
    import numpy as np
    import torch

    network = load("float64").network.requires_grad_(False)
    nodes, weights = np.polynomial.legendre.leggauss(50)

    def shares(subject: Subject, position: int) -> Any:
        x = network.get_input_embeddings()(torch.tensor([subject.ids[:position]])).detach()
        total = torch.zeros_like(x)
        for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
            at = (x * node).requires_grad_()
            logits = network(inputs_embeds=at, use_cache=False).logits[0, -1]
            total += weight * torch.autograd.grad(logits[subject.ids[position]], at)[0]
        sizes = (total * x)[0].sum(-1).abs()
        return sizes / sizes.sum()

    return lambda subject: lambda: square([shares(subject, at) for at in subject.targets], subject)
