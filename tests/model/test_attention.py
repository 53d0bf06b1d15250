"""`run.attention`: what is captured is what each model attends to, and it comes from the vectors that are captured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from networks import Load, Source
from networks import tiny as tiny_models
from networks.encoders import ENCODER_DECODERS, ENCODERS
from networks.runs import load
from networks.tiny import CAUSAL

from builder.errors import BuildError
from builder.figure import RunSpec
from builder.model.interface import attending

if TYPE_CHECKING:
    from builder.model import Encoder, Model
    from builder.model.attention import Attention

TEXT = "1. Austria\n2. Belgium\n3. 東京 <b>"
PAIR = ("1. Austria & the Union", "naïve “quotes”")
OWN_WAY = ("gptj", "bloom", "falcon")
"""Those whose attention does not go through transformers' interface."""
ALL = (*CAUSAL, "lfm2", "gpt_oss", *ENCODERS, *ENCODER_DECODERS)
THROUGH = tuple(name for name in ALL if name not in OWN_WAY)
WINDOWED = {"gemma3": 4, "gemma2": 4, "mistral": 4, "gpt_oss": 4}

LISTS = {"self": "attentions", "encoder": "encoder_attentions"}
LISTS |= {"decoder": "decoder_attentions", "cross": "cross_attentions"}


def run(model: Any, **options: Any) -> Any:
    """Read a text, continued by four tokens where the model writes."""
    return model.run(RunSpec(**{"model": model.name, "prompt": TEXT, "generate": 4, **options}))


def layers(attention: Attention) -> list[tuple[str, int]]:
    """Return all parts and layers."""
    return [(name, layer) for name, part in attention.parts.items() for layer in part.layers]


def plain(folder: Path, done: Any) -> dict[str, list[torch.Tensor]]:
    """Return what transformers hands out for a run's tokens, by part: from a network loaded for this, plain eager."""
    import transformers

    told = transformers.AutoConfig.from_pretrained(folder)
    kind = getattr(transformers, told.architectures[0])
    network = kind.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    with torch.no_grad():
        if done.model.family == "encoder-decoder":
            given = {"input_ids": done.source[None], "decoder_input_ids": done.ids[None]}
        elif done.model.family == "encoder":
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
            texts = [text for text in (done.spec.prompt, done.spec.pair) if text is not None]
            given = dict(tokenizer(*texts, return_tensors="pt"))
            assert torch.equal(given["input_ids"][0], done.ids)
        else:
            given = {"input_ids": done.ids[None], "use_cache": False}
        output = network(**given, output_attentions=True)
    listed = {part: getattr(output, name, None) for part, name in LISTS.items()}
    return {part: [w[0] for w in found if w is not None] for part, found in listed.items() if found}


def distance(done: Any, folder: Path) -> float:
    """Return the largest difference between captured weights and plain ones, of all parts and layers."""
    expected = plain(folder, done)
    assert set(expected) == set(done.attention.parts)
    apart = 0.0
    for name, part in done.attention.parts.items():
        assert len(part.layers) == len(expected[name])
        for layer, weights in zip(part.layers, expected[name], strict=True):
            found = done.attention.weights(name, layer)
            assert found.shape == weights.shape == (part.n_heads, *map(width, (part.queries, part.keys)))
            apart = max(apart, float((found - weights).abs().max()))
    return apart


def width(span: tuple[int, int]) -> int:
    """Return how many tokens a range holds."""
    return span[1] - span[0]


def unexplained(attention: Attention) -> float:
    """Return the largest difference between weights and softmax(scale · q·kᵀ + bias), and of outputs to weights · v."""
    apart = 0.0
    for name, layer in layers(attention):
        heads, weights = attention.heads(name, layer), attention.weights(name, layer)
        apart = max(apart, float((heads.weights - weights).abs().max()))
        apart = max(apart, float((weights @ heads.value - heads.output).abs().max()))
    return apart


@pytest.mark.parametrize("name", ALL)
def test_weights_are_those_of_plain_eager_attention(tiny: Load, tiny_source: Source, name: str) -> None:
    """To the last bit: capturing changes nothing, and no layer or part stands in another's place."""
    assert distance(run(tiny(name)), Path(tiny_source(name).source)) == 0.0


@pytest.mark.parametrize("name", ENCODERS)
def test_a_pairs_weights_are_those_of_plain_eager_attention(tiny: Load, tiny_source: Source, name: str) -> None:
    """The second text is read as the tokenizer says: in a segment of its own where the model knows segments."""
    done = run(tiny(name), prompt=PAIR[0], pair=PAIR[1])
    assert distance(done, Path(tiny_source(name).source)) == 0.0


