"""Attention with the value vectors of chosen tokens zeroed, for every model that uses transformers' interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from .interface import AttentionCall, attending

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from torch import Tensor

    from . import Model

__all__ = ["mixing_left", "zeroed_values"]


def zeroed_values(network: torch.nn.Module, zeroed: Tensor) -> AbstractContextManager[None]:
    """Within: value vectors are 0 where `zeroed` [B, T] is true, in every layer and head, for all who read them.

    Queries, keys and the residual stream stay. Whether a network heeds this is told by `mixing_left`.

    with zeroed_values(network, torch.tensor([[False, True, False, False]])):
        network(input_ids=ids)  # what the token at position 1 would hand on is nothing
    """

    def zero(call: AttentionCall) -> None:
        call.value = call.value.masked_fill(zeroed[:, None, :, None].to(call.value.device), 0)

    return attending(network, zero)


@torch.no_grad()
def mixing_left(model: Model, ids: Tensor) -> float:
    """Return what a text's last token still learns of the others with all values zeroed: 0, or nothing is proved.

    The largest difference of its final state between the text `ids` [T] and one whose other tokens are all different,
    over the state's largest number. Not 0 where tokens meet outside of the interface: in a state-space layer, a
    convolution, an attention of the model's own. Infinite where the network cannot be run so at all.
    """
    other = torch.cat([(ids[:-1] + 1) % model.vocab_size, ids[-1:]])
    texts = torch.stack([ids, other])
    try:
        with zeroed_values(model.network, torch.ones_like(texts, dtype=torch.bool)):
            ours, theirs = model.forward_embeddings(model.embed(texts))[:, -1].float()
    except (LookupError, TypeError, ValueError, RuntimeError, AttributeError):  # each model refuses in its own way
        return float("inf")
    return float((ours - theirs).abs().max() / ours.abs().max().clamp_min(1e-30))
