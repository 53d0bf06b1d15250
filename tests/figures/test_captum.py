"""An independent implementation, Captum, and float64 give the same shares."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from networks import Load

from builder.figure import RunSpec

from . import Ask, apart
from .conftest import TEXT

EUROPE = RunSpec(model="smollm2", prompt="London is in England. Paris is in", generate=12)


def captum_rows(model: Any, spec: RunSpec, method: str, steps: int = 0) -> list[list[float]]:
    """Return values by Captum, a target at a time, from the model's own logits."""
    from captum.attr import FeatureAblation, InputXGradient, IntegratedGradients, Occlusion, Saliency

    run = model.run(spec)
    forward = lambda x: model.network(inputs_embeds=x, use_cache=False).logits[:, -1]  # noqa: E731
    mean = model.embed(torch.arange(model.vocab_size)).mean(0).detach()
    rows = []
    for position in run.targets:
        x = model.embed(run.ids[None, :position]).detach()
        token = int(run.ids[position])
        if method == "integrated_gradients":
            found = IntegratedGradients(forward).attribute(x, target=token, n_steps=steps, internal_batch_size=5)
            row = found[0].sum(-1).abs()
        elif method == "ablation":  # a position is a feature
            mask = torch.arange(position)[None, :, None].expand_as(x)
            row = FeatureAblation(forward).attribute(x, mean.expand_as(x), token, feature_mask=mask)[0, :, 0]
        elif method == "occlusion":  # a window of one position slides over the text
            row = Occlusion(forward).attribute(x, (1, x.shape[-1]), 1, mean.expand_as(x), token)[0, :, 0]
        elif method == "gradient":
            row = Saliency(forward).attribute(x, target=token, abs=False)[0].norm(dim=-1)
        else:
            row = InputXGradient(forward).attribute(x, target=token)[0].norm(dim=-1)
        rows.append(row.tolist())
    return rows


def shares(rows: list[list[float]]) -> list[list[float]]:
    """Return the size of each value as a share of its row's."""
    return [[abs(value) / sum(map(abs, row)) for value in row] for row in rows]


@pytest.mark.parametrize("method", ["gradient_x_input", "gradient", "integrated_gradients"])
@pytest.mark.parametrize("name", ["gpt2", "llama", "qwen3", "gemma3", "gpt_neox", "mixtral"])
def test_captum_agrees(name: str, method: str, tiny: Load, ask: Ask) -> None:
    """Captum knows nothing of chunks, closed forms and batched products."""
    model = tiny(name)
    ours = ask("saliency", model, method=method, steps=8).data["scores"]
    assert apart(ours, shares(captum_rows(model, TEXT, method, steps=8))) < 1e-5


@pytest.mark.weights
@pytest.mark.parametrize("method", ["gradient_x_input", "gradient", "integrated_gradients"])
def test_captum_agrees_on_smollm2(method: str, smollm2: Any, ask: Ask) -> None:
    """On the real model: largest difference of a share 1e-5."""
    spec = EUROPE if method != "integrated_gradients" else RunSpec(model="", prompt=EUROPE.prompt, output=" France.")
    answer = ask("saliency", smollm2, spec, method=method, steps=8)
    assert apart(answer.data["scores"], shares(captum_rows(smollm2, spec, method, steps=8))) < 1e-5
    assert all(check.holds for check in answer.checks.values())


@pytest.mark.weights
def test_smollm2_agrees_with_the_same_in_float64(smollm2: Any, ask: Ask) -> None:
    """Errors of float32 stay below 1e-5 of a share, also where a token is certain and 1 − p has few digits left."""
    from copy import deepcopy

    targets = ("logit", "logprob")
    run = smollm2.run(EUROPE)
    exact = deepcopy(smollm2.network).double()
    rows: dict[str, list[list[float]]] = {target: [] for target in targets}
    for position in run.targets:
        x = exact.model.embed_tokens(run.ids[None, :position]).detach().requires_grad_()
        logits = exact(inputs_embeds=x, use_cache=False).logits[0, -1]
        for target, f in zip(targets, (logits, logits.log_softmax(-1)), strict=True):
            gradient = torch.autograd.grad(f[run.ids[position]], x, retain_graph=True)[0]
            rows[target].append((gradient * x)[0].detach().norm(dim=-1).tolist())
    for target in targets:
        assert apart(ask("saliency", smollm2, EUROPE, target=target).data["scores"], shares(rows[target])) < 1e-5


@pytest.mark.parametrize("theirs", ["ablation", "occlusion"])
@pytest.mark.parametrize("name", ["gpt2", "llama", "qwen3", "gemma3", "gpt_neox", "mixtral"])
def test_captum_agrees_on_what_is_lost(name: str, theirs: str, tiny: Load, ask: Ask) -> None:
    """FeatureAblation and Occlusion of embeddings, a forward pass for each target and position: the same values."""
    model = tiny(name)
    data = ask("saliency", model, method="occlusion").data
    values = captum_rows(model, TEXT, theirs)
    largest = max(abs(value) for row in values for value in row)
    assert apart(data["values"], values) < 6e-5 * largest  # published are five digits
    assert apart(data["scores"], shares(values)) < 1e-5


@pytest.mark.weights
def test_captum_agrees_on_what_is_lost_in_smollm2(smollm2: Any, ask: Ask) -> None:
    """On the real model."""
    spec = RunSpec(model="smollm2", prompt=EUROPE.prompt, generate=6)
    data = ask("saliency", smollm2, spec, method="occlusion").data
    values = captum_rows(smollm2, spec, "ablation")
    assert apart(data["values"], values) < 6e-5 * max(abs(value) for row in values for value in row)
    assert apart(data["scores"], shares(values)) < 1e-5
