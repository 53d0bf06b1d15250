"""Proof that what is decomposed are the neurons: times the down projection's weights, they are the MLP's output."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from builder.model.placement import present

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from builder.model import Model

__all__ = ["distance", "watching"]


@dataclass
class Output:
    """What a layer's MLP returned [T, d], and what else than its input it was given (BLOOM's adds the residual)."""

    value: Tensor | None = None
    given: tuple[Tensor, ...] = ()


@contextlib.contextmanager
def watching(model: Model, layers: Sequence[int]) -> Iterator[list[Output]]:
    """Within: the outputs of the MLPs of some layers, while the model runs."""
    seen = [Output() for _ in layers]
    handles = []
    for output, layer in zip(seen, layers, strict=True):

        def leave(_module: nn.Module, args: tuple[Any, ...], returned: Any, output: Output = output) -> None:
            value = returned[0] if isinstance(returned, tuple) else returned
            output.value = _rows(value)
            output.given = tuple(_rows(arg) for arg in args[1:] if isinstance(arg, Tensor) and arg.shape == value.shape)

        module = _around(model, layer)
        if module is not None:
            handles.append(module.register_forward_hook(leave))
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def distance(model: Model, layer: int, neurons: Tensor, output: Output) -> float:
    """Return how far neurons [T, n] times the weights are from the output, as a share of its largest number."""
    down: Any = model.structure.down_projections[layer]
    with present(down):
        weight = down.weight.float()
        if not isinstance(down, nn.Linear) and weight.shape[0] == neurons.shape[1]:  # GPT-2's Conv1D: [in, out]
            weight = weight.T
        neurons = neurons.to(weight.device)
        written = nn.functional.linear(neurons, weight, None if down.bias is None else down.bias.float())
    if output.value is None:
        return float("inf")
    found = [output.value, *(output.value - other for other in output.given)]
    return min(float((written - value).abs().max() / value.abs().max().clamp_min(1e-30)) for value in found)


def _rows(value: Tensor) -> Tensor:
    return value.reshape(-1, value.shape[-1]).float().clone()  # Falcon adds to it in place


def _around(model: Model, layer: int) -> nn.Module | None:
    """Return the MLP: the module around a down projection, where nothing of weight comes after it; None without one.

    Where it stands in the block itself (OPT), or a norm follows it (BERT), its own output is all there is to compare.
    """
    down = model.structure.down_projections[layer]
    if down is None:
        return None
    block = model.structure.blocks[layer]
    name = next(name for name, module in block.named_modules() if module is down)
    parent = block.get_submodule(name.rpartition(".")[0])
    after = list(parent.children())
    after = after[next(i for i, child in enumerate(after) if child is down) + 1 :]
    heavy = any(any(True for _ in child.parameters()) for child in after)
    return down if parent is block or heavy else parent
