"""`Model` and `Run`: whatever the architecture, what is read from a network is what the network computes."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from networks import Copy, Load
from networks import tiny as tiny_models
from networks.runs import load, spec

from builder.errors import BuildError
from builder.model import Model, Run
from builder.model.structure import find_structure
from builder.model.tail import own_head, own_tail
from builder.site import ModelSource

ARCHITECTURES = pytest.mark.parametrize("name", tiny_models.CAUSAL)


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


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
# that of a BERT goes through a layer of its own before it meets the vocabulary, in the format of its weights
@pytest.mark.parametrize("name", sorted({*tiny_models.CAUSAL} - {"bert_decoder"}))
def test_logits_have_the_digits_of_float32_whatever_the_weights_have(copy: Copy, name: str, dtype: torch.dtype) -> None:
    """Where a soft cap or a scale follows the head too: in 16 bits ranks tie and probabilities lose digits."""
    model = load(copy(name), dtype=str(dtype).removeprefix("torch."))
    final = model.run(spec()).final
    logits = model.head_logits(final.to(dtype))
    assert logits.dtype == torch.float32
    assert len(logits.unique()) > len(logits.to(dtype).unique())
    whole = deepcopy(model.network).float()
    exact = own_head(whole, find_structure(whole, ModelSource("whole", "")), final.to(dtype).float())
    torch.testing.assert_close(logits, exact, rtol=1e-5, atol=1e-5 * float(exact.abs().max()))


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


def test_a_model_without_attention_says_so(tiny: Load) -> None:
    """Mamba has blocks, a residual stream and logits; only what needs attention is not to be had."""
    model = tiny("mamba")
    assert not model.has_attention
    assert tiny("llama").has_attention
    run = model.run(spec())
    torch.testing.assert_close(model.unembed(run.block_outputs[-1])[[t - 1 for t in run.targets]], run.logits)


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


def test_numbers_that_are_none_are_told_before_they_are_drawn(copy: Copy) -> None:
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
