"""The obvious way: a token at a time, with torch alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import machine
from ..own import square
from . import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..subjects import Subject, Way


def naive() -> Way:
    """Gradient × input of the logit, a forward and a backward pass a token, weights frozen."""
    return gradients("float32", "logit")


def gradients(dtype: str, target: str) -> Way:
    """Gradient × input of the logit or of log p in a dtype."""
    network = load(dtype).network.requires_grad_(False)

    def way(subject: Subject) -> Callable[[], Any]:
        return lambda: square([shares(network, subject, at, target) for at in subject.targets], subject)

    return way


def shares(network: Any, subject: Subject, position: int, target: str) -> Any:
    """Return the shares [position] of the tokens before a position in what made the model choose its token."""
    import torch

    x = network.get_input_embeddings()(torch.tensor([subject.ids[:position]])).detach().requires_grad_()
    logits = network(inputs_embeds=x, use_cache=False).logits[0, -1]
    scores = logits if target == "logit" else logits.log_softmax(-1)
    (gradient,) = torch.autograd.grad(scores[subject.ids[position]], x)
    sizes = (gradient * x)[0].detach().norm(dim=-1)
    return sizes / sizes.sum()


def products() -> Way:
    """How fast products are as torch does them by itself, in GFLOP/s by shape."""
    return lambda _: lambda: lambda: (None, machine.products())