@pytest.mark.parametrize("name", THROUGH)
def test_weights_come_from_the_captured_vectors(tiny: Load, name: str) -> None:
    """softmax(scale · q·kᵀ + bias) is the weights, and weights · v the heads' output: trap 3 of analyses.md."""
    assert unexplained(run(tiny(name)).attention) < 2e-6


@pytest.mark.parametrize("name", THROUGH)
def test_capturing_leaves_the_model_as_it_is(tiny: Load, name: str) -> None:
    """Logits are the same to the last bit while a handler looks on, and afterwards attention is eager again."""
    model = tiny(name)
    done = run(model)
    given = {"input_ids": done.ids[None]}
    if model.family == "encoder-decoder":
        given = {"input_ids": done.source[None], "decoder_input_ids": done.ids[None]}
    calls: list[Any] = []
    with torch.no_grad():
        before = model.network(**given).logits
        with attending(model.network, calls.append):
            during = model.network(**given).logits
        after = model.network(**given).logits
    assert torch.equal(before, during)
    assert torch.equal(before, after)
    assert len(calls) == len(layers(done.attention))
    assert {m.config._attn_implementation for m in model.network.modules() if hasattr(m, "config")} == {"eager"}


@pytest.mark.parametrize("name", ["llama", "qwen3", "lfm2"])
def test_grouped_heads_share_keys_in_their_order(tiny: Load, name: str) -> None:
    """Heads 0 and 1 read the first keys, 2 and 3 the second: repeated, never tiled."""
    attention = run(tiny(name)).attention
    heads = attention.heads("self", attention.parts["self"].layers[-1])
    assert heads.n_kv_heads == 2
    for vectors in (heads.key, heads.value):
        assert torch.equal(vectors[0], vectors[1])
        assert torch.equal(vectors[2], vectors[3])
        assert not torch.equal(vectors[1], vectors[2])


@pytest.mark.parametrize("name", WINDOWED)
def test_windows_are_what_the_model_keeps_to(tiny: Load, name: str) -> None:
    """Farther back than its window a token sees nothing; layers without one see to the beginning."""
    attention = run(tiny(name)).attention
    part = attention.parts["self"]
    kinds = getattr(tiny(name).network.config, "layer_types", None) or ["sliding_attention"] * 3
    assert part.windows == tuple(WINDOWED[name] if kind == "sliding_attention" else None for kind in kinds)
    assert any(part.windows)
    for layer, window in zip(part.layers, part.windows, strict=True):
        weights = attention.weights("self", layer)
        far = weights.tril(-(window or WINDOWED[name]))
        assert bool(far.any()) == (window is None)


@pytest.mark.parametrize("name", [*CAUSAL, "lfm2", "gpt_oss"])
def test_a_decoder_looks_back_alone(tiny: Load, name: str) -> None:
    """It has one part, from the prompt's and the generated tokens to themselves, whose upper triangle is 0."""
    done = run(tiny(name))
    assert set(done.attention.parts) == {"self"}
    part = done.attention.parts["self"]
    assert part.queries == part.keys == (0, len(done.ids))
    assert len(done.ids) > done.n_input
    assert part.causal
    assert not any(done.attention.weights("self", layer).triu(1).any() for layer in part.layers)


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_looks_both_ways(tiny: Load, name: str) -> None:
    """From every token to every other one, those included that the tokenizer puts around the text."""
    done = run(tiny(name))
    part = done.attention.parts["self"]
    assert part.queries == part.keys == (0, len(done.tokens))
    assert not part.causal
    assert set(part.windows) == {None}
    assert [bool(token.get("special")) for token in (done.tokens[0], done.tokens[-1])] == [True, True]
    assert done.attention.weights("self", 0).min() > 0


@pytest.mark.parametrize("name", ENCODERS)
def test_tokens_of_a_pair_say_which_text_they_are_of(tiny: Load, name: str) -> None:
    """Those that end a text belong to it; a model that knows no segments has two texts all the same."""
    tokens = run(tiny(name), prompt=PAIR[0], pair=PAIR[1]).tokens
    segments = [token["segment"] for token in tokens]
    assert segments == sorted(segments)
    assert set(segments) == {0, 1}
    first, second = ([token for token in tokens if token["segment"] == segment] for segment in (0, 1))
    assert first[-1]["special"]
    assert second[-1]["special"]
    written = ["".join(token["text"] for token in texts if not token.get("special")) for texts in (first, second)]
    assert [text.replace(" ", "") for text in written] == [text.replace(" ", "") for text in PAIR]
    assert "segment" not in run(tiny(name)).tokens[0]


