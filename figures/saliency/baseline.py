"""An input that is to mean nothing: integrated gradients start from it, occlusion puts it in a token's place."""

from __future__ import annotations

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
        ids = torch.arange(model.vocab_size, device=x.device)
        blocks = ids.split(rows(4 * x.shape[-1], x.device, most=BLOCK))
        total = torch.stack([model.embed(block).float().sum(0) for block in blocks]).sum(0)
        return (total / model.vocab_size).to(x.dtype).expand_as(x)
    token = getattr(model.tokenizer, f"{name}_token_id")
    if token is None:
        raise BuildError(f"missing {name} token: the tokenizer of model {model.name} has none; try baseline mean")
    return model.embed(torch.tensor(token, device=x.device)).expand_as(x)
