"""A causal trace, three kinds of state by all layers and tokens, against a whole forward pass for every cell.

Run it from the root of the project: `python -m tests.benchmarks.causal_trace [--tokens 15] [--rounds 1] [--threads 2]`.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from . import compare, load, part, say

if TYPE_CHECKING:
    from torch import Tensor

    from builder.model import Run

CLEAN = "I have often been told that the famous Eiffel Tower is in the city of"
BROKEN = "I have often been told that the famous Colosseum is in the city of"
STATES: tuple[Any, ...] = ("residual", "attention", "mlp")


def main() -> None:
    """Print a table for a text of so many tokens; the first corrupted one is at its middle, or near its start."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=15)
    parser.add_argument("--first", type=int, default=0, help="the first token that is traced")
    parser.add_argument("--every", type=int, default=10, help="of how many cells the naive way does one")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    asked = parser.parse_args()

    import torch

    if asked.threads:
        torch.set_num_threads(asked.threads)
    clean, broken = make_runs(asked.tokens)
    length = len(clean.ids)
    cells = 3 * clean.model.n_layers * (length - asked.first)
    say(
        f"{length} tokens, {cells} cells, {torch.get_num_threads()} threads; of the naive way one cell in {asked.every}"
    )
    compare(
        {
            "naive, a whole pass a cell (a part of them)": lambda: naive(clean, broken, asked.first, asked.every),
            "ours, from the block and place that change": lambda: ours(clean, broken, asked.first),
        },
        lambda found, first: apart(found, first, asked.every),
        asked.rounds,
    )


def make_runs(n: int) -> tuple[Run, Run]:
    """Return runs on two texts of `n` tokens, 15 at most, that end alike."""
    from builder.figure import RunSpec

    model = load()
    runs = []
    for text in (CLEAN, BROKEN):
        ids = model.encode(text)[0][-n:]
        runs.append(model.run(RunSpec(model="smollm2", prompt=model.tokenizer.decode(ids), generate=0)))
    return runs[0], runs[1]


def ours(clean: Run, broken: Run, first: int) -> Tensor:
    """Return what is measured in every cell, [cells]."""
    from builder.model.interventions import record_states

    model = clean.model
    here, there = (
        record_states(model.structure, lambda ids=run.ids: model.forward_ids(ids[None])) for run in (broken, clean)
    )
    positions = list(range(first, len(clean.ids)))
    trace = part("causal_trace", "trace").trace
    found: Tensor = trace(model, broken.ids, [(here, there)], measure, states=STATES, positions=positions)
    return found.flatten()


def naive(clean: Run, broken: Run, first: int, every: int) -> Tensor:
    """Return the same of some cells, by plain hooks on the network's own forward."""
    import torch

    from builder.model.trace import first_tensor

    model, structure = clean.model, clean.model.structure
    modules: dict[str, Any] = {"residual": structure.blocks, "attention": structure.attentions, "mlp": structure.mlps}
    kept: dict[tuple[str, int], Tensor] = {}
    handles = [
        module.register_forward_hook(lambda _m, _a, out, k=(s, i): kept.__setitem__(k, first_tensor(out).clone()))
        for s in STATES
        for i, module in enumerate(modules[s])
    ]
    with torch.no_grad():
        model.network(input_ids=clean.ids[None], use_cache=False)
    for handle in handles:
        handle.remove()
    places = [(s, i, p) for s in STATES for i in range(model.n_layers) for p in range(first, len(clean.ids))]
    found = []
    for state, layer, position in places[::every]:

        def put(_m: Any, _a: Any, out: Any, k: tuple[str, int] = (state, layer), p: int = position) -> None:
            first_tensor(out)[0, p] = kept[k][0, p]  # type: ignore[index]

        handle = modules[state][layer].register_forward_hook(put)
        with torch.no_grad():
            found.append(measure(model.network(input_ids=broken.ids[None], use_cache=False).logits[:, -1])[0])
        handle.remove()
    return torch.stack(found)


def measure(logits: Tensor) -> Tensor:
    """Return the logit of Paris less that of Rome."""
    return logits[:, 7042] - logits[:, 7268]


def apart(found: Tensor, first: Tensor, every: int) -> float:
    """Return the largest difference of a number."""
    return float((found.float() if len(found) == len(first) else found[::every].float()).sub(first).abs().max())


if __name__ == "__main__":
    main()
