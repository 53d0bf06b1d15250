"""Attention with the value vectors of chosen tokens zeroed, for every model that uses transformers' interface."""

from __future__ import annotations

import contextlib
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import eager_mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from . import Model

__all__ = ["mixing_left", "zeroed_values"]

NAME = "fanlight_zeroed_values"
_zeroed: ContextVar[Tensor | None] = ContextVar("_zeroed", default=None)


def _attend(module: Any, query: Tensor, key: Tensor, value: Tensor, *args: Any, **kwargs: Any) -> Any:
    """The model's own eager attention on values [B, heads, T, d] of which some are 0."""
    zeroed = _zeroed.get()
    if zeroed is not None:
        value = value.masked_fill(zeroed[:, None, :, None], 0)
    return _eager(type(module))(module, query, key, value, *args, **kwargs)


def _eager(cls: type) -> Callable[..., Any]:
    """Return `eager_attention_forward` of the file that a class, or the nearest it inherits from, is written in."""
    for ancestor in cls.__mro__:
        own = getattr(sys.modules.get(ancestor.__module__), "eager_attention_forward", None)
        if own is not None:
            return own  # type: ignore[no-any-return]
    raise LookupError(cls.__name__)


AttentionInterface.register(NAME, _attend)
AttentionMaskInterface.register(NAME, eager_mask)  # without it there is no mask, and attention is silently not causal


@contextlib.contextmanager
def zeroed_values(network: Any, zeroed: Tensor) -> Iterator[None]:
    """Within: value vectors are 0 where `zeroed` [B, T] is true, in every layer and head, for all who read them.

    Queries, keys and the residual stream stay. Whether a network heeds this is told by `mixing_left`.

    with zeroed_values(network, torch.tensor([[False, True, False, False]])):
        network(input_ids=ids)  # what the token at position 1 would hand on is nothing
    """
    held: list[Any] = [getattr(module, "config", None) for module in network.modules()]
    configs = {id(config): config for config in held if hasattr(config, "_attn_implementation")}
    before = [(config, config._attn_implementation) for config in configs.values()]
    mark = _zeroed.set(zeroed)
    try:
        for config, _ in before:
            config._attn_implementation = NAME
        yield
    finally:
        _zeroed.reset(mark)
        for config, implementation in before:
            config._attn_implementation = implementation


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
