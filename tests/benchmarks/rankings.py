"""Ranks, probabilities, top tokens, entropy and KL of every output token after every layer, against a sort a layer.

Run it from the root of the project: `python -m tests.benchmarks.rankings [--output 40] [--rounds 3]`.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from . import compare, load, say
from .saliency import TEXT

if TYPE_CHECKING:
    from torch import Tensor

    from builder.model import Run


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=int, default=40, help="tokens that are ranked")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0)
    asked = parser.parse_args()

    import torch

    from builder.figure import RunSpec

    if asked.threads:
        torch.set_num_threads(asked.threads)
    run = load().run(RunSpec(model="smollm2", prompt=TEXT, generate=asked.output))
    say(f"{run.model.n_layers} layers × {len(run.targets)} tokens, {torch.get_num_threads()} threads")
    ways = {
        "a token and a layer at a time, argsort": lambda: one_by_one(run),
        "a product a layer, argsort, softmaxes, topk": lambda: by_sorting(run),
        "ours, counting, in one pass": lambda: ours(run),
        "its products alone": lambda: products(run),
    }
    compare(ways, lambda a, b: float((a - b).abs().max()) if len(a) else float("nan"), asked.rounds)


def ours(run: Run) -> Tensor:
    """Return ranks [n_layers, N]; probabilities, ten top tokens, entropy and KL are computed too."""
    import torch

    from builder.model import lens

    targets = torch.tensor(run.targets)
    states, ids, final = run.block_outputs[:, targets - 1], run.ids[targets], run.final[targets - 1]
    size = run.model.logits_size
    return lens.read_layers(lens.find_lens(run.model), states, final, ids, vocab_size=size, top=10).ranks


def by_sorting(run: Run) -> Tensor:
    """Return ranks by a sort of each layer's block of logits, with softmax, the ten top tokens, entropy and KL."""
    import torch

    targets = torch.tensor(run.targets)
    rows = []
    with torch.no_grad():
        last = run.logits.log_softmax(-1)
        for states in run.block_outputs[:, targets - 1]:
            logits = run.model.unembed(states)
            logs = logits.log_softmax(-1)
            (logs.exp() * logs).sum(-1)
            (last.exp() * (last - logs)).sum(-1)
            order = logits.argsort(-1, descending=True)
            rows.append(1 + (order == run.ids[targets, None]).int().argmax(-1))
            logits.softmax(-1).topk(10)
    return torch.stack(rows)


def one_by_one(run: Run) -> Tensor:
    """Return ranks as Ecco computes them: the head of one state, a softmax and a sort, again and again."""
    import torch

    rows = []
    with torch.no_grad():
        for states in run.block_outputs:
            row = []
            for position in run.targets:
                probabilities = run.model.unembed(states[position - 1]).softmax(-1)
                order = probabilities.argsort(descending=True)
                row.append(1 + int((order == run.ids[position]).nonzero()))
            rows.append(row)
    return torch.tensor(rows)


def products(run: Run) -> Tensor:
    """Do the matrix products and nothing else, all states and a piece of the vocabulary at a time: the floor."""
    import torch

    from builder.model.lens import PIECE

    targets = torch.tensor(run.targets)
    weight = run.model.structure.head.weight
    with torch.no_grad():
        states = run.block_outputs[:, targets - 1].flatten(0, 1)
        out = torch.empty(len(states), PIECE)
        for start in range(0, len(weight), PIECE):  # type: ignore[arg-type]
            torch.mm(states, weight[start : start + PIECE].T, out=out)  # type: ignore[index]
    return torch.empty(0)


if __name__ == "__main__":
    main()
