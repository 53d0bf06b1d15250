"""`OutputProjection`: what carries the heads' outputs into the residual stream, found by running the network once."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..errors import BuildError
from .interface import AttentionCall, attending
from .placement import present
from .trace import first_tensor

if TYPE_CHECKING:
    from collections.abc import Callable

    from . import AnyRun

__all__ = ["OutputProjection", "find_projections", "output_projection"]

FEW = 8
"""Tokens of a text that are enough to see which module follows an attention."""

_known: weakref.WeakKeyDictionary[nn.Module, dict[nn.Module, OutputProjection]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class OutputProjection:
    """The linear map that reads all heads of an attention layer side by side; each head has a part of its own.

    What head h adds to what the layer hands on is `x_h @ weight[h]`, x_h [Q, d_head] being its part of what `module` is
    given; the `bias` belongs to none of them.
    """

    module: nn.Module
    heads: tuple[int, int]
    """The number of heads, and the width of one."""
    turned: bool
    """Whether the module's own weight lies as [d_out, heads · d_head], as `Linear`'s does; GPT-2's does not."""
    plain: bool
    """Whether it is given the heads' outputs as attention returned them: no gate and no norm stands between."""

    @property
    def weight(self) -> Tensor:
        """[heads, d_head, d_out] float32, read each time: a copy of every layer's would be a good part of the model."""
        with present(self.module):
            weight: Tensor = self.module.weight  # type: ignore[assignment]
            return (weight.mT if self.turned else weight).reshape(*self.heads, -1).float()

    @property
    def bias(self) -> Tensor:
        """[d_out] float32, 0 where there is none."""
        with present(self.module):
            bias = getattr(self.module, "bias", None)
            if isinstance(bias, Tensor):
                return bias.float()
            weight: Tensor = self.module.weight  # type: ignore[assignment]
            return weight.new_zeros(weight.shape[0 if self.turned else 1], dtype=torch.float32)

    def __call__(self, output: Tensor) -> Tensor:
        """Heads' outputs [heads, Q, d_head] → what the module itself makes of them, [Q, d_out] float32."""
        dtype = next(self.module.parameters()).dtype  # whatever device the weights are on, or on none
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
        some = {name: ids[None, :FEW] for name, ids in given.items()}
        _known[network] = find_projections(network, lambda: base(**some))
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
    latest: list[AttentionCall] = []  # the last call of attention, until its projection has come
    found: dict[nn.Module, OutputProjection] = {}

    def attend(call: AttentionCall) -> None:
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
        turned = _is_turned(module, given, made)
        if turned is not None:
            plain = torch.equal(given.reshape(-1), heads.reshape(-1))
            found[call.module] = OutputProjection(module, (heads.shape[-2], heads.shape[-1]), turned, plain)

    linear = [module for module in network.modules() if _is_matrix(getattr(module, "weight", None))]
    handles = [module.register_forward_hook(read) for module in linear]
    try:
        with attending(network, attend):
            forward()
    finally:
        for handle in handles:
            handle.remove()
    return found


def _is_turned(module: nn.Module, given: Tensor, made: Tensor) -> bool | None:
    """Return whether a linear module's weight lies as [out, in], told by what it did; None if it did something else."""
    eps = torch.finfo(made.dtype).eps
    # in float32 at least: the tolerance is far above its rounding
    given, made = (part.to(torch.promote_types(part.dtype, torch.float32)) for part in (given, made))
    with present(module):
        weight: Tensor = module.weight.to(made.dtype)  # type: ignore[assignment]
        bias = getattr(module, "bias", None)
        rest = made - bias if isinstance(bias, Tensor) else made
        ways = {turned: weight.mT if turned else weight for turned in (False, True)}
        fitting = {turned: way for turned, way in ways.items() if way.shape == (given.shape[-1], made.shape[-1])}
        apart = {turned: float((given @ way - rest).abs().max()) for turned, way in fitting.items()}
    tolerance = 8 * eps**0.5 * max(float(made.abs().max()), 1e-6)
    best = min(apart, key=lambda turned: apart[turned], default=None)
    return best if best is not None and apart[best] <= tolerance else None


def _is_matrix(weight: Any) -> bool:
    return isinstance(weight, Tensor) and weight.dim() == 2
