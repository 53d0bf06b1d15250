"""Linear maps of a few rows, such as those of one token while a text is generated, by all threads.

A row times a matrix takes as long as the matrix takes to come from memory, and MKL fetches it with one thread. On a
processor of two cores that is half of what memory gives. Cut into as many parts as there are threads, and multiplied
as a batch, the matrix comes by all of them: all of SmolLM2's in 27 ms instead of 46. OneDNN takes 35, and makes a
kernel for each length of a text that grows.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from .products import torchs_own
from .trace import replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["by_all_threads"]

FEW = 8
"""Rows up to which it pays: 1.8 times as fast with one to three of SmolLM2's, 1.5 with four, 1.15 with eight."""
LEAST = 64
"""Numbers of a result that a thread has at least; parts of smaller ones are all overhead."""


@contextlib.contextmanager
def by_all_threads(network: nn.Module) -> Iterator[None]:
    """Within: torch multiplies as it does by itself; float32 maps of a few rows, of no graph, by all threads."""
    threads = torch.get_num_threads()
    with contextlib.ExitStack() as stack:
        stack.enter_context(torchs_own())
        if threads > 1 and torch.backends.mkl.is_available():  # type: ignore[no-untyped-call]
            for module in network.modules():
                if type(module) in (nn.Linear, Conv1D) and not hasattr(module, "_hf_hook"):
                    forward = _forward(module, threads)
                    if forward is not None:
                        stack.enter_context(replaced(module, forward))
        yield


def _forward(module: Any, threads: int) -> Callable[[Tensor], Tensor] | None:
    """Return what a linear map does to any rows; None where its own forward is as good."""
    weight, bias, own = module.weight, module.bias, module.forward
    matrix = weight.detach() if type(module) is nn.Linear else weight.detach().T
    parts = min(threads, len(matrix) // LEAST)
    if parts < 2 or matrix.dtype != torch.float32 or matrix.device.type != "cpu":
        return None
    size = len(matrix) // parts
    shared = matrix[: size * parts].view(parts, size, -1).transpose(1, 2)
    rest = matrix[size * parts :].T

    def forward(given: Tensor) -> Tensor:
        rows = given.reshape(-1, given.shape[-1])
        if len(rows) > FEW or torch.is_grad_enabled():
            return own(given)  # type: ignore[no-any-return]
        found = torch.bmm(rows.expand(parts, *rows.shape), shared).transpose(0, 1).flatten(1)
        if rest.shape[1]:
            found = torch.cat([found, rows @ rest], 1)
        if bias is not None:
            found += bias
        return found.view(*given.shape[:-1], -1)

    return forward