@pytest.mark.parametrize("name", ENCODER_DECODERS)
def test_an_encoder_decoder_has_three_parts(tiny: Load, name: str) -> None:
    """The encoder's tokens come first, then the decoder's: in each the text looks at itself, and across."""
    done = run(tiny(name), output="naïve <b>")
    read, end = len(done.source), len(done.tokens)
    parts = done.attention.parts
    source, written = (0, read), (read, end)
    assert {name: (part.queries, part.keys, part.causal) for name, part in parts.items()} == {
        "encoder": (source, source, False),
        "decoder": (written, written, True),
        "cross": (written, source, False),
    }
    kinds = [token["type"] for token in done.tokens]
    assert kinds == ["input"] * read + ["output"] * (end - read)
    n_layers = (3, 3) if name == "t5" else (2, 3)
    assert (len(parts["encoder"].layers), len(parts["decoder"].layers)) == n_layers
    assert parts["cross"].layers == parts["decoder"].layers
    assert done.tokens[read]["special"]  # what the decoder starts with
    assert done.attention.part().name == "cross"
    with pytest.raises(BuildError, match=r"unknown part: cros: model \w+ has encoder, .*did you mean cross"):
        done.attention.part("cros")


def test_a_mixed_model_keeps_its_layers_numbers(tiny: Load) -> None:
    """Where convolutions stand between them, layers of attention are not counted anew."""
    assert run(tiny("lfm2")).attention.parts["self"].layers == (1, 3)


def test_a_mixed_model_has_layers_behind_its_last_attention(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may be named in a range, and an error does not say that they are not there."""
    kinds = ["conv", "full_attention", "conv", "conv"]
    monkeypatch.setitem(tiny_models.CONFIGS, "lfm2", {**tiny_models.CONFIGS["lfm2"], "layer_types": kinds})
    part = run(load(tiny_models.save_checkpoint("lfm2", tmp_path))).attention.parts["self"]
    assert (part.layers, part.n_layers) == ((1,), 4)


def test_what_a_sink_takes_is_missing_from_the_rows(tiny: Load) -> None:
    """gpt-oss attends to a place that is no token: its weights are shown as they are."""
    attention = run(tiny("gpt_oss")).attention
    heads, sums = attention.heads("self", 0), attention.weights("self", 0).sum(-1)
    assert heads.sinks is not None
    assert sums.min() < 0.9
    taken = 1 / (1 + (heads.scores - heads.sinks[:, None, None]).exp().sum(-1))
    torch.testing.assert_close(sums + taken, torch.ones_like(sums))


@pytest.mark.parametrize("name", OWN_WAY)
def test_vectors_that_cannot_be_captured_are_an_error(tiny: Load, name: str) -> None:
    """Weights are to be had of these models, queries and keys are not."""
    attention = run(tiny(name)).attention
    assert not attention.has_vectors
    with pytest.raises(BuildError, match=f"^unsupported model: the queries and keys of {name} cannot be captured"):
        attention.heads("self", 0)


def test_a_model_without_attention_is_refused(tiny: Load) -> None:
    """There is nothing to look at in a Mamba."""
    with pytest.raises(BuildError, match=r"^unsupported model: mamba \(MambaForCausalLM\) has no attention"):
        _ = run(tiny("mamba")).attention


def test_known_heads_look_where_they_must(tiny: Load) -> None:
    """The hand-written previous-token head and induction head: weights of exactly 1 (Olsson et al. 2022)."""
    done = run(tiny("hand_written"), prompt="A B C A B D A", generate=0)
    words = [token["text"].strip() for token in done.tokens]
    assert words == ["<bos>", *"ABCABDA"]
    previous, induction = done.attention.weights("self", 0)[0], done.attention.weights("self", 1)[0]
    for q in range(1, len(words)):
        assert previous[q, q - 1] == 1.0
    after = {4: 2, 5: 3}  # the second A looks at what followed the first, the second B likewise
    for q in range(len(words) - 1):
        assert induction[q, after.get(q, 0)] == 1.0
    assert induction[7, 2] + induction[7, 5] == 1.0  # the third A has two to look at


@pytest.mark.weights
class TestRealModels:
    """The real things, against plain transformers."""

    def test_smollm2(self, smollm2: Model) -> None:
        """30 layers × 9 heads, of which three share keys; thirty tokens are its own."""
        done = run(smollm2, generate=30)
        assert distance(done, smollm2.checkpoint.folder) == 0.0
        assert unexplained(done.attention) < 2e-6
        assert len(done.attention.parts["self"].layers) == 30
        assert done.attention.heads("self", 29).n_kv_heads == 3

    def test_minilm(self, minilm: Encoder) -> None:
        """6 layers × 12 heads over a sentence pair."""
        done = run(minilm, prompt="The doctor asked the nurse a question.", pair="She answered it at once.")
        assert distance(done, minilm.checkpoint.folder) == 0.0
        assert unexplained(done.attention) < 2e-6
        assert [done.attention.parts["self"].n_heads, *done.attention.parts["self"].layers] == [12, 0, 1, 2, 3, 4, 5]
