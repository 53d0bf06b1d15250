"""Checkpoints are loaded as what they are, or refused with the reason; results say what was loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from networks import Copy, Load, Source, encoders
from networks import tiny as tiny_models
from networks.runs import load, spec
from transformers import ElectraConfig, ElectraForPreTraining

from builder.errors import BuildError
from builder.figure import RunSpec
from builder.model import load_model
from builder.site import ModelSource
from builder.sources import fetch


def test_half_precision_is_said(tiny_source: Source) -> None:
    """`dtype` is an option, recorded with the answer; what analyses get is float32 all the same."""
    model = load(Path(tiny_source("llama").source), dtype="bfloat16")
    assert model.provenance()["dtype"] == "bfloat16"
    assert model.run(spec()).block_outputs.dtype == torch.float32
    with pytest.raises(BuildError, match=r"unknown dtype: float31 .*\(did you mean float32\?\)"):
        load(Path(tiny_source("llama").source), dtype="float31")


@pytest.mark.parametrize(("name", "why"), [("bert", "depends on later tokens"), ("t5", "no causal language model")])
def test_what_is_no_causal_language_model_is_refused(tiny_source: Source, name: str, why: str) -> None:
    """An encoder sees what it should predict, a decoder with an encoder wants another text."""
    with pytest.raises(BuildError, match=why) as caught:
        load(Path(tiny_source(name).source))
    assert str(caught.value).startswith("unsupported model:")


def test_an_encoder_is_loaded_without_a_head_that_is_no_masked_ones(tmp_path: Path) -> None:
    """ELECTRA is trained to tell which words were replaced; its attention is as good as another's."""
    tokenizer = encoders.make_tokenizer("bert")
    sizes = {**encoders.CONFIGS["bert"], "embedding_size": 16}
    del sizes["model_type"]
    ElectraForPreTraining(ElectraConfig(**sizes, vocab_size=len(tokenizer))).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    source = ModelSource("electra", str(tmp_path))
    model = load_model(fetch(source, Path("/")))
    assert model.run(RunSpec("electra", "1, 1", generate=0)).attention.parts["self"].layers == (0, 1, 2)


def test_positions_of_padding_are_not_of_the_context(tiny: Load) -> None:
    """RoBERTa's table has 66 rows, of which the first two are no text's."""
    model = tiny("roberta")
    assert len(model.run(RunSpec("roberta", "1" * 62, generate=0)).ids) == 64
    with pytest.raises(BuildError, match="it is 65 tokens, but the context of model roberta is 64"):
        model.run(RunSpec("roberta", "1" * 63, generate=0))


def test_weights_that_are_missing_are_an_error(copy: Copy) -> None:
    """Transformers would draw them at random, with a line in the log: a wrong head is a wrong article."""
    from safetensors.torch import load_file, save_file

    folder = copy("gpt_neox")
    weights = load_file(folder / "model.safetensors")
    del weights["gpt_neox.layers.1.mlp.dense_4h_to_h.weight"], weights["gpt_neox.final_layer_norm.bias"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BuildError, match=r"missing weights: .*final_layer_norm.bias, .*dense_4h_to_h"):
        load(folder)


def test_weights_of_another_shape_are_an_error(copy: Copy) -> None:
    """A configuration of another model does not fit, and no tensor is drawn anew to make it."""
    folder = copy("llama")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "intermediate_size": 48}))
    with pytest.raises(BuildError, match=r"missing weights: .* it lacks model\.layers"):
        load(folder)


def test_weights_without_a_use_are_recorded(copy: Copy) -> None:
    """They change nothing, but a reader may want to know."""
    from safetensors.torch import load_file, save_file

    folder = copy("llama")
    weights = {**load_file(folder / "model.safetensors"), "value_head.weight": torch.zeros(2, 2)}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert load(folder).provenance()["unused_weights"] == ["value_head.weight"]


def test_a_checkpoint_without_tokenizer_is_an_error(copy: Copy) -> None:
    """A prompt is text: without a tokenizer there is nothing to run."""
    folder = copy("llama")
    for file in folder.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(BuildError, match="broken tokenizer: that of model tiny"):
        load(folder)


def test_provenance_tells_readers_nothing_of_this_machine(tiny: Load) -> None:
    """Model, revision, class, versions; of a local folder only its last name."""
    provenance = tiny("llama").provenance()
    assert provenance["model"] == "llama"
    assert provenance["class"] == "LlamaForCausalLM"
    assert provenance["revision"].startswith("sha256:")
    assert provenance["versions"]["torch"] == torch.__version__
    assert "/" not in json.dumps(provenance)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_model_that_computes_no_numbers_at_all_is_told_when_it_is_loaded(tmp_path: Path, dtype: str) -> None:
    """Weights that are none, or too large for the half precision that they are loaded in: not "no causal model"."""

    def spoil(network: torch.nn.Module) -> None:
        with torch.no_grad():
            network.model.layers[0].mlp.down_proj.weight[:] = float("nan") if dtype == "float32" else 1e5

    folder = tiny_models.save_checkpoint("llama", tmp_path, spoil)
    hint = r"\(float32\)" if dtype == "float32" else r"\(float16; does float32 help\?\)"
    with pytest.raises(BuildError, match=f"^invalid numbers: model tiny computes NaN or infinity for any text {hint}"):
        load(folder, dtype=dtype)
