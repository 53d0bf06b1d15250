"""The output projection of an attention layer: found by what ran, whatever its name, whichever way its weight lies."""

from __future__ import annotations

import pytest
import torch
from networks import Load

from builder.errors import BuildError
from builder.figure import RunSpec
from builder.model.projection import output_projection

TEXT = RunSpec(model="", prompt="1, 1, 1", generate=0)
NAMES = {  # as the architectures' own code calls it
    "gpt2": "attn.c_proj",  # a Conv1D, [in, out]
    "llama": "self_attn.o_proj",
    "gemma2": "self_attn.o_proj",  # a norm follows
    "gpt_neox": "attention.dense",
    "opt": "self_attn.out_proj",
    "phi": "self_attn.dense",
    "bert": "attention.output.dense",  # not in the module that attends
    "distilbert": "attention.out_lin",
    "albert": "attention.dense",  # one module for all layers
}


@pytest.mark.parametrize("name", NAMES)
def test_the_heads_parts_add_up_to_what_the_projection_makes_of_them(name: str, tiny: Load) -> None:
    """Σ_h x_h W_h + b is the module's own output, in every layer; and it is the module that the model's code means."""
    run = tiny(name).run(TEXT)
    for layer in run.attention.parts["self"].layers:
        projection = output_projection(run, "self", layer)
        names = {module: own for own, module in run.model.network.named_modules()}
        assert names[projection.module].endswith(NAMES[name])
        assert projection.plain
        output = run.attention.heads("self", layer).output
        ours = torch.einsum("hqd,hdo->qo", output, projection.weight) + projection.bias
        torch.testing.assert_close(ours, projection(output), rtol=1e-4, atol=1e-4)


def test_a_square_weight_is_not_turned_round(tiny: Load) -> None:
    """[in, out] and [out, in] have one shape: what a module did with its input tells which it is."""
    run = tiny("gpt2").run(TEXT)
    projection = output_projection(run, "self", 1)
    assert projection.weight.shape == (4, 8, 32)
    assert torch.equal(projection.weight.flatten(0, 1), projection.module.weight)
    run = tiny("llama").run(TEXT)
    projection = output_projection(run, "self", 1)
    assert torch.equal(projection.weight.flatten(0, 1), projection.module.weight.mT)


def test_attention_of_its_own_has_none(tiny: Load) -> None:
    """GPT-J does not go through transformers' interface, so its heads cannot be told apart."""
    with pytest.raises(BuildError, match=r"^unsupported model: gptj .*: no projection of the heads of layer 1"):
        output_projection(tiny("gptj").run(TEXT), "self", 1)
