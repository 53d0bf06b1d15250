"""Integrated gradients are complete, exact for polynomials, and say so where they have not converged."""

from __future__ import annotations

import pytest
import torch
from networks import Load
from networks.tiny import CAUSAL

from builder.errors import BuildError
from builder.figure import RunSpec

from . import Ask, Part, apart
from .conftest import TEXT

ARCHITECTURES = pytest.mark.parametrize("name", CAUSAL)


def test_integrated_gradients_of_a_polynomial_are_exact(part: Part) -> None:
    """Of f = Σ_i w·x_i³ from 0, token i gives w·x_i³; two points of Gauss–Legendre integrate a square exactly."""
    module = part("saliency", "gradients")
    x = torch.randn(5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    head = torch.nn.Linear(4, 9, bias=False, dtype=torch.float64).requires_grad_(False)
    network = module.Network(lambda x: (x**3).cumsum(1), head)
    values = part("saliency", "integrated_gradients").integrated_gradients(
        network,
        part("saliency", "objective").Objective(),
        x,
        torch.zeros_like(x),
        [3, 5],
        torch.tensor([2, 6]),
        steps=2,
    )
    for row, position, token in zip(values, (3, 5), (2, 6), strict=True):
        assert torch.allclose(row[:position], (x[:position] ** 3) @ head.weight[token])
        assert (row[position:] == 0).all()


@pytest.mark.parametrize("name", sorted({*CAUSAL} - {"mixtral"}))  # whose router jumps from expert to expert
def test_integrated_gradients_are_complete_where_the_model_is_smooth(name: str, tiny: Load, part: Part) -> None:
    """The values add up to f(x) − f(x′). Not from 0, where a norm jumps, but between two inputs that mean something."""
    model = tiny(name)
    run = model.run(TEXT)
    module = part("saliency", "attribution")
    network = part("saliency", "gradients").Network(model.forward_embeddings, model.head_logits)
    x = model.embed(run.ids).detach()
    ids = run.ids[run.targets[0] :]
    objective = part("saliency", "objective").Objective()
    found = module.attribute(network, objective, x, run.targets, ids, baseline=0.7 * x + 0.3 * x.roll(1, 0), steps=50)
    for row, there, here in zip(found.values, found.f, found.f_baseline, strict=True):
        assert float(row.sum()) == pytest.approx(there - here, abs=2e-3 * max(map(abs, found.f)))


def test_integrated_gradients_report_their_gap_and_warn_of_a_wide_one(tiny: Load, ask: Ask) -> None:
    """`completeness` is the gap of what is published, and a reader is told where it is wide."""
    for steps in (1, 40):
        data = ask("saliency", tiny("gpt2"), method="integrated_gradients", steps=steps).data
        gaps = [
            abs(sum(values) - (there - here))
            for values, there, here in zip(data["values"], data["f"], data["f_baseline"], strict=True)
        ]
        assert data["completeness"] == pytest.approx(gaps, rel=0.05, abs=2e-3)
        shares = [[abs(value) / sum(map(abs, row)) for value in row] for row in data["values"]]
        assert apart(data["scores"], shares) < 1e-4
    rough = ask("saliency", tiny("gpt2"), method="integrated_gradients", steps=1).data
    assert "1 step from the zero baseline" in rough["warning"]


def test_a_baseline_token_that_the_tokenizer_lacks_is_an_error(tiny: Load, ask: Ask) -> None:
    """With a baseline that is always there."""
    spec = RunSpec(model="", prompt="A B C A", output="B")
    with pytest.raises(BuildError, match=r"^missing pad token: .*hand_written.*; try baseline mean"):
        ask("saliency", tiny("hand_written"), spec, method="integrated_gradients", baseline="pad")


@pytest.mark.parametrize("baseline", ["zero", "mean", "pad", "eos"])
def test_baselines_are_what_their_names_say(baseline: str, tiny: Load, part: Part) -> None:
    """As the embedding module gives them: Gemma 3 scales its embeddings inside it."""
    model = tiny("gemma3")
    x = model.embed(torch.tensor([3, 4, 5])).detach()
    everything = model.embed(torch.arange(model.vocab_size))
    wanted = {"zero": 0 * x[0], "mean": everything.mean(0), "pad": everything[0], "eos": everything[0]}[baseline]
    assert torch.allclose(part("saliency", "baseline").baseline(model, baseline, x), wanted.expand_as(x), atol=1e-6)
