"""`OutputProjection`: what carries the heads' outputs into the residual stream, found by running the network once."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..errors import BuildError
from .interface import Call, attending
from .trace import first_tensor

if TYPE_CHECKING:
    from collections.abc import Callable

    from . import AnyRun

__all__ = ["OutputProjection", "find_projections", "output_projection"]

_known: weakref.WeakKeyDictionary[nn.Module, dict[nn.Module, OutputProjection]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class OutputProjection:
    """The linear map that reads all heads of an attention layer side by side; each head has a part of its own.

    What head h adds to what the layer hands on is `x_h @ weight[h]`, x_h [Q, d_head] being its part of what `module` is
    given; the `bias` belongs to none of them.
    """

    module: nn.Module
    weight: Tensor
    """[heads, d_head, d_out] float32"""
    bias: Tensor
    """[d_out] float32, 0 where there is none."""
    plain: bool
    """Whether it is given the heads' outputs as attention returned them: no gate and no norm stands between."""

    def __call__(self, output: Tensor) -> Tensor:
        """Heads' outputs [heads, Q, d_head] → what the module itself makes of them, [Q, d_out] float32."""
        dtype = next(self.module.parameters()).dtype
        with torch.no_grad():
            return self.module(output.transpose(0, 1).flatten(1)[None].to(dtype))[0].float()  # type: ignore[no-any-return]


def output_projection(run: AnyRun, part: str, layer: int) -> OutputProjection:
    """Return the output projection of a layer, of a run of any model.

    projection = output_projection(run, "self", 5)
    heads = run.attention.heads("self", 5)
    torch.einsum("hqd,hdo->qo", heads.output, projection.weight) + projection.bias   # is projection(heads.output)

    Raises `BuildError` where attention does not go through transformers' interface, or no such map follows it.
    """
    network, attends = run.model.network, run.attention.module(part, layer)
    if attends is not None and network not in _known:
        structure = getattr(run.model, "structure", None)
        base = structure.base if structure is not None else network.base_model
        source = getattr(run, "source", None)  # of an encoder-decoder, whose `ids` are the decoder's
        given = {"input_ids": run.ids} if source is None else {"input_ids": source, "decoder_input_ids": run.ids}
        _known[network] = find_projections(network, lambda: base(**{name: ids[None] for name, ids in given.items()}))
    found = _known[network].get(attends) if attends is not None else None
    if found is None:
        raise BuildError(
            f"unsupported model: {run.model.name} ({type(network).__name__}): "
            f"no projection of the heads of layer {layer} can be found"
        )
    return found


@torch.no_grad()
def find_projections(network: nn.Module, forward: Callable[[], Any]) -> dict[nn.Module, OutputProjection]:
    """Return the output projections of a network that `forward` runs, by the modules that attend.

    It is the first module with a matrix of weights (GPT-2's `Conv1D` too) that is called after the attention function
    has returned and reads something as wide as all heads together. Modules without one are left out.
    """
    latest: list[Call] = []  # the last call of attention, until its projection has come
    found: dict[nn.Module, OutputProjection] = {}

    def attend(call: Call) -> None:
        call.proceed()
        latest[:] = [call]

    def read(module: nn.Module, args: tuple[Any, ...], returned: Any) -> None:
        given, made = first_tensor(args), first_tensor(returned)
        if not latest or given is None or made is None or not given.is_floating_point():
            return
        heads = latest[0].output  # [B, Q, heads, d_head]
        if given.shape[-1] != heads.shape[-2] * heads.shape[-1] or given.numel() != heads.numel():
            return
        call = latest.pop()
        weight = _matrix(module, given, made)
        if weight is not None:
            bias = getattr(module, "bias", None)
            found[call.module] = OutputProjection(
                module,
                weight.reshape(*heads.shape[-2:], -1),
                bias.float() if isinstance(bias, Tensor) else weight.new_zeros(weight.shape[-1]),
                torch.equal(given.reshape(-1), heads.reshape(-1)),
            )

    linear = [module for module in network.modules() if _is_matrix(getattr(module, "weight", None))]
    handles = [module.register_forward_hook(read) for module in linear]
    try:
        with attending(network, attend):
            forward()
    finally:
        for handle in handles:
            handle.remove()
    return found


def _matrix(module: nn.Module, given: Tensor, made: Tensor) -> Tensor | None:
    """Return a linear module's weight as [in, out] float32; which way round it lies is told by what it did."""
    weight: Tensor = module.weight  # type: ignore[assignment]
    bias = getattr(module, "bias", None)
    rest = made.double() - (bias.double() if isinstance(bias, Tensor) else 0)
    ways = [way for way in (weight, weight.mT) if way.shape == (given.shape[-1], made.shape[-1])]
    apart = [float((given.double() @ way.double() - rest).abs().max()) for way in ways]
    tolerance = 8 * torch.finfo(made.dtype).eps ** 0.5 * max(float(made.abs().max()), 1e-6)
    return ways[apart.index(min(apart))].float() if apart and min(apart) <= tolerance else None


def _is_matrix(weight: Any) -> bool:
    return isinstance(weight, Tensor) and weight.dim() == 2
