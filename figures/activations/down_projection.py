"""What proves that hooked numbers are a layer's neurons: times the down projection they are the MLP's output."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from builder.model import Run

__all__ = ["distance_from_outputs"]


def distance_from_outputs(run: Run, layers: Sequence[int], activations: Sequence[Tensor]) -> float:
    """Return the largest difference between activations [T, n] · W + b and what the network's own modules return.

    A share of the largest output of the layer. The outputs [T, d_model] are of a pass of their own, so layers that
    were mixed up, or a tensor that was altered after it was hooked, do not go unnoticed.
    """
    import torch
    from torch import nn

    from builder.model.placement import present

    modules = [run.model.structure.down_projections[layer] for layer in layers]
    found = [module for module in modules if module is not None]
    outputs: dict[int, Tensor] = {}
    handles = [
        # a copy: Falcon adds the attention's output to this very tensor
        module.register_forward_hook(lambda _, __, given, i=i: outputs.__setitem__(i, given.clone()))
        for i, module in enumerate(found)
    ]
    try:
        run.rerun(layers)
    finally:
        for handle in handles:
            handle.remove()
    distances = [0.0]
    for number, (module, neurons) in enumerate(zip(found, activations, strict=True)):
        with torch.no_grad(), present(module):
            weight, bias = module.get_parameter("weight").float(), getattr(module, "bias", None)
            matrix = weight.T if isinstance(module, nn.Linear) else weight  # GPT-2's Conv1D is [in, out]
            computed = neurons @ matrix + (0.0 if bias is None else bias.float())
        own = outputs[number].reshape(computed.shape).float()
        distances.append(float((computed - own).abs().max() / own.abs().max().clamp_min(1e-30)))
    return max(distances)
