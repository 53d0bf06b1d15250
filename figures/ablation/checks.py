"""What proves an ablation: nothing taken out changes nothing, and what is taken out is, by other ways of doing it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from builder.figure import Check

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from builder.model import Run
    from builder.model.interface import AttentionCall

    from .edges import Edges, Memory
    from .heads import Heads
    from .parts import Replace
    from .text import Effects, Text


class Measured(NamedTuple):
    """What was computed."""

    run: Run
    text: Text
    heads: Mapping[int, Heads]
    replace: Replace
    layers: Sequence[Effects]
    memory: Memory | None = None
    edges: Edges | None = None
    spans: Sequence[Sequence[int]] | None = None


def checks(measured: Measured) -> dict[str, Check]:
    """Return the checks, in units of the logit."""
    import torch

    from builder.model.answers import logits_at
    from builder.model.precision import tolerance

    run, text, layers = measured.run, measured.text, measured.layers
    clean = float(text.clean.values)
    logits = logits_at(run, text.question.position)
    bound = tolerance(run.model.network.dtype) * max(float(logits.abs().max()), 1.0)
    # the head that matters most, and the layer in the middle of those that have heads
    strongest = max(measured.heads, key=lambda at: float((layers[at].values[:-2] - clean).abs().max()))
    head = int((layers[strongest].values[:-2] - clean).abs().argmax())
    middle = sorted(measured.heads)[len(measured.heads) // 2]
    found = {
        "nothing taken out against the model's own logit": abs(clean - float(text.question.value(logits))),
        "the strongest head against a plain forward pass": abs(
            float(layers[strongest].values[head]) - _plainly(measured, strongest, [head])
        ),
        "all heads of a layer against its attention, but for a bias": abs(
            _plainly(measured, middle, list(range(measured.heads[middle].n))) - _bias_alone(measured, middle)
        ),
    }
    made = {name: Check(value, bound) for name, value in found.items()}
    if measured.memory is None or measured.edges is None or measured.spans is None:
        return made
    (nothing,) = measured.memory.without_edges([[0]], [-1]).effects
    losses = torch.stack([(effects.values - clean).abs() for effects in measured.edges.effects])
    layer, source = divmod(int(losses.argmax()), losses.shape[1])
    plain = _edge_plainly(measured, measured.spans[layer], source)
    return {
        **made,
        "no edge cut, the last token alone": Check(abs(float(nothing.values) - clean), bound),
        "the strongest edge against a plain forward pass": Check(
            abs(float(measured.edges.effects[layer].values[source]) - plain), bound
        ),
        "weight left on an edge that was cut": Check(measured.edges.left, 0.0),
        "rows of weights sum to 1": Check(measured.edges.off, max(1e-5, 4 * torch.finfo(text.model.network.dtype).eps)),
    }


def _plainly(measured: Measured, layer: int, heads: Sequence[int]) -> float:
    """Return the answer's value with heads of a layer taken out of a forward pass of the whole network.

    Where attention goes through transformers' interface, what it returns is changed there; else what the projection
    reads.
    """
    import torch

    from builder.model.interface import attending

    from .parts import instead

    text, own = measured.text, measured.heads[layer]
    n = own.n
    fill = instead(own.vectors, measured.replace).reshape(n, -1)
    attends = measured.run.attention.module("self", layer)

    def silence(call: AttentionCall) -> None:
        if call.module is attends:
            call.proceed()
            call.output = call.output.clone()
            call.output[:, :, list(heads)] = fill[list(heads)].to(call.output)

    def enter(_module: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        x: Tensor = args[0].clone()
        x.view(*x.shape[:-1], n, -1)[..., list(heads), :] = fill[list(heads)].to(x)
        return (x, *args[1:])

    with contextlib.ExitStack() as stack:
        if attends is not None and _is_plain(measured, layer):
            stack.enter_context(attending(measured.run.model.network, silence))
        else:
            stack.callback(own.projection.register_forward_pre_hook(enter).remove)
        with torch.no_grad():
            return float(text.effects(text.model.forward_ids(text.ids[None])).values)


def _is_plain(measured: Measured, layer: int) -> bool:
    from builder.model.projection import output_projection

    return output_projection(measured.run, "self", layer).plain


def _bias_alone(measured: Measured, layer: int) -> float:
    """Return the answer's value where an attention hands on what its projection makes of no heads at all."""
    import torch

    from builder.model.interventions import Patch, modules_of, patching

    from .parts import instead

    text, own = measured.text, measured.heads[layer]
    module = modules_of(text.model.structure, "attention")[layer]
    assert module is not None
    positions = torch.arange(len(text.ids), device=text.ids.device)
    with torch.no_grad():
        made = own.projection(instead(own.vectors, measured.replace)[None, None])[0]
        patch = Patch(module, torch.zeros_like(positions), positions, made.expand(len(positions), -1))
        with patching([patch], len(positions)):
            return float(text.effects(text.model.forward_ids(text.ids[None])).values)


def _edge_plainly(measured: Measured, layers: Sequence[int], source: int) -> float:
    """Return the answer's value with an edge cut in a forward pass of the whole text."""
    import torch

    from builder.model.interface import attending

    text = measured.text
    modules = [measured.run.attention.module("self", layer) for layer in layers if layer in measured.heads]

    def cut(call: AttentionCall) -> None:
        if call.module in modules:
            shape = (1, 1, call.query.shape[2], call.key.shape[2])
            lowest = torch.finfo(call.query.dtype).min
            mask = call.query.new_full(shape, lowest).triu(1) if call.mask is None else call.mask.clone()
            mask[..., -1, source] = lowest
            call.mask = mask

    with attending(measured.run.model.network, cut), torch.no_grad():
        return float(text.effects(text.model.forward_ids(text.ids[None])).values)
