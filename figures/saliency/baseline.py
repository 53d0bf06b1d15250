"""An input that is to mean nothing: integrated gradients start from it, occlusion puts it in a token's place."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Literal

import torch

from builder.errors import BuildError
from builder.model.memory import rows

if TYPE_CHECKING:
    from torch import Tensor

    from builder.model import Model

__all__ = ["baseline"]

BLOCK = 16 << 20  # bytes of embeddings averaged at once: the whole table again would double the model's memory


def baseline(model: Model, name: Literal["zero", "mean", "pad", "eos"], x: Tensor) -> Tensor:
    """Return the baseline for inputs x [T, d], one vector for all positions: [T, d].

    Raises `BuildError` where the tokenizer has no such token.
    """
    if name == "zero":
        return torch.zeros_like(x)
    if name == "mean":
        if model not in _means:
            _means[model] = _mean(model)
        return _means[model].to(x).expand_as(x)
    token = getattr(model.tokenizer, f"{name}_token_id")
    if token is None:
        raise BuildError(f"missing {name} token: the tokenizer of model {model.name} has none; try baseline mean")
    return model.embed(torch.tensor(token, device=x.device)).expand_as(x)


_means: weakref.WeakKeyDictionary[Model, Tensor] = weakref.WeakKeyDictionary()


@torch.no_grad()
def _mean(model: Model) -> Tensor:
    """Return the mean [d] of all input embeddings, as the model reads them, in float32."""
    every = torch.arange(model.vocab_size, device=model.device)
    blocks = torch.split(every, rows(4 * model.d_model, model.device, most=BLOCK))
    return torch.stack([model.embed(block).float().sum(0) for block in blocks]).sum(0) / model.vocab_size
