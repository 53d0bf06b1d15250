"""A norm, and a model's way from the residual stream to a logit, as the linear maps that they are at one vector.

A norm divides by a length (or a standard deviation) that all of the vector decides. With that one number kept as it is,
all the rest is linear, so that a sum of vectors may be followed through it part by part.
Elhage et al. 2021, https://transformer-circuits.pub/2021/framework/index.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch

from ..errors import BuildError
from .precision import double, tolerance
from .trace import first_tensor

if TYPE_CHECKING:
    from torch import Tensor, nn

    from . import Model
    from .answers import Question

__all__ = ["FrozenNorm", "Readout", "freeze", "read_out"]

LOUD = 1000.0
"""The length of the vector that a norm is asked about: beside it the epsilon under a norm's root is nothing."""


@dataclass(frozen=True)
class FrozenNorm:
    """N(v) = (v − mean v) ⊙ gain · scale + bias; without the mean where a norm takes none away (RMSNorm)."""

    gain: Tensor
    """[d] float64"""
    scale: float
    """One over the cached length or standard deviation."""
    centred: bool
    bias: Tensor
    """[d] float64"""
    error: float
    """How far this is from the norm itself at the vector, as a share of the largest number there."""

    def linear(self, v: Tensor) -> Tensor:
        """Vectors [..., d] → their parts [..., d] in what the norm returns, its bias left out."""
        return (v - v.mean(-1, keepdim=True) if self.centred else v) * self.gain * self.scale

    def __call__(self, v: Tensor) -> Tensor:
        """Vectors [..., d] → what the norm returns with its cached scale."""
        return self.linear(v) + self.bias


@torch.no_grad()
def freeze(norm: nn.Module, at: Tensor) -> FrozenNorm:
    """Return a norm with the scale that it has at a vector [d]. What kind it is, is found by asking it.

    Its bias is what it makes of nothing; its gains, what it makes of a vector of +1 and −1 without a mean. Whether it
    takes away the mean is told by the vector itself: only one of the two forms is the norm there.
    """

    def ask(vector: Tensor) -> Tensor:
        returned = first_tensor(norm(vector[None, None].to(at)))
        assert returned is not None
        return double(returned.reshape(-1), at.device)

    d, vector = len(at), double(at)
    probe = torch.ones_like(vector)
    probe[1::2] = -1
    if d % 2:
        probe[-1] = -2 if d > 1 else 1
        probe[-2:-1] = 1
    bias = ask(torch.zeros_like(at))
    gain = (ask(LOUD * probe) - bias) * float(probe.square().mean().sqrt()) / probe
    found = ask(at) - bias
    forms = []
    for centred in (False, True):
        form = (vector - vector.mean() if centred else vector) * gain
        scale = float(form @ found / form.square().sum().clamp_min(1e-300))
        error = float((form * scale - found).abs().max() / found.abs().max().clamp_min(1e-30))
        forms.append(FrozenNorm(gain, scale, centred, bias, error))
    return min(forms, key=lambda form: form.error)


class Readout(NamedTuple):
    """The way from the residual stream after the last block to one number about the logits, as a linear map."""

    direction: Tensor
    """[d_model] float64: a part of the stream gives its product with it."""
    constant: float
    """What biases after the last block give."""
    value: float
    """The number itself, by the model's own norm and head."""
    capped: bool
    """Whether the model's logits are squashed after that (a soft cap); then this is about what goes into the cap."""
    error: float
    """How far the linear map is from the value at the vector."""


def read_out(model: Model, question: Question, at: Tensor) -> Readout:
    """Return how the stream [d_model] after the last block leads to the question's number, the final norm frozen there.

    The direction is the gradient of the model's own way through norm, projection, head and scale, whatever they are.

    Raises `BuildError` where that way is not linear even so.
    """
    structure = model.structure
    at = at.to(model.device, model.network.dtype)
    with torch.no_grad():
        given, logits = _watched(model, at[None])
        own, final = double(given[0], at.device), double(logits[0], at.device)
    scale = float(own @ final / own.square().sum().clamp_min(1e-300))
    bound = tolerance(at.dtype)
    capped = float((own * scale - final).abs().max()) > bound * float(final.abs().max())
    if capped:
        scale = 1.0
        ordered = final[own.argsort()].diff()  # squashed or not, the order of tokens stays
        if float(ordered.min()) < -bound * float(final.abs().max()):
            raise _refused(model, "what follows its output matrix changes the order of tokens")

    handles = []
    if structure.norm is not None:
        frozen = freeze(structure.norm, at)
        handles.append(
            structure.norm.register_forward_hook(lambda _, args, __: frozen(double(args[0], at.device)).to(args[0]))
        )
    try:
        vectors = torch.stack([at, torch.zeros_like(at)]).requires_grad_()
        values = question.value(_watched(model, vectors)[0]) * scale
        direction = double(torch.autograd.grad(values[0], vectors)[0][0])
    finally:
        for handle in handles:
            handle.remove()
    value, constant = float(question.value(own)) * scale, float(values[1].detach())
    size = max(float((direction * double(at)).abs().max()), abs(value), 1e-30)
    error = abs(float(direction @ double(at)) + constant - value) / size
    if error > 100 * bound:
        raise _refused(model, "with its final norm’s scale kept, its logits are no linear map of what its blocks write")
    return Readout(direction, constant, value, capped, error)


def _watched(model: Model, vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Return what the head makes of states [N, d], and the logits that come of it, each [N, vocab]."""
    seen: list[Tensor] = []
    handle = model.structure.head.register_forward_hook(lambda _module, _args, returned: seen.append(returned))
    try:
        logits = model.unembed(vectors)
    finally:
        handle.remove()
    # nothing is seen of a head that is multiplied in float32: then its products are the logits
    return (seen[-1] if seen else logits).reshape(len(vectors), -1), logits


def _refused(model: Model, why: str) -> BuildError:
    return BuildError(
        f"unsupported model: {model.name} ({type(model.network).__name__}): {why}, "
        "so they cannot be shared out among its parts"
    )
