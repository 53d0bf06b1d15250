"""The tail: how a network itself goes from a residual stream to logits, whatever stands there.

Where that is a norm and a linear map, there are shorter ways; `agrees` says whether one gives the same numbers.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .precision import float_logits, is_short
from .trace import replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .structure import Structure

__all__ = ["agrees", "logits_in_float32", "own_head", "own_tail"]


def own_head(network: Any, structure: Structure, final: Tensor) -> Tensor:
    """Final hidden states [..., d] → logits [..., vocab]: the network, its base model made to return them.

    In float32 where the weights have 16 bits, a scale and a soft cap too.
    """
    flat = final.reshape(1, -1, final.shape[-1])
    ids = torch.zeros(flat.shape[:2], dtype=torch.long, device=flat.device)
    answer = structure.base_output(last_hidden_state=flat)
    with replaced(structure.base, lambda *_args, **_kwargs: answer), logits_in_float32(network):
        logits = network(input_ids=ids, use_cache=False).logits
    return logits.reshape(*final.shape[:-1], -1)  # type: ignore[no-any-return]


def own_tail(network: Any, structure: Structure, hidden: Tensor) -> Tensor:
    """Block outputs [..., d_model] → logits [..., vocab]: the network, its blocks skipped, the last one returning them.

    What follows the last block works on each position by itself, so [N, d] may go as N texts of one token. In float32
    where the weights have 16 bits, from the vocabulary's matrix on.
    """
    flat = hidden.reshape(-1, 1, hidden.shape[-1])
    ids = torch.zeros(flat.shape[:2], dtype=torch.long, device=flat.device)
    with contextlib.ExitStack() as stack:
        for block, kind in zip(structure.blocks, structure.block_outputs, strict=True):
            answer = flat if issubclass(kind, Tensor) else (flat, None, None)
            stack.enter_context(replaced(block, lambda *_args, answer=answer, **_kwargs: answer))
        stack.enter_context(logits_in_float32(network))
        logits = network(input_ids=ids, use_cache=False).logits
    return logits.reshape(*hidden.shape[:-1], -1)  # type: ignore[no-any-return]


@contextlib.contextmanager
def logits_in_float32(network: Any) -> Iterator[None]:
    """Within: the network's product with the vocabulary, and so what it does to logits after it, is in float32."""
    matrix = network.get_output_embeddings()
    if matrix is None or not is_short(matrix):
        yield
        return
    with replaced(matrix, lambda states: float_logits(matrix, states)):
        yield


def agrees(compute: Callable[[], Tensor], expected: Tensor, *, tolerance: float = 0.0) -> bool:
    """Whether a way of computing works at all and gives what is expected, to the last bit or relative to its size."""
    try:
        found = compute().to(expected.device)
    except (TypeError, ValueError, RuntimeError, AttributeError, IndexError):
        return False
    if found.shape != expected.shape:
        return False
    return bool((found - expected).abs().max() <= tolerance * expected.abs().max().clamp(min=1e-6))
