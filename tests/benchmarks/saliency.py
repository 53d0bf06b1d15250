"""Gradients, integrated gradients and occlusion of every output token, against naive ways and Captum.

Run it from the root of the project: `python -m tests.benchmarks.saliency [--input 23] [--output 40] [--rounds 3]`.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from . import compare, load, part, say

if TYPE_CHECKING:
    from torch import Tensor

    from builder.model import Run

TEXT = "The countries of the European Union are:\n1. Austria\n2. Belgium\n3. Bulgaria\n4."


def main() -> None:
    """Print a table for gradient × input, one for what is lost, and two for integrated gradients of some tokens."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", type=int, default=23, help="tokens of the prompt")
    parser.add_argument("--output", type=int, default=40, help="tokens that are explained")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=50, help="of integrated gradients; 0 leaves them out")
    parser.add_argument("--threads", type=int, default=0)
    asked = parser.parse_args()

    import torch

    if asked.threads:
        torch.set_num_threads(asked.threads)
    run = make_run(asked.input, asked.output)
    say(f"gradient × input, {run.n_input} + {len(run.targets)} tokens, {torch.get_num_threads()} threads")
    ways = {
        "naive autograd, a token at a time": lambda: naive(run),
        "captum InputXGradient, a token at a time": lambda: captum(run),
        "ours, batched products": lambda: ours(run),
        "ours, log-probability": lambda: ours(run, target="logprob"),
        "the kind's analyse() with its checks": lambda: analysed(run),
    }
    compare(ways, apart, asked.rounds)
    say("\nocclusion and value zeroing: the last 5 tokens by Captum, all by us")
    compare(
        {
            "captum FeatureAblation, a token at a time": lambda: captum_ablation(run, run.targets[-5:]),
            "ours, occlusion": lambda: analysed(run, "occlusion")[-5:],
            "ours, value zeroing (another answer)": lambda: analysed(run, "value_zeroing")[-5:],
        },
        apart,
        1,
    )
    if asked.steps:
        few = run.targets[:: max(1, len(run.targets) // 3)][:3]
        say(f"\nintegrated gradients, {asked.steps} steps, targets at {few}")
        compare(
            {
                "captum, internal_batch_size=5": lambda: captum_integrated(run, few, asked.steps),
                "ours, these targets alone": lambda: ours(run, few, steps=asked.steps),
            },
            apart,
            1,
        )
        say(f"\nintegrated gradients, {asked.steps} steps, {len(run.targets[:15])} neighbouring targets")
        many = run.targets[:15]
        compare(
            {
                "captum, internal_batch_size=5": lambda: captum_integrated(run, many, asked.steps),
                "ours": lambda: ours(run, many, steps=asked.steps),
            },
            apart,
            1,
        )


def make_run(n_input: int, n_output: int) -> Run:
    """Return a run of about so many tokens: the prompt repeated or cut, and a continuation of the model's own."""
    from builder.figure import RunSpec

    model = load()
    ids = model.encode(TEXT * (1 + n_input // 20))[0][:n_input]
    return model.run(RunSpec(model="smollm2", prompt=model.tokenizer.decode(ids), generate=n_output))


def ours(run: Run, positions: list[int] | None = None, target: str = "logit", steps: int = 0) -> list[Tensor]:
    """Return shares by this project's code; with `steps`, by integrated gradients from 0."""
    import torch

    positions = positions or run.targets
    network = part("saliency", "gradients").Network(run.forward_embeddings, run.model.head_logits, run.model)
    x = run.model.embed(run.ids).detach()
    attribute = part("saliency", "attribution").attribute
    objective = part("saliency", "objective").Objective(target)
    start = torch.zeros_like(x) if steps else None
    return attribute(
        network, objective, x, positions, run.ids[torch.tensor(positions)], baseline=start, steps=steps
    ).scores


def analysed(run: Run, method: str = "gradient_x_input") -> list[Tensor]:
    """Return shares by the whole analysis."""
    import torch

    analysis: Any = part("saliency", "analysis")
    return [torch.tensor(row) for row in analysis.analyse(run, analysis.Params(method=method)).data["scores"]]


def naive(run: Run) -> list[Tensor]:
    """Return shares by a forward and a backward pass a token, weights frozen, all logits computed."""
    import torch

    rows = []
    for position in run.targets:
        x = run.model.embed(run.ids[None, :position]).detach().requires_grad_()
        logits = run.model.network(inputs_embeds=x, use_cache=False).logits[0, -1]
        (grads,) = torch.autograd.grad(logits[run.ids[position]], x)
        rows.append((grads * x)[0].detach().norm(dim=-1))
    return [row / row.sum() for row in rows]


def captum(run: Run) -> list[Tensor]:
    """Return shares by Captum's gradient × input."""
    from captum.attr import InputXGradient

    method = InputXGradient(lambda x: run.model.network(inputs_embeds=x, use_cache=False).logits[:, -1])
    rows = []
    for position in run.targets:
        x = run.model.embed(run.ids[None, :position]).detach().requires_grad_()
        rows.append(method.attribute(x, target=int(run.ids[position]))[0].detach().norm(dim=-1))
    return [row / row.sum() for row in rows]


def captum_ablation(run: Run, positions: list[int]) -> list[Tensor]:
    """Return shares by Captum's feature ablation, the mean of all embeddings in the place of each."""
    import torch
    from captum.attr import FeatureAblation

    method = FeatureAblation(lambda x: run.model.network(inputs_embeds=x, use_cache=False).logits[:, -1])
    mean = run.model.embed(torch.arange(run.model.vocab_size)).mean(0).detach()
    rows = []
    for position in positions:
        x = run.model.embed(run.ids[None, :position]).detach()
        mask = torch.arange(position)[None, :, None].expand_as(x)
        found = method.attribute(x, mean.expand_as(x), int(run.ids[position]), feature_mask=mask)
        rows.append(found[0, :, 0].abs())
    return [row / row.sum() for row in rows]


def captum_integrated(run: Run, positions: list[int], steps: int) -> list[Tensor]:
    """Return shares by Captum's integrated gradients at its best setting."""
    from captum.attr import IntegratedGradients

    method = IntegratedGradients(lambda x: run.model.network(inputs_embeds=x, use_cache=False).logits[:, -1])
    rows = []
    for position in positions:
        x = run.model.embed(run.ids[None, :position]).detach()
        found = method.attribute(x, target=int(run.ids[position]), n_steps=steps, internal_batch_size=5)
        rows.append(found[0].detach().sum(-1).abs())
    return [row / row.sum() for row in rows]


def apart(rows: list[Tensor], others: list[Tensor]) -> float:
    """Return the largest difference of a share."""
    return max(float((row - other).abs().max()) for row, other in zip(rows, others, strict=True))


if __name__ == "__main__":
    main()
