"""Every head, attention and MLP taken out in turn: batches from the block that changes, against whole passes.

Run it from the root of the project: `python -m tests.benchmarks.ablation [--layers 4] [--rounds 3]`. The column `error`
is the largest difference of the answer's logit to the first way.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from . import compare, load, part, say

if TYPE_CHECKING:
    from torch import Tensor

TEXT = "When Mary and John went to the store, John gave a drink to"


def main() -> None:
    """Print one table; `--layers` are spread over the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0)
    asked = parser.parse_args()

    import torch

    from builder.figure import RunSpec
    from builder.model.answers import read_question

    if asked.threads:
        torch.set_num_threads(asked.threads)
    model = load()
    run = model.run(RunSpec(model="smollm2", prompt=TEXT, generate=0))
    text = part("ablation", "text").read_text(run, read_question(run, " Mary", " John"))
    heads = part("ablation", "heads").read_heads(run, text)
    memory = part("ablation", "edges").read_memory(run, text)
    without_parts = part("ablation", "parts").without_parts
    layers = torch.linspace(0, model.n_layers - 1, asked.layers).long().tolist()
    cells = sum(heads[layer].n + 2 for layer in layers)
    say(f"{cells} parts of {asked.layers} layers, {len(text.ids)} tokens, {torch.get_num_threads()} threads")
    compare(
        {
            "a whole pass a part": lambda: torch.cat([naive(text, heads, layer) for layer in layers]),
            "ours": lambda: torch.cat([found.values for found in without_parts(text, heads, layers, "zero")]),
        },
        lambda ours, theirs: float((ours - theirs).abs().max()),
        asked.rounds,
    )
    sources, spans = list(range(len(text.ids))), [[layer] for layer in layers]
    say(f"edges of {asked.layers} layers to {len(sources)} tokens")
    compare(
        {
            "a whole pass an edge": lambda: torch.cat([naive_edges(text, memory, layer) for layer in layers]),
            "ours": lambda: torch.cat([found.values for found in memory.without_edges(spans, sources).effects]),
        },
        lambda ours, theirs: float((ours - theirs).abs().max()),
        asked.rounds,
    )


def naive(text: Any, heads: Any, layer: int) -> Tensor:
    """Return the values without each part of a layer, by a hook and a whole pass for each."""
    import torch

    structure, own = text.model.structure, heads[layer]
    values = []

    def value() -> Tensor:
        with torch.no_grad():
            return text.effects(text.model.forward_ids(text.ids[None])).values  # type: ignore[no-any-return]

    for head in range(own.n):
        mask = own.mask([head])
        handle = own.projection.register_forward_pre_hook(lambda _, args, mask=mask: (args[0] * ~mask,))
        values.append(value())
        handle.remove()
    for module in (structure.attentions[layer], structure.mlps[layer]):
        handle = module.register_forward_hook(
            lambda _, __, out: (0 * out[0], *out[1:]) if isinstance(out, tuple) else 0 * out
        )
        values.append(value())
        handle.remove()
    return torch.cat(values)


def naive_edges(text: Any, memory: Any, layer: int) -> Tensor:
    """Return the values without each edge of the last token in a layer, by a whole pass for each."""
    import torch

    from builder.model.interface import attending

    values = []
    for source in range(len(text.ids)):

        def cut(call: Any, source: int = source) -> None:
            if call.module is memory.modules[layer]:
                call.mask = call.mask.clone()
                call.mask[..., -1, source] = torch.finfo(call.mask.dtype).min

        with torch.no_grad(), attending(text.model.network, cut):
            values.append(text.effects(text.model.forward_ids(text.ids[None])).values)
    return torch.cat(values)


if __name__ == "__main__":
    main()
