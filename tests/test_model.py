"""`Model` and `Run`: whatever the architecture, what is read from a network is what the network computes."""

from __future__ import annotations

import dataclasses
import gc
import json
import shutil
from pathlib import Path

import pytest
import torch
from models import Load, Source
from models import tiny as tiny_models

from builder.errors import BuildError
from builder.figure import RunSpec
from builder.model import Model, Run
from builder.model.tail import own_head, own_tail
from builder.site import ModelSource
from builder.sources import fetch

PROMPT = "1, 1, <html>"
ARCHITECTURES = pytest.mark.parametrize("name", tiny_models.CAUSAL)


def spec(prompt: str = PROMPT, **options: object) -> RunSpec:
    """Return a question about a text; five tokens are generated unless said."""
    return RunSpec(**{"model": "any", "prompt": prompt, "generate": 5, **options})


def load(folder: Path, **options: str) -> Model:
    """Load the checkpoint in a folder."""
    return Model.load(fetch(ModelSource("tiny", str(folder), **options), Path("/")))


@pytest.fixture
def copy(tiny_source: Source, tmp_path: Path):
    """`copy("llama")`: a tiny checkpoint to break."""

    def make(name: str) -> Path:
        return Path(shutil.copytree(tiny_source(name).source, tmp_path / name))

    return make


@ARCHITECTURES
def test_the_lens_of_the_last_block_is_the_models_own_output(tiny: Load, name: str) -> None:
    """Norms, soft caps, scales, projections and biases are the model's own: analyses.md, trap 1."""
    model = tiny(name)
    run = model.run(spec(generate=3))
    with torch.no_grad():
        logits = model.network(input_ids=run.ids[None], use_cache=False).logits[0]
        lens = model.unembed(run.block_outputs)
    assert lens.shape == (model.n_layers, len(run.ids), logits.shape[-1])
    torch.testing.assert_close(lens[-1], logits, rtol=1e-5, atol=1e-5)
    assert not torch.allclose(lens[0], logits, atol=0.1)
    torch.testing.assert_close(run.logits, logits[[t - 1 for t in run.targets]], rtol=1e-5, atol=1e-5)


