"""The checks of factors can fail: on weights that are not the best, and on numbers that are no neurons."""

from __future__ import annotations

import pytest
import torch
from networks import Load

from builder.model.nmf import Known

from . import Part
from .conftest import TEXT

MODELS = ("gpt2", "llama", "qwen3", "gemma3", "gpt_neox")


@pytest.mark.parametrize(("method", "worse"), [("nmf", 0.05), ("nmf", 0.3)])
def test_the_check_of_least_squares_can_fail(method: str, worse: float, part: Part) -> None:
    """Weights that are not the best are found out."""
    module = part("factors", "decompose")
    x = torch.rand(9, 80, generator=torch.Generator().manual_seed(0))
    found = module.decompose(Known(x), 3, method)
    bound = part("factors", "proofs").SLACK["nmf"]
    assert found.slack < bound
    assert module._slack(Known(x), found.w * (1 + worse), found.h) > bound


def test_the_check_of_the_neurons_can_fail(tiny: Load, part: Part) -> None:
    """Other numbers than those that the down projection read do not give the MLP's output; in no layer."""
    module = part("factors", "projections")
    for name in MODELS:
        model = tiny(name)
        with module.watching(model, [0, 2]) as outputs:
            right = model.run(TEXT).activations([0, 2])
        for layer, neurons, output in zip([0, 2], right, outputs, strict=True):
            assert module.distance(model, layer, neurons, output) < 1e-5
            assert module.distance(model, layer, neurons.clamp_min(0), output) > 1e-2
        assert module.distance(model, 2, right[0], outputs[1]) > 1e-2


def test_what_is_around_the_projection_is_the_mlp(tiny: Load, part: Part) -> None:
    """Found by structure: the module whose output the projection makes, not the projection itself."""
    module = part("factors", "projections")
    for name in ("gpt2", "llama", "gemma3", "gpt_neox", "bloom"):
        model = tiny(name)
        assert module._around(model, 1) is not model.structure.down_projections[1]
    for name in ("opt", "bert_decoder"):
        model = tiny(name)
        assert module._around(model, 1) is model.structure.down_projections[1]
