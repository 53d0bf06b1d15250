"""The neuron view: queries and keys as published make the model's own attention, and neurons have their known parts."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from networks import Load

from builder.errors import BuildError
from builder.figure import Answer, RunSpec

from . import Ask, Part

READ = RunSpec(model="tiny", prompt="1, 1, 1, 1,\nThe Union", generate=0)
DECODERS = ("llama", "qwen3", "gemma2", "gemma3", "gpt2", "gpt_neox", "mistral")
LISTS = {"self": "attentions", "encoder": "encoder_attentions", "decoder": "decoder_attentions"}
LISTS["cross"] = "cross_attentions"


def groups(answer: Answer) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """Return what is published of each part and layer: the head in the data, and the groups in pieces."""
    shown = answer.data["shown"]
    found = {(shown["part"], shown["layer"]): [answer.data["head"]]}
    for name, piece in answer.pieces.items():
        part, layer, kind = name.split("-")
        if kind != "states":
            found.setdefault((part, int(layer)), []).append(piece)
    return found


def attention(group: dict[str, Any], layer: dict[str, Any], part: dict[str, Any], read: Any) -> np.ndarray:
    """Return the weights [heads, Q, K] that a group makes, number by number, as a browser would."""
    query, key = read(group["query"]), read(group["key"])
    bias = read(group["bias"]) if group["bias"] else np.zeros((1, query.shape[1], len(key)))
    window = part["windows"][part["layers"].index(layer["layer"])] or 10**9
    weights = np.zeros((*query.shape[:2], len(key)))
    for h in range(len(query)):
        for q in range(query.shape[1]):
            scores = np.full(len(key), -np.inf)
            for k in range(len(key)):
                if part["causal"] and not 0 <= q - k < window:
                    continue
                score = layer["scale"] * sum(query[h, q, j] * key[k, j] for j in range(key.shape[1]))
                cap = layer["softcap"]
                scores[k] = (cap * np.tanh(score / cap) if cap else score) + bias[h % len(bias), q, k]
            raised = np.exp(scores - scores.max())
            weights[h, q] = raised / raised.sum()
    return weights


def eager(run: Any, part: str) -> list[torch.Tensor]:
    """Return the weights [heads, Q, K] of each layer as transformers itself hands them out."""
    inputs = {"input_ids": run.ids[None]}
    if part != "self":
        inputs = {"input_ids": run.source[None], "decoder_input_ids": run.ids[None]}
    with torch.no_grad():
        output = run.model.network(**inputs, output_attentions=True)
    return [weights[0].double() for weights in output[LISTS[part]]]


@pytest.mark.parametrize("name", [*DECODERS, "bert", "t5", "bart"])
def test_published_queries_and_keys_make_the_models_attention(name: str, tiny: Load, ask: Ask, part: Part) -> None:
    """With grouped heads, norms of queries and keys, soft caps, windows, position biases; in every family of models."""
    model = tiny(name)
    spec = RunSpec(model=name, prompt=READ.prompt, output="The Union" if name in ("t5", "bart") else None, generate=0)
    answer = ask("neuron_view", model, spec, layers=("all",))
    assert all(check.holds for check in answer.checks.values())
    read = part("neuron_view", "vectors").unpack_rows
    seen = set()
    for (name_of_part, layer), found in groups(answer).items():
        theirs = eager(model.run(spec), name_of_part)[layer].numpy()
        listed = next(one for one in answer.data["layers"][name_of_part] if one["layer"] == layer)
        for group in found:
            ours = attention(group, listed, answer.data["parts"][name_of_part], read)
            assert np.abs(ours - theirs[group["heads"]]).max() <= answer.data["error"]["weight"] * 1.1 + 1e-5
            seen |= {(name_of_part, layer, head) for head in group["heads"]}
    parts = answer.data["parts"]
    assert len(seen) == sum(len(part["layers"]) * part["n_heads"] for part in parts.values())
    assert answer.data["error"]["weight"] < 1e-3
    assert bool((answer.pieces.get("encoder-0-0") or answer.data["head"])["bias"]) == (name == "t5")


def test_grouped_heads_read_neighbouring_keys(tiny: Load, ask: Ask, part: Part) -> None:
    """Of four heads and two keys, heads 0 and 1 share the first; read by turns, attention is another."""
    model = tiny("llama")
    answer = ask("neuron_view", model, READ, layer=1)
    assert answer.data["layers"]["self"][0]["groups"] == {"0": [0, 1], "1": [2, 3]}
    read = part("neuron_view", "vectors").unpack_rows
    pieces = [answer.pieces["self-1-0"], answer.pieces["self-1-1"]]
    assert len(read(pieces[0]["key"]).shape) == 2  # stored once for both
    theirs = eager(model.run(READ), "self")[1].numpy()
    listed, place = answer.data["layers"]["self"][0], answer.data["parts"]["self"]
    turned = {**pieces[0], "key": pieces[1]["key"]}
    assert np.abs(attention(turned, listed, place, read) - theirs[[0, 1]]).max() > 0.05


def test_the_induction_head_scores_what_its_weights_say(tiny: Load, ask: Ask, part: Part) -> None:
    """At the second A of `A B C A` it finds the B after the first one, by the neuron of A alone."""
    answer = ask("neuron_view", tiny("hand_written"), RunSpec(model="", prompt="A B C A", generate=0), layer=1)
    told = answer.data["told"]
    assert told["scores"] == pytest.approx([500, 0, 1000, 0, 0], rel=1e-3, abs=1e-2)  # half as loud for the BOS
    assert told["weights"] == [0, 0, 1, 0, 0]
    assert told["neurons"][0] == [1, 1.0]  # A is token 1
    read = part("neuron_view", "vectors").unpack_rows
    query, key = read(answer.data["head"]["query"])[0, 4], read(answer.data["head"]["key"])
    assert np.flatnonzero(np.abs(query) > 1).tolist() == [1, 8]  # A's, and the constant that the BOS answers to
    assert query @ key[2] == pytest.approx(4000, rel=1e-3)
    assert told["output"] == pytest.approx(1, rel=1e-3)  # the value: which token stands there


def test_the_parts_of_neurons_sum_to_the_whole(part: Part) -> None:
    """Shares of the variance of scores; with a distance they are what each adds to the line through the scores."""
    shares = part("neuron_view", "neurons").shares
    products = np.random.default_rng(0).normal(size=(12, 8))
    products[:, 3] = 7.0  # the same for all keys: softmax does not see it
    found = shares(products)
    assert found.sum() == pytest.approx(1)
    assert found[3] == pytest.approx(0)
    distance = np.arange(12.0)[::-1]
    assert shares(products, distance).sum() == pytest.approx(np.polyfit(distance, products.sum(1), 1)[0])
    assert shares(np.ones((4, 3))).tolist() == [0, 0, 0]


def test_sixteen_bits_are_off_by_half_a_step_at_most(part: Part) -> None:
    """Each vector has a scale of its own, and one of zeros comes back as it was."""
    vectors = part("neuron_view", "vectors")
    values = np.random.default_rng(0).normal(size=(2, 5, 16)) * np.array([1e-3, 1, 1e3, 0, 1])[:, None]
    for pack, unpack in ((vectors.pack_rows, vectors.unpack_rows), (vectors.pack_vectors, vectors.unpack_vectors)):
        packed = json.loads(json.dumps(pack(values)))
        steps = np.array(packed["scale"]).reshape(2, 5, 1)
        assert (np.abs(unpack(packed) - values) <= steps * 0.5001).all()
        assert not unpack(packed)[:, 3].any()


def test_states_are_the_strongest_of_their_neighbours(tiny: Load, ask: Ask, part: Part) -> None:
    """They are those of the stream around a layer, whole where it is narrow; a wide one is pooled with its signs."""
    model = tiny("llama")
    states = ask("neuron_view", model, READ, layer=1).data["states"]
    read = part("neuron_view", "vectors").unpack_vectors
    stream = model.run(READ).block_outputs[:2].numpy()
    assert states["size"] == 1
    for side, exact in zip(("before", "after"), stream, strict=True):
        assert np.abs(read(states[side]) - exact).max() <= np.abs(exact).max() / 250
    pooled = part("neuron_view", "states").pooled(np.array([[1.0, -3.0, 2.0, 0.5, -0.1]]), 2)
    assert pooled.tolist() == [[-3.0, 2.0, -0.1]]


def test_layers_heads_and_token_are_chosen(tiny: Load, ask: Ask) -> None:
    """The first of each is shown; others are pieces, and nothing else is."""
    answer = ask("neuron_view", tiny("llama"), READ, layers=("2", "0"), heads=("3", "1"), token=-2)
    length = len(answer.data["tokens"])
    assert answer.data["shown"] == {"part": "self", "layer": 2, "head": 3, "token": length - 2}
    assert answer.data["head"]["heads"] == [3]
    assert set(answer.pieces) == {"self-2-0", "self-0-0", "self-0-1", "self-0-states"}
    named = {"part": "cross", "layer": 1, "layers": ("0-1",)}
    cross = ask("neuron_view", tiny("t5"), RunSpec(model="", prompt="The Union", output="Europe"), **named)
    assert list(cross.data["parts"]) == ["cross"]
    assert cross.data["shown"]["layer"] == 1


def test_all_that_is_wrong_is_told_at_once(tiny: Load, ask: Ask) -> None:
    """With the nearest right value of each."""
    with pytest.raises(BuildError) as caught:
        ask("neuron_view", tiny("llama"), READ, layer=7, heads=("4",), token=99)
    last = len(tiny("llama").run(READ).ids) - 1
    assert [problem.message for problem in caught.value.problems] == [
        "invalid layer: 7 is not between 0 and 2 (did you mean 2?)",
        "unknown heads: 4 (model llama has heads 0 to 3; did you mean 3?)",
        f"invalid token: 99 is not between 0 and {last} (did you mean {last}?)",
    ]
    with pytest.raises(BuildError, match=r"^unknown part: crosses: model t5 has .*did you mean cross"):
        ask("neuron_view", tiny("t5"), RunSpec(model="", prompt="a", output="a"), part="crosses")


@pytest.mark.parametrize("name", ["gptj", "bloom", "falcon"])
def test_attention_of_a_models_own_is_refused(name: str, tiny: Load, ask: Ask) -> None:
    """Its queries and keys cannot be captured, and the author is told so."""
    with pytest.raises(BuildError, match=r"^unsupported model: the queries and keys of .* cannot be captured"):
        ask("neuron_view", tiny(name), READ)


def test_prose_names_tokens_heads_and_neurons(tiny: Load, ask: Ask, kinds: Any) -> None:
    """Heads by layer and number, in the colour of the head; of another part with its name."""
    spec = RunSpec(model="", prompt="The Union", output="Europe")
    data = ask("neuron_view", tiny("t5"), spec, layers=("0-1",)).data
    parts = kinds["neuron_view"].parts(data)
    assert parts["head"]["1.2"].value == "cross.1.2"
    assert parts["head"]["encoder.0.3"].colour == 4
    assert parts["neuron"]["7"].value == 7
    assert "8" not in parts["neuron"]
    assert str(len(data["tokens"]) - 1) in parts["token"]


@pytest.mark.weights
def test_a_hundred_tokens_of_smollm2_are_light(smollm2: Any, ask: Ask) -> None:
    """The figure's own data stay below 200 KB, and its scores within a hundredth of the model's."""
    text = " ".join(["The lamps along the quay were lit when the old captain came back to the harbour."] * 6)
    answer = ask("neuron_view", smollm2, RunSpec(model="", prompt=text, generate=0))
    assert len(answer.data["tokens"]) >= 96
    assert len(json.dumps(answer.data)) < 200_000
    assert answer.data["error"]["score"] < 0.01
    assert answer.data["error"]["weight"] < 1 / 510