@ARCHITECTURES
def test_the_general_way_to_the_logits_equals_the_short_cut(tiny: Load, name: str) -> None:
    """Short cuts (the norm and head by themselves) are taken only where they give the network's numbers."""
    model = tiny(name)
    hidden = torch.randn(2, 3, model.d_model, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(
            model.unembed(hidden), own_tail(model.network, model.structure, hidden), rtol=1e-5, atol=1e-5
        )
        final = model.run(spec()).final
        torch.testing.assert_close(
            model.head_logits(final), own_head(model.network, model.structure, final), rtol=1e-5, atol=1e-5
        )


@ARCHITECTURES
def test_the_lens_has_a_gradient(tiny: Load, name: str) -> None:
    """`unembed` and `forward_embeddings` are differentiable, though no weight asks for a gradient."""
    model = tiny(name)
    assert not any(weight.requires_grad for weight in model.network.parameters())
    hidden = torch.randn(3, model.d_model, generator=torch.Generator().manual_seed(1), requires_grad=True)
    (gradient,) = torch.autograd.grad(model.unembed(hidden)[:, 7].sum(), hidden)
    assert gradient.abs().min() >= 0
    assert gradient.abs().sum() > 0
    embeddings = model.embed(model.run(spec()).ids[None]).requires_grad_()
    # one number and not their sum, which a norm without weights makes 0 whatever it is given
    (gradient,) = torch.autograd.grad(model.forward_embeddings(embeddings)[0, 2, 0], embeddings)
    assert gradient[0, :3].abs().sum() > 0
    assert gradient[0, 3:].abs().sum() == 0


@ARCHITECTURES
def test_running_from_embeddings_equals_running_from_tokens(tiny: Load, name: str) -> None:
    """What the embedding module returns is what the blocks take: Gemma 3 scales inside it (trap 10)."""
    model = tiny(name)
    run = model.run(spec())
    with torch.no_grad():
        final = run.forward_embeddings(model.embed(run.ids[None]))[0]
    torch.testing.assert_close(final, run.final, rtol=1e-4, atol=1e-4)
    with torch.no_grad():
        torch.testing.assert_close(model.head_logits(final)[run.targets[0] - 1], run.logits[0], rtol=1e-4, atol=1e-4)


@ARCHITECTURES
def test_block_outputs_are_the_residual_stream_before_the_norm(tiny: Load, name: str) -> None:
    """They equal transformers' hidden states but for the last, which is normed there and not here."""
    model = tiny(name)
    run = model.run(spec())
    with torch.no_grad():
        hidden = model.network(input_ids=run.ids[None], output_hidden_states=True, use_cache=False).hidden_states
    torch.testing.assert_close(run.embeddings, hidden[0][0])
    for layer in range(model.n_layers - 1):
        torch.testing.assert_close(run.block_outputs[layer], hidden[layer + 1][0])


def test_greedy_decoding_follows_the_logits(tiny: Load) -> None:
    """Every generated token is the most probable one after what stands before it."""
    run = tiny("llama").run(spec(generate=12))
    assert run.logits.argmax(-1).tolist() == run.ids[run.targets].tolist()
    assert len(run.targets) <= 12


def test_sampling_is_the_same_for_the_same_seed(tiny: Load) -> None:
    """The seed alone decides, whatever was drawn before, and nothing is drawn from the process's own generator."""
    model = tiny("gpt2")
    options = {"do_sample": True, "temperature": 3.0, "top_k": 0, "generate": 12}
    before = torch.random.get_rng_state()
    first = model.run(spec(seed=1, **options)).ids.tolist()
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.rand(7)
    gc.collect()
    assert model.run(spec(seed=1, **options)).ids.tolist() == first
    assert model.run(spec(seed=2, **options)).ids.tolist() != first


def test_temperature_and_top_k_mean_what_they_mean_in_transformers(tiny: Load) -> None:
    """With the one best token to draw from, sampling is greedy."""
    model = tiny("gpt2")
    greedy = model.run(spec(generate=8)).ids.tolist()
    assert model.run(spec(generate=8, do_sample=True, top_k=1, temperature=5.0)).ids.tolist() == greedy


def test_the_checkpoints_own_decoding_settings_are_left_out(copy, tiny: Load) -> None:
    """A repetition penalty that somebody saved with the weights would change the text, and nobody would know."""
    folder = copy("llama")
    settings = {
        "do_sample": True,
        "temperature": 2.0,
        "repetition_penalty": 5.0,
        "suppress_tokens": list(range(1, 200)),
    }
    path = folder / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))
    assert load(folder).run(spec(generate=8)).ids.tolist() == tiny("llama").run(spec(generate=8)).ids.tolist()


def test_decoding_stops_where_the_text_ends(copy, tiny: Load) -> None:
    """The end token closes the text and is kept; nothing follows it."""
    usual = tiny("llama").run(spec(generate=8))
    stop = int(usual.ids[usual.n_input + 2])
    folder = copy("llama")
    path = folder / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "eos_token_id": [stop, 0]}))
    run = load(folder).run(spec(generate=8))
    first = usual.ids[usual.n_input :].tolist().index(stop)
    assert run.ids.tolist() == usual.ids[: usual.n_input + first + 1].tolist()


def test_an_output_by_hand_keeps_the_prompts_tokens(tiny: Load) -> None:
    """Tokens of the prompt stay as they are, also where the tokenizer would join across the border."""
    model = tiny("llama")
    whole, split = model.run(spec("1, 1, 1,", generate=0)), model.run(spec("1, 1", output=", 1,"))
    assert "".join(token["text"] for token in split.tokens) == "1, 1, 1,"
    assert split.ids[: split.n_input].tolist() == model.run(spec("1, 1", generate=0)).ids.tolist()
    assert split.targets == list(range(split.n_input, len(split.ids)))
    assert whole.targets == list(range(1, len(whole.ids)))
    joined = model.run(spec("<ht", output="ml>"))
    assert [token["type"] for token in joined.tokens].count("output") >= 1
    assert "".join(token["text"] for token in joined.tokens) == "<html>"


