"""The residual stream at one position as a sum: what the embeddings, every head, every MLP and biases wrote into it.

A block hands on what it was given, and what attention and MLP add to it. Added is their output itself, a multiple of it
(Granite), or what a norm makes of it (Gemma 2); which of these is found by least squares over what ran, so that no
model is known by name. A norm that stands there is taken as linear, with its scale kept (`frozen.py`).
Elhage et al. 2021, https://transformer-circuits.pub/2021/framework/index.html
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from ..errors import BuildError
from .frozen import freeze
from .precision import double, tolerance
from .projection import output_projection
from .trace import first_tensor, recording

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor, nn

    from . import Run
    from .projection import OutputProjection

__all__ = ["Decomposition", "decompose"]

BLOCKS = "a block against its attention and its MLP"
HEADS = "heads, added up, against their attention"


@dataclass(frozen=True)
class Decomposition:
    """Parts of the residual stream after the last block, at one position; they add up to it. float64."""

    embeddings: dict[str, Tensor]
    """`token` and, where positions are added, `position`, [d_model]; `embeddings` where they cannot be told apart."""
    heads: Tensor
    """[n_layers, n_heads, d_model]; 0 in layers without attention."""
    biases: Tensor
    """[n_layers, d_model]: what an attention adds that is no head's."""
    mlps: Tensor
    """[n_layers, d_model]"""
    stream: Tensor
    """[n_layers + 1, d_model]: what enters block 0, and what stands after each block."""
    errors: dict[str, float]
    """By name what proves it, the worst over the layers, as shares of the largest number there."""


class _Seen(NamedTuple):
    """What one module read and returned at the position, [d] each."""

    module: nn.Module
    given: Tensor
    returned: Tensor


class _Written(NamedTuple):
    """What may be what a part adds to the stream: its output, or what a norm after it made of that."""

    vector: Tensor
    norm: nn.Module | None


class _Fitted(NamedTuple):
    """What a block's attention and its MLP add to the stream, [d] each."""

    attention: Tensor
    mlp: Tensor
    factor: float
    """What the attention's output is multiplied with."""
    norm: nn.Module | None
    """What its output goes through before."""
    error: float
    """By how much they miss what the block added."""


@torch.no_grad()
def decompose(run: Run, position: int) -> Decomposition:
    """Take the stream at a position apart, in one forward pass over the text up to there.

    Raises `BuildError` where a layer adds something else than its attention and its MLP, and where the heads of its
    attention cannot be told apart.
    """
    model, structure = run.model, run.model.structure
    attention = run.attention.part("self")
    projections = {layer: output_projection(run, "self", layer) for layer in attention.layers}
    parts = [module for pair in zip(structure.mlps, structure.down_projections, strict=True) for module in pair]
    watched = [*(p.module for p in projections.values()), *parts]
    watched += [child for block in structure.blocks for child in block.children()]
    with (
        recording(structure.blocks) as outputs,
        _seeing([m for m in watched if m is not None], position, model.device) as seen,
    ):
        model.forward_ids(run.ids[None, : position + 1])
    stream = torch.stack([double(outputs[layer][0, position], model.device) for layer in range(-1, model.n_layers)])
    heads = stream.new_zeros(model.n_layers, attention.n_heads, stream.shape[-1])
    biases, mlps = stream.new_zeros(2, model.n_layers, stream.shape[-1])
    errors = {BLOCKS: 0.0, HEADS: 0.0}
    bound = tolerance(model.network.dtype)
    for layer, block in enumerate(structure.blocks):
        children = [seen[child] for child in block.children() if child in seen]
        projection = projections.get(layer)
        own = _outputs([projection.module] if projection else [], children, seen)
        other = _outputs([structure.mlps[layer], structure.down_projections[layer]], children, seen)
        scale = float(stream[layer : layer + 2].abs().max())
        found = _fit(stream[layer + 1] - stream[layer], own, other, bound * scale)
        if found is None:
            raise _refused(run, layer)
        errors[BLOCKS] = max(errors[BLOCKS], found.error / scale)
        mlps[layer] = found.mlp
        if projection is not None:
            whole = seen[projection.module]
            each = _each(projection, whole.given)
            apart = float((each.sum(0) + double(projection.bias, model.device) - whole.returned).abs().max())
            errors[HEADS] = max(errors[HEADS], apart / float(whole.returned.abs().max().clamp_min(1e-30)))
            if found.norm is not None:
                each = freeze(found.norm, whole.returned.to(model.device, model.network.dtype)).linear(each)
            heads[layer] = found.factor * each
            biases[layer] = found.attention - heads[layer].sum(0)
    return Decomposition(_embeddings(run, position, stream[0]), heads, biases, mlps, stream, errors)


