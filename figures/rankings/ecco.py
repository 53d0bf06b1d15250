"""The lens as Ecco reads it: the output matrix on each block's output, without the model's final normalisation.

transformers norms the last of its hidden states and no other, and Ecco takes them as they come; so its last layer is
right and those before it are not (on smollm2 a token that is second after layer 28 ranks 6,400).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.errors import BuildError
from builder.figure import Check

if TYPE_CHECKING:
    from torch import Tensor

    from builder.model import Run


def states(run: Run) -> Tensor:
    """Return what the output matrix reads: block outputs [n_layers, T, d], the last one normed.

    Raises `BuildError` for a model whose head reads something of another width than its blocks write.
    """
    import torch

    outputs, final = run.block_outputs, run.final.float()
    if outputs.shape[-1] != final.shape[-1]:
        raise BuildError(
            f"unsupported reproduce: ecco: the head of model {run.model.name} reads {final.shape[-1]} numbers and "
            f"its blocks write {outputs.shape[-1]}, so it cannot read them without what stands between"
        )
    return torch.cat([outputs[:-1], final[None]])


def checks(run: Run) -> dict[str, Check]:
    """Return what proves that these are the states that Ecco would read: transformers' own list of them."""
    import torch

    ours = states(run)
    with torch.no_grad():
        listed = run.model.network(input_ids=run.ids[None], use_cache=False, output_hidden_states=True).hidden_states
    theirs = torch.stack([state[0].float() for state in listed[1:]])
    eps = torch.finfo(run.model.network.dtype).eps
    bound = 1e-4 if eps < 1e-6 else eps**0.5
    error = float((ours - theirs).abs().max() / theirs.abs().max()) if ours.shape == theirs.shape else float("inf")
    return {"states against transformers' hidden states": Check(error, bound)}