def test_a_prompt_alone_is_analysed_as_given(tiny: Load) -> None:
    """`generate: 0` without an output explains every token but the first."""
    run = tiny("gpt2").run(spec("The countries", generate=0))
    assert run.n_input == len(run.ids)
    assert run.targets == list(range(1, len(run.ids)))
    assert run.logits.shape[0] == len(run.targets)
    assert {token["type"] for token in run.tokens} == {"input"}


def test_a_prompt_of_one_token_and_no_output_has_no_targets(tiny: Load) -> None:
    """There is nothing before it that could explain it."""
    run = tiny("gpt2").run(spec("1", generate=0))
    assert run.targets == []
    assert run.logits.shape == (0, tiny("gpt2").vocab_size)


@pytest.mark.parametrize("prompt", ["</script>", "東京 \U0001f642", "$x$ * @a \\n", "a\n\n\tb", "\u202e<b>"])
def test_prompts_are_taken_raw(tiny: Load, prompt: str) -> None:
    """Nothing in a prompt is markup, and no sign is lost on its way through the tokens."""
    run = tiny("llama").run(spec(prompt, generate=0))
    assert "".join(token["text"] for token in run.tokens) == prompt


def test_an_empty_prompt_is_an_error(tiny: Load) -> None:
    """There is no first token to predict the next one from, a BOS notwithstanding."""
    for name in ("llama", "hand_written"):
        with pytest.raises(BuildError, match="missing prompt"):
            tiny(name).run(spec(""))


def test_a_text_longer_than_the_context_is_an_error_with_the_numbers(tiny: Load) -> None:
    """Positions that the model never learned give an answer that means nothing."""
    model = tiny("gpt2")
    assert len(model.run(spec("a", generate=63)).ids) <= 64
    with pytest.raises(
        BuildError, match=r"invalid generate: 1 token and .* 64 are 65 tokens, but the context .* is 64"
    ):
        model.run(spec("a", generate=64))
    with pytest.raises(BuildError, match="invalid prompt: 101 tokens"):
        model.run(spec("a" + "\x00" * 100, generate=0))
    with pytest.raises(BuildError, match="invalid output: 1 token and an output of 100 are"):
        model.run(spec("a", output="\x00" * 100))


def test_a_bos_is_added_once(tiny: Load) -> None:
    """What the tokenizer puts before a text is part of the input, marked, recorded, and never doubled."""
    model = tiny("hand_written")
    run = model.run(spec("A B", generate=0))
    assert [token["text"] for token in run.tokens] == ["<bos>", "A", "B"]
    assert run.tokens[0]["special"] is True
    assert run.n_input == 3
    assert model.run(spec("<bos> A B", generate=0)).ids.tolist() == run.ids.tolist()
    assert model.run(spec("A", output="B")).ids.tolist() == run.ids.tolist()
    assert model.provenance()["added_tokens"] == ["<bos>"]
    assert tiny("llama").provenance()["added_tokens"] == []


def test_a_run_is_shared_while_somebody_uses_it(tiny: Load) -> None:
    """Figures that ask about the same text share its generation and forward pass; then its tensors are let go."""
    model = tiny("llama")
    first = model.run(spec())
    assert model.run(dataclasses.replace(spec(), model="another name")) is first
    assert model.run(spec(generate=6)) is not first
    key = id(first)
    del first
    gc.collect()
    assert not any(id(run) == key for run in model._runs.values())


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


def test_a_model_without_attention_says_so(tiny: Load) -> None:
    """Mamba has blocks, a residual stream and logits; only what needs attention is not to be had."""
    model = tiny("mamba")
    assert not model.has_attention
    assert tiny("llama").has_attention
    run = model.run(spec())
    torch.testing.assert_close(model.unembed(run.block_outputs[-1])[[t - 1 for t in run.targets]], run.logits)


