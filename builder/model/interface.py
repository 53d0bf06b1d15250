"""Transformers' attention interface with a hand on it: what an attention function is given may be read, and changed."""

from __future__ import annotations

import contextlib
import sys
import weakref
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import eager_mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

__all__ = ["AttentionCall", "attending", "eager"]

NAME = "fanlight"
_handler: ContextVar[Callable[[AttentionCall], None] | None] = ContextVar("_handler", default=None)


@dataclass(eq=False)
class AttentionCall:
    """One call of an attention function, on B texts: before `proceed()` it may be changed, after it it can be read.

    `module` is the attention layer that calls. Queries are [B, heads, Q, d_head], after rotation and norms. Keys and
    values are [B, key-value heads, K, d_head]: head h reads those of number `h // (heads / key-value heads)`. `mask` is
    added to the scores, [B, 1 or heads, Q, K] or None. `options` are what else the layer passes: `scaling`, `softcap`.
    """

    module: Any
    query: Tensor
    key: Tensor
    value: Tensor
    mask: Tensor | None
    options: dict[str, Any]
    args: tuple[Any, ...] = ()
    output: Tensor = field(init=False)
    """[B, Q, heads, d_head]: each head's weighted sum of values, before the output projection."""
    weights: Tensor = field(init=False)
    """[B, heads, Q, K], rows that sum to 1."""
    _done: bool = False

    def proceed(self) -> None:
        """Attend, by the model's own eager function; the second time nothing happens."""
        if not self._done:
            self._done = True
            attend = eager(type(self.module))
            found = attend(self.module, self.query, self.key, self.value, self.mask, *self.args, **self.options)
            self.output, self.weights = found

    def settle(self, output: Tensor) -> None:
        """Take what was found another way, [B, Q, heads, d_head], instead of attending; weights are then not known."""
        self._done, self.output, self.weights = True, output, output.new_empty(0)


def _attend(
    module: Any, query: Tensor, key: Tensor, value: Tensor, mask: Any = None, *args: Any, **options: Any
) -> Any:
    call = AttentionCall(module, query, key, value, options.pop("attention_mask", mask), options, args)
    handler = _handler.get()
    if handler is not None:
        handler(call)
    call.proceed()
    return call.output, call.weights


def eager(cls: type) -> Callable[..., Any]:
    """Return `eager_attention_forward` of the file that a class, or the nearest it inherits from, is written in."""
    for ancestor in cls.__mro__:
        own = getattr(sys.modules.get(ancestor.__module__), "eager_attention_forward", None)
        if own is not None:
            return own  # type: ignore[no-any-return]
    raise LookupError(cls.__name__)


AttentionInterface.register(NAME, _attend)
AttentionMaskInterface.register(NAME, eager_mask)  # without it there is no mask, and attention is silently not causal


@contextlib.contextmanager
def attending(network: torch.nn.Module, handler: Callable[[AttentionCall], None]) -> Iterator[None]:
    """Within: `handler` is called in every attention of a network that goes through transformers' interface.

    Nothing changes by itself: the model's own eager function attends. A network whose attention is written another way
    (GPT-J, Bloom, Falcon) never calls it.

    def cut(call):  # the last token no longer sees the first
        call.mask = call.mask.clone()
        call.mask[..., -1, 0] = torch.finfo(call.mask.dtype).min

    with attending(network, cut):
        network(input_ids=ids)
    """
    before = [(config, config._attn_implementation) for config in _configs(network)]
    mark = _handler.set(handler)
    try:
        for config, _ in before:
            config._attn_implementation = NAME
        yield
    finally:
        _handler.reset(mark)
        for config, implementation in before:
            config._attn_implementation = implementation


_known: weakref.WeakKeyDictionary[torch.nn.Module, list[Any]] = weakref.WeakKeyDictionary()


def _configs(network: torch.nn.Module) -> list[Any]:
    """Return the configurations that say how a network's modules attend; looked for once, a millisecond each time."""
    if network not in _known:
        held: list[Any] = [getattr(module, "config", None) for module in network.modules()]
        configs = {id(config): config for config in held if hasattr(config, "_attn_implementation")}
        _known[network] = list(configs.values())
    return _known[network]
