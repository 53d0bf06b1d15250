"""`Structure`: embedding, blocks, norm, head and down projections are found by running, with no list of models."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from networks import Load, Source
from networks import tiny as tiny_models
from torch import nn

from builder.errors import BuildError
from builder.model.network import load_network
from builder.model.structure import find_structure
from builder.model.trace import first_tensor
from builder.site import ModelSource
from builder.sources import fetch

NAMES = {
    "gpt2": ("transformer.wte", "transformer.h", "transformer.ln_f", "lm_head"),
    "llama": ("model.embed_tokens", "model.layers", "model.norm", "lm_head"),
    "qwen3": ("model.embed_tokens", "model.layers", "model.norm", "lm_head"),
    "gemma3": ("model.embed_tokens", "model.layers", "model.norm", "lm_head"),
    "gpt_neox": ("gpt_neox.embed_in", "gpt_neox.layers", "gpt_neox.final_layer_norm", "lm_head"),
    "opt": ("model.decoder.embed_tokens", "model.decoder.layers", "model.decoder.final_layer_norm", "lm_head"),
    "bloom": ("transformer.word_embeddings", "transformer.h", "transformer.ln_f", "lm_head"),
    "bert_decoder": ("bert.embeddings.word_embeddings", "bert.encoder.layer", "", "cls.predictions.decoder"),
    "mamba": ("backbone.embeddings", "backbone.layers", "backbone.norm_f", "lm_head"),
}


def source_of(tiny_source: Source, name: str, **overrides: str) -> ModelSource:
    """Return a tiny model's source with settings of its own."""
    return dataclasses.replace(tiny_source(name), **overrides)


def find(source: ModelSource):
    """Load a network and find its structure."""
    network, _ = load_network(fetch(source, Path("/")))
    return network, find_structure(network, source)


@pytest.mark.parametrize("name", NAMES)
def test_parts_are_found_where_they_are(tiny: Load, name: str) -> None:
    """Against what a reader of each architecture's code would say."""
    assert tuple(tiny(name).structure.names[role] for role in ("embedding", "blocks", "norm", "head")) == NAMES[name]


@pytest.mark.parametrize("name", [name for name in tiny_models.CAUSAL if name != "mixtral"])
def test_a_down_projection_reads_the_mlps_neurons(tiny: Load, name: str) -> None:
    """Its input is the wide hidden vector, one number a neuron, and it returns to the stream (trap 4)."""
    model = tiny(name)
    wide = {"falcon": 128, "bloom": 128, "gpt2": 128, "gptj": 128, "gpt_bigcode": 128}.get(name, 64)
    for down in model.structure.down_projections:
        assert down is not None
        seen: list[torch.Tensor] = []
        handle = down.register_forward_hook(lambda _m, given, out, seen=seen: seen.extend((given[0], out)))
        model.network(input_ids=torch.tensor([[1, 2, 3]]))
        handle.remove()
        assert seen[0].shape[-1] == wide
        assert seen[1].shape[-1] == model.d_model