def test_weights_that_are_missing_are_an_error(copy) -> None:
    """Transformers would draw them at random, with a line in the log: a wrong head is a wrong article."""
    from safetensors.torch import load_file, save_file

    folder = copy("gpt_neox")
    weights = load_file(folder / "model.safetensors")
    del weights["gpt_neox.layers.1.mlp.dense_4h_to_h.weight"], weights["gpt_neox.final_layer_norm.bias"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BuildError, match=r"missing weights: .*final_layer_norm.bias, .*dense_4h_to_h"):
        load(folder)


def test_weights_of_another_shape_are_an_error(copy) -> None:
    """A configuration of another model does not fit, and no tensor is drawn anew to make it."""
    folder = copy("llama")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "intermediate_size": 48}))
    with pytest.raises(BuildError, match=r"missing weights: .* it lacks model\.layers"):
        load(folder)


def test_weights_without_a_use_are_recorded(copy) -> None:
    """They change nothing, but a reader may want to know."""
    from safetensors.torch import load_file, save_file

    folder = copy("llama")
    weights = {**load_file(folder / "model.safetensors"), "value_head.weight": torch.zeros(2, 2)}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert load(folder).provenance()["unused_weights"] == ["value_head.weight"]


def test_a_checkpoint_without_tokenizer_is_an_error(copy) -> None:
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


def test_an_induction_head_written_by_hand_is_seen_to_work(tiny: Load) -> None:
    """`A B C A` → `B`: the one model whose every weight is known; attention is 1.0 where it must be."""
    model = tiny("hand_written")
    run = model.run(spec("A B C A", generate=2))
    assert [token["text"] for token in run.tokens[run.n_input :]] == ["B", "C"]
    with torch.no_grad():
        attentions = model.network(input_ids=run.ids[None], output_attentions=True).attentions
    for position in range(1, len(run.ids)):  # <bos> A B C A B C
        assert attentions[0][0, 0, position, position - 1] == 1.0
    assert [attentions[1][0, 0, 4, 2].item(), attentions[1][0, 0, 5, 3].item()] == [1.0, 1.0]
    assert attentions[1][0, 0, 3, 0] == 1.0  # C is new: it looks at <bos>


def test_the_lens_sees_where_the_answer_is_made(tiny: Load) -> None:
    """After block 0 the stream still says what stands there; block 1, the induction head, makes it what follows."""
    model = tiny("hand_written")
    run = model.run(spec("A B C A", output="B"))
    answers = model.unembed(run.block_outputs[:, run.targets[0] - 1]).argmax(-1)
    assert [model.token_text(token) for token in answers.tolist()] == ["A", "B"]


@pytest.fixture(scope="module")
def eu(smollm2: Model) -> Run:
    """The list of countries of the first article, continued by thirty tokens."""
    prompt = "The countries of the European Union are:\n1. Austria\n2. Belgium\n3. Bulgaria\n4."
    return smollm2.run(spec(prompt, generate=30))


@pytest.mark.weights
class TestSmolLM2:
    """The real thing."""

    def test_it_continues_the_list_of_countries(self, eu: Run) -> None:
        """The same thirty tokens everywhere, each the most probable; what it says of the EU is its own."""
        text = "".join(token["text"] for token in eu.tokens[eu.n_input :])
        assert text.startswith(" Croatia\n5. Czech Republic\n6. Hungary\n7. Italy\n8. Poland\n")
        assert eu.logits.argmax(-1).tolist() == eu.ids[eu.targets].tolist()

    def test_its_lens_ends_in_its_logits(self, smollm2: Model, eu: Run) -> None:
        """To the last bit: norm and head are applied as the network does."""
        with torch.no_grad():
            logits = smollm2.network(input_ids=eu.ids[None], use_cache=False).logits[0]
            assert torch.equal(smollm2.unembed(eu.block_outputs[-1]), logits)

    def test_it_is_what_its_structure_says(self, smollm2: Model) -> None:
        """30 layers of width 576, 49152 tokens, tied, with a down projection each (models.md)."""
        assert (smollm2.n_layers, smollm2.d_model, smollm2.vocab_size) == (30, 576, 49152)
        assert smollm2.context == 8192
        assert smollm2.structure.head.weight is smollm2.structure.embedding.weight
        assert {down.weight.shape for down in smollm2.structure.down_projections} == {(576, 1536)}
        assert smollm2.provenance()["license"] == "Apache-2.0"

    def test_characters_that_are_split_come_back_whole(self, smollm2: Model) -> None:
        """` 東京` is five tokens, none of which is text by itself."""
        run = smollm2.run(spec("In 東京", generate=0))
        assert "".join(token["text"] for token in run.tokens) == "In 東京"
        assert any(token.get("span", 0) > 1 for token in run.tokens)