def _each(projection: OutputProjection, given: Tensor) -> Tensor:
    """Return what each head [heads, d_model] makes of what the projection is given [heads · d_head]."""
    weight = double(projection.weight)
    return torch.einsum("hd,hdo->ho", given.to(weight.device).reshape(weight.shape[:2]), weight).to(given.device)


def _outputs(
    modules: Sequence[nn.Module | None], children: Sequence[_Seen], seen: Mapping[nn.Module, _Seen]
) -> list[_Written]:
    """Return what modules returned, and what any child of the block made of just that, as wide as it is."""
    found = []
    for module in modules:
        if module is None or module not in seen:
            continue
        vector = seen[module].returned
        found.append(_Written(vector, None))
        found += [
            _Written(child.returned, child.module)
            for child in children
            if torch.equal(child.given, vector) and child.returned.shape == vector.shape
        ]
    return found


def _fit(added: Tensor, attentions: Sequence[_Written], mlps: Sequence[_Written], bound: float) -> _Fitted | None:
    """Return the attention and the MLP whose multiples make up what a block added [d]; None where none do.

    The first of them that do, unless others do so a hundred times better.
    """
    best = None
    nothing = _Written(torch.zeros_like(added), None)
    for a in attentions or [nothing]:
        for m in mlps or [nothing]:
            matrix = torch.stack([a.vector, m.vector], 1)
            alive = matrix.any(0)
            factors = torch.zeros_like(matrix[0])
            factors[alive] = torch.linalg.lstsq(matrix[:, alive], added[:, None]).solution[:, 0]
            factors = torch.where(
                (factors - 1).abs() < 1e-3, torch.ones_like(factors), factors
            )  # rounding is no factor
            error = float((added - matrix @ factors).abs().max())
            if error <= bound and (best is None or error < best.error / 100):
                best = _Fitted(factors[0] * a.vector, factors[1] * m.vector, float(factors[0]), a.norm, error)
    return best


def _embeddings(run: Run, position: int, whole: Tensor) -> dict[str, Tensor]:
    """Return what enters block 0 at a position [d_model] as the token's own vector and what its place adds to it."""
    model = run.model
    tokens = double(model.embed(run.ids)[position], model.device)
    if tokens.shape != whole.shape:
        return {"embeddings": whole}
    place = whole - tokens
    size = float(whole.abs().max().clamp_min(1e-30))
    if float(place.abs().max()) <= 1e-5 * size:
        return {"token": whole}
    others = (run.ids + 1) % model.vocab_size  # what a place adds is the same whatever token stands there
    with recording(model.structure.blocks) as seen:
        model.forward_ids(others[None, : position + 1])
    moved = double(seen[-1][0, position], model.device)
    moved = moved - double(model.embed(others)[position], model.device)
    same = float((moved - place).abs().max()) <= 1e-4 * size
    if not same:
        return {"embeddings": whole}
    return {"token": tokens, "position": place}


@contextlib.contextmanager
def _seeing(modules: Sequence[nn.Module], position: int, device: torch.device) -> Iterator[dict[nn.Module, _Seen]]:
    """Within: what each of some modules reads and returns at a position, where both are vectors of a text."""
    seen: dict[nn.Module, _Seen] = {}

    def leave(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], returned: Any) -> None:
        given, made = first_tensor(args) if args else kwargs.get("hidden_states"), first_tensor(returned)
        if given is None or made is None or not given.is_floating_point() or given.dim() < 2 or made.dim() < 2:
            return
        rows = [tensor.reshape(-1, tensor.shape[-1]) for tensor in (given, made)]
        if all(len(row) > position for row in rows):
            # copies: Falcon adds to an MLP's output in place
            seen[module] = _Seen(module, *(double(row[position], device).clone() for row in rows))

    handles = [module.register_forward_hook(leave, with_kwargs=True) for module in dict.fromkeys(modules)]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _refused(run: Run, layer: int) -> BuildError:
    model = run.model
    return BuildError(
        f"unsupported model: what layer {layer} of {model.name} ({type(model.network).__name__}) adds to the residual "
        "stream is no sum of its attention’s and its MLP’s outputs, so its logits cannot be shared out among them"
    )