def test_neurons_times_the_down_projection_are_the_mlps_output(tiny: Load) -> None:
    """For a gated MLP a neuron is act(gate) · up, for GPT-2 act(c_fc): the check of analyses.md, trap 4."""
    for name, path in (("llama", "mlp"), ("gpt2", "mlp"), ("gpt_neox", "mlp")):
        model = tiny(name)
        down, mlp = model.structure.down_projections[1], getattr(model.structure.blocks[1], path)
        seen: dict[str, torch.Tensor] = {}
        handles = [
            down.register_forward_hook(lambda _m, given, _o, seen=seen: seen.update(neurons=given[0])),
            mlp.register_forward_hook(lambda _m, _g, out, seen=seen: seen.update(output=out)),
        ]
        model.network(input_ids=torch.tensor([[1, 2, 3]]))
        for handle in handles:
            handle.remove()
        weight = down.weight.T if isinstance(down, nn.Linear) else down.weight
        bias = down.bias if down.bias is not None else 0
        torch.testing.assert_close(seen["neurons"] @ weight + bias, seen["output"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "name", [name for name in tiny_models.CAUSAL if name not in ("gemma2", "gemma3", "bert_decoder")]
)
def test_a_block_adds_its_attention_and_its_mlp_to_the_stream(tiny: Load, name: str) -> None:
    """One after the other, side by side, with experts, or each with the stream already added (Bloom)."""
    model = tiny(name)
    for layer, block in enumerate(model.structure.blocks):
        summands, ends = added(model, layer), {}
        handles = [
            block.register_forward_pre_hook(
                lambda _m, args, kwargs, ends=ends: ends.update(i=args[0] if args else kwargs["hidden_states"]),
                with_kwargs=True,
            ),
            block.register_forward_hook(lambda _m, _g, out, ends=ends: ends.update(o=first_tensor(out))),
        ]
        with torch.no_grad():
            model.network(input_ids=torch.tensor([[1, 2, 3]]), use_cache=False)
        for handle in handles:
            handle.remove()
        torch.testing.assert_close(ends["i"] + summands[0] + summands[1], ends["o"], rtol=1e-4, atol=1e-4)


def added(model: Any, layer: int) -> list[torch.Tensor]:
    """Return what the attention and the MLP of a block hand on, [1, 3, d]; copies, for Falcon adds to the latter."""
    found = [parts[layer] for parts in (model.structure.attentions, model.structure.mlps)]
    seen: list[torch.Tensor] = [torch.empty(0)] * 2
    handles = [
        module.register_forward_hook(lambda _m, _g, out, i=i: seen.__setitem__(i, first_tensor(out).clone()))
        for i, module in enumerate(found)
    ]
    with torch.no_grad():
        model.network(input_ids=torch.tensor([[1, 2, 3]]), use_cache=False)
    for handle in handles:
        handle.remove()
    return [part.reshape(1, 3, -1) for part in seen]


def test_attention_and_mlp_are_found_where_they_are(tiny: Load) -> None:
    """Where a norm or a sum follows inside of the same module, the projection before it; of Mamba neither is known."""
    wanted = {
        "gemma2": ("model.layers.0.self_attn", "model.layers.0.mlp"),
        "mixtral": ("model.layers.0.self_attn", "model.layers.0.mlp"),
        "opt": ("model.decoder.layers.0.self_attn", "model.decoder.layers.0.fc2"),
        "bloom": ("transformer.h.0.self_attention.dense", "transformer.h.0.mlp.dense_4h_to_h"),
        "bert_decoder": ("bert.encoder.layer.0.attention.output.dense", "bert.encoder.layer.0.output.dense"),
        "hand_written": ("transformer.h.0.attn", "transformer.h.0.mlp"),
    }
    for name, modules in wanted.items():
        model = tiny(name)
        names = {module: path for path, module in model.network.named_modules()}
        assert (names[model.structure.attentions[0]], names[model.structure.mlps[0]]) == modules
    assert set(tiny("mamba").structure.attentions + tiny("mamba").structure.mlps) == {None}


@pytest.mark.parametrize("name", ["llama", "gptj", "falcon"])
def test_an_attention_that_returns_no_weights_is_found(tiny_source: Source, name: str) -> None:
    """By the softmax over positions that is made in it."""
    network, _ = load_network(fetch(tiny_source(name), Path("/")))
    whole = find_structure(network, tiny_source(name)).attentions
    for attention in whole:
        own = attention.forward
        attention.forward = lambda *args, own=own, **kwargs: (own(*args, **kwargs)[0], None)
    assert find_structure(network, tiny_source(name)).attentions == whole


def test_a_mixture_of_experts_has_no_down_projection(tiny: Load) -> None:
    """The output projection of its attention is not taken for one."""
    assert tiny("mixtral").structure.down_projections == (None, None, None)


def test_an_override_wins(tiny_source: Source) -> None:
    """What an author says of a model's parts is taken, and found to lead to the logits or not."""
    _, found = find(source_of(tiny_source, "llama", norm="model.layers.2.input_layernorm"))
    assert found.names["norm"] == "model.layers.2.input_layernorm"
    _, found = find(source_of(tiny_source, "llama", blocks="model.layers"))
    assert len(found.blocks) == 3


@pytest.mark.parametrize("role", ["norm", "head", "blocks", "embedding"])
def test_an_override_that_names_nothing_is_an_error_with_the_nearest(tiny_source: Source, role: str) -> None:
    """Module names are long and easily mistyped."""
    with pytest.raises(BuildError, match=rf"unknown {role}: model llama has no module .*did you mean"):
        find(source_of(tiny_source, "llama", **{role: "model.layer"}))


def test_blocks_that_are_no_blocks_are_an_error(tiny_source: Source) -> None:
    """Naming a single module where a list of them is meant says so."""
    with pytest.raises(BuildError, match=r"invalid blocks: model\.norm"):
        find(source_of(tiny_source, "llama", blocks="model.norm"))


def test_what_cannot_be_found_names_the_setting(tiny_source: Source) -> None:
    """A network whose blocks are in no list: the error tells which setting helps, and in which table."""
    network, _ = load_network(fetch(tiny_source("gpt2"), Path("/")))

    class Bunch(nn.Module):
        """Blocks under names of their own."""

        def __init__(self, blocks: nn.ModuleList) -> None:
            super().__init__()
            for number, block in enumerate(blocks):
                setattr(self, f"block{number}", block)
            self.order = [f"block{number}" for number in range(len(blocks))]

        def __iter__(self):
            return iter(getattr(self, name) for name in self.order)

    network.transformer.h = Bunch(network.transformer.h)
    with pytest.raises(BuildError, match=r'missing blocks: .* set blocks = "dotted.module.name" in \[tool.fanlight'):
        find_structure(network, tiny_source("gpt2"))


def test_causality_is_seen_and_not_believed(tiny: Load, tiny_source: Source) -> None:
    """A BERT that is no decoder changes its mind about earlier positions; nothing in its class says so."""
    assert tiny("bert_decoder").structure.causal
    _, found = find(tiny_source("bert"))
    assert not found.causal