def test_a_chat_prompt_is_put_into_the_tokenizers_template(copy) -> None:
    """What a user says, as the model was taught to read it; without a template the author is told."""
    folder = copy("llama")
    with pytest.raises(BuildError, match="unsupported chat: the tokenizer of model tiny has no chat template"):
        load(folder).run(spec(chat=True))
    (folder / "chat_template.jinja").write_text("{{ messages[0].role }}: {{ messages[0].content }}\n1.")
    run = load(folder).run(spec(prompt="1, 1", chat=True, generate=2))
    assert "".join(token["text"] for token in run.tokens[: run.n_input]) == "user: 1, 1\n1."


def test_numbers_that_are_none_are_told_before_they_are_drawn(copy) -> None:
    """A model that computes NaN is an error with the first position, not a figure full of holes."""
    model = load(copy("llama"))
    with torch.no_grad():
        model.structure.blocks[1].mlp.down_proj.weight[:] = float("nan")
    run = model.run(spec(generate=0))
    for ask in (lambda: run.logits, lambda: run.block_outputs, lambda: run.activations([0])):
        with pytest.raises(
            BuildError, match=r"^invalid numbers: model tiny computes NaN or infinity from position 0 on"
        ):
            ask()
    with pytest.raises(BuildError, match="invalid numbers"):
        model.run(spec(do_sample=True))


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


@ARCHITECTURES
def test_neurons_are_what_the_down_projection_reads(tiny: Load, name: str) -> None:
    """Each layer's neurons times the projection's weight are the MLP's output; of experts there is a clear error."""
    run = tiny(name).run(spec(generate=0))
    layers = list(range(run.model.n_layers))
    modules = run.model.structure.down_projections
    if None in modules:
        with pytest.raises(BuildError, match="neurons that can be read in layer"):
            run.activations(layers)
        return
    seen: list[torch.Tensor] = []
    neurons = run.activations(layers)
    handles = [module.register_forward_hook(lambda m, a, out: seen.append(out.float().clone())) for module in modules]
    run.rerun(layers)
    for handle in handles:
        handle.remove()
    for layer, (module, output) in enumerate(zip(modules, seen, strict=True)):
        assert neurons[layer].shape[0] == len(run.ids)
        weight = module.weight.float()
        weight = weight if weight.shape[1] == neurons[layer].shape[1] else weight.T
        bias = 0 if getattr(module, "bias", None) is None else module.bias.float()
        torch.testing.assert_close(
            neurons[layer] @ weight.T + bias, output.reshape(len(run.ids), -1), rtol=1e-4, atol=1e-4
        )


def test_a_text_that_ends_at_once_is_known(tiny: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where something was to be generated, and the first choice was an end token."""
    model = tiny("llama")
    run = model.run(spec(generate=3))
    assert not run.ended_at_once
    monkeypatch.setattr(model, "end_tokens", (int(run.ids[run.n_input]),))
    ended = Run(model, run.spec, run.ids[: run.n_input + 1], n_input=run.n_input)
    assert ended.ended_at_once
    assert ended.output_text == ""
    assert not Run(model, spec(generate=0), run.ids[: run.n_input], n_input=run.n_input).ended_at_once
