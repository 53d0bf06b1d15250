"""Activations are what the down projection reads, in eight bits that lose little and in the clusters of k-means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from networks import Load, Source
from networks.tiny import CAUSAL
from sklearn.cluster import KMeans

from builder.errors import BuildError
from builder.figure import Answer, Option, RunSpec
from builder.kind import Kind
from builder.model import Model
from builder.parameters import read_parameters
from builder.parts import Part as Named
from builder.ranges import choose
from builder.sources import fetch

from . import Ask, Part
from .conftest import TEXT

DENSE = tuple(name for name in CAUSAL if name != "mixtral")  # its experts keep their neurons in one tensor
FOUR = ("gpt2", "llama", "qwen3", "gemma3", "gpt_neox")

COUNTING = RunSpec(model="smollm2", prompt="1, 2, 3,", generate=8)


def cells(answer: Answer, layer: int) -> dict[str, Any]:
    """Return a layer's cells, from the data or from its piece."""
    piece = answer.pieces.get(f"layer-{layer}")
    return dict(piece if piece else answer.data["sheet"])


@pytest.mark.parametrize("name", DENSE)
def test_neurons_times_the_down_projection_are_what_the_mlp_adds(name: str, tiny: Load, ask: Ask, part: Part) -> None:
    """Trap 4: of a gated MLP the neuron is act(gate) · up. Layers mixed up, or another tensor, do not pass."""
    answer = ask("activations", tiny(name), layers=("all",), clusters=3)
    assert all(check.holds for check in answer.checks.values())
    model = tiny(name)
    run = model.run(TEXT)
    distance = part("activations", "down_projection").distance_from_outputs
    right = run.activations([0, 1])
    assert distance(run, [0, 1], right) < 1e-5
    assert distance(run, [0, 1], right[::-1]) > 0.1
    assert distance(run, [0, 1], [tensor * 1.01 for tensor in right]) > 1e-3


@pytest.mark.parametrize("name", ["llama", "qwen3"])
def test_a_gated_neuron_is_the_gate_times_the_other_half(name: str, tiny: Load, ask: Ask, part: Part) -> None:
    """Computed by hand from the MLP's own input, against what is published and read back."""
    model = tiny(name)
    run = model.run(TEXT)
    inputs = []
    mlp = model.network.model.layers[1].mlp
    handle = mlp.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    with torch.no_grad():
        model.network(run.ids[None])
        handle.remove()
        x = inputs[0][0]
        wanted = (mlp.act_fn(mlp.gate_proj(x)) * mlp.up_proj(x)).numpy()
    answer = ask("activations", model, layers=("1",))
    read = part("activations", "cells").decode(cells(answer, 1), answer.pieces["layer-1-rest"])
    assert np.abs(read - wanted).max() < 0.02 * np.abs(wanted).max()
    assert np.abs(read - wanted)[1:].max() <= answer.data["layers"][0]["error"] * 1.001


def test_layers_are_integers_in_the_order_they_are_named(tiny: Load, ask: Ask, part: Part) -> None:
    """Trap 7: sorted as strings, 10 would stand before 2. Ranges hold both ends; none named is the middle one."""
    assert choose(["all"], 12, "m") == list(range(12))
    assert choose(["10", "2-4", "3"], 12, "m") == [10, 2, 3, 4]
    model = tiny("llama")
    assert [layer["layer"] for layer in ask("activations", model).data["layers"]] == [1]
    answer = ask("activations", model, layers=("2", "0-1"))
    assert [layer["layer"] for layer in answer.data["layers"]] == [2, 0, 1]
    for layer, tensor in enumerate(model.run(TEXT).activations([0, 1, 2])):
        positive = np.maximum(tensor.numpy(), 0.0)
        assert np.abs(part("activations", "cells").decode(cells(answer, layer)) - positive).max() < 0.1


@pytest.mark.parametrize(
    ("layers", "why"),
    [
        (("3",), "unknown layers: 3 (model llama has layers 0 to 2; did you mean 2?)"),
        (("0", "1-7"), "unknown layers: 1-7 (model llama has layers 0 to 2; did you mean 1-2?)"),
    ],
)
def test_a_layer_that_is_not_there_is_named(layers: tuple[str, ...], why: str, tiny: Load, ask: Ask) -> None:
    """With the layers that there are, and the nearest of them."""
    with pytest.raises(BuildError) as told:
        ask("activations", tiny("llama"), layers=layers)
    assert str(told.value) == why


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"layers": "fore"}, "invalid layers: fore is not a layer, a range such as 4-9, or all"),
        ({"layers": "9-4"}, "invalid layers: 9-4 runs backwards (did you mean 4-9?)"),
        ({"layers": [1, "-2"]}, "invalid layers: -2 is not a layer, a range such as 4-9, or all"),
        ({"clusters": 0}, "invalid clusters: 0 is not between 1 and 24"),
        ({"order": "clusters"}, "did you mean cluster?"),
    ],
)
def test_what_no_model_could_mean_is_told_before_one_is_loaded(
    values: dict[str, Any], why: str, kinds: dict[str, Kind]
) -> None:
    """At the line of the option."""
    options = {name: Option(value, 7) for name, value in values.items()}
    made, problems = read_parameters(kinds["activations"].analysis.Params, options, Path("article.md"))
    assert made is None
    assert [problem for problem in problems if why in problem.message and problem.line == 7]


@pytest.mark.parametrize("written", [4, "4", [4], "4-6", ["4", "6-7"], "all"])
def test_layers_can_be_written_in_many_ways(written: Any, kinds: dict[str, Kind]) -> None:
    """A number, a list, a range or all of them."""
    made, problems = read_parameters(
        kinds["activations"].analysis.Params, {"layers": Option(written, 7)}, Path("article.md")
    )
    assert made
    assert not problems


def test_more_clusters_than_patterns_are_an_error_that_says_how_many(tiny: Load, ask: Ask) -> None:
    """Two tokens, of which the first is left out: every neuron that fires has the same pattern."""
    spec = RunSpec(model="", prompt="a", output="b")
    with pytest.raises(BuildError, match=r"^invalid clusters: 5 is more than layer 1 can .* \(did you mean 1\?\)$"):
        ask("activations", tiny("llama"), spec, layers=("1",))
    assert ask("activations", tiny("llama"), spec, clusters=1).data["layers"][0]["clusters"][0]["size"] > 1
    with pytest.raises(BuildError, match=r"^invalid clusters: 20 is more than layer 0 can"):
        ask(
            "activations",
            tiny("hand_written"),
            RunSpec(model="", prompt="A B C A", output="B"),
            layers=("0",),
            clusters=20,
        )


def test_a_lone_token_leaves_nothing_to_cluster(tiny: Load, ask: Ask) -> None:
    """Unless the first token counts."""
    spec = RunSpec(model="", prompt="a", generate=0)
    with pytest.raises(BuildError, match=r"^missing output: the text is one token"):
        ask("activations", tiny("llama"), spec)
    assert ask("activations", tiny("llama"), spec, first_token="include", clusters=1).data["first"] == 0


def test_a_mixture_of_experts_is_told_to_have_no_such_neurons(tiny: Load, ask: Ask) -> None:
    """Its experts' neurons are in one tensor that no down projection reads."""
    with pytest.raises(BuildError, match=r"^unsupported model: mixtral has no FFN neurons"):
        ask("activations", tiny("mixtral"), layers=("1",))


def test_a_network_whose_mlps_are_silent_has_no_clusters(tiny: Load, ask: Ask) -> None:
    """In the hand-written GPT-2 all MLPs write nothing: gelu(0) is 0 for every neuron."""
    spec = RunSpec(model="", prompt="A B C A", output="B")
    with pytest.raises(
        BuildError, match=r"^invalid clusters: 1 is more than layer 0 can .* where 0 of the 128 neurons"
    ):
        ask("activations", tiny("hand_written"), spec, layers=("0",), clusters=1)


def test_written_neurons_are_found_in_their_clusters(tiny_source: Source, ask: Ask) -> None:
    """A known answer: in the hand-written GPT-2 neuron i is made to fire on token i % 4, and on nothing else."""
    model = Model.load(fetch(tiny_source("hand_written"), Path("/")))  # one of its own: others share theirs
    layer = model.network.transformer.h[0].mlp
    weight = torch.zeros_like(layer.c_fc.weight)
    for neuron in range(100):
        weight[neuron % 4 + 1, neuron] = 1.0 + neuron / 100  # the rows of A, B, C, D in the token's one-hot
    norm = model.network.transformer.h[0].ln_2
    with torch.no_grad():
        layer.c_fc.weight.copy_(weight)
        layer.c_fc.bias.fill_(-0.5)
        norm.weight.fill_(1.0)
        spec = RunSpec(model="", prompt="A B C D A B C D", output="A")
        answer = ask("activations", model, spec, layers=("0",), clusters=4)
    layer_told, sheet = answer.data["layers"][0], answer.data["sheet"]
    assert [cluster["size"] for cluster in layer_told["clusters"]] == [25] * 4
    assert layer_told["silent"] == 28
    labels = np.array(sheet["clusters"])
    assert all(len(set(labels[i:100:4])) == 1 for i in range(4))
    assert not labels[100:].any()
    for cluster in layer_told["clusters"]:
        texts = {answer.data["tokens"][t]["text"].strip() for t in cluster["strongest"][:2]}
        assert len(texts) == 1


def test_eight_bits_lose_no_more_than_half_a_step(part: Part) -> None:
    """Of a root; the check would see a code that is off by one, a sign that is lost and a token's peak of another."""
    module = part("activations", "cells")
    values = (np.random.default_rng(0).standard_t(2, size=(7, 13)) * 3).astype(np.float32)
    values[2] = -np.abs(values[2])  # a token at which nothing is positive
    values[3] = 0.0
    first, rest = module.encode(values)
    read = module.decode(first, rest)
    peaks = np.where(values > 0, np.array(first["peaks"])[:, None], np.array(rest["peaks"])[:, None])
    assert module.overrun(values, read, peaks) <= 1
    assert (np.sign(read) * np.sign(values) >= 0).all()
    assert module.overrun(values, module.decode(first), peaks) > 1
    assert module.overrun(values, read * 1.01, peaks) > 1
    np.testing.assert_allclose(module.decode(first), np.where(values > 0, read, 0))


@pytest.mark.parametrize("by", ["pattern", "values"])
@pytest.mark.parametrize("name", FOUR)
def test_clusters_are_those_of_scikit_learn_called_plainly(
    name: str, by: str, tiny: Load, ask: Ask, part: Part
) -> None:
    """The same partition, numbered by size; sizes, shares and means are of the activations themselves."""
    model = tiny(name)
    answer = ask("activations", model, layers=("1",), clusters=4, cluster_by=by)
    values = model.run(TEXT).activations([1])[0].numpy()
    rows = values[1:].T.astype(np.float64)
    if by == "pattern":
        rows = np.maximum(rows, 0)
        norms = np.array([sum(x * x for x in row) ** 0.5 for row in rows])
        rows = rows / np.where(norms == 0, 1, norms)[:, None]
    fire = rows.any(axis=1)
    plain = KMeans(4, n_init=10, random_state=0).fit(rows[fire])
    labels = np.array(answer.data["sheet"]["clusters"])
    pairs = set(zip(labels[fire].tolist(), plain.labels_.tolist(), strict=True))
    assert len(pairs) == 4
    told = answer.data["layers"][0]
    assert [cluster["size"] for cluster in told["clusters"]] == sorted(
        np.bincount(plain.labels_).tolist(), reverse=True
    )
    assert told["silent"] == int((~fire).sum()) == int((labels == 0).sum())
    for number, (cluster, profile) in enumerate(
        zip(told["clusters"], answer.data["sheet"]["profiles"], strict=True), 1
    ):
        mine = values[:, labels == number]
        np.testing.assert_allclose(profile, np.maximum(mine, 0).mean(axis=1), rtol=6e-3, atol=1e-9)
        assert cluster["positive"] == pytest.approx((mine[1:] > 0).mean(), abs=1e-3)
        assert cluster["strongest"][0] == 1 + int(np.maximum(mine, 0).mean(axis=1)[1:].argmax())


def test_the_checks_on_clusters_can_fail(part: Part) -> None:
    """A neuron in the wrong cluster is nearer to another mean; an inertia of other labels is another one."""
    module = part("activations", "kmeans")
    rows = module.patterns(np.abs(np.random.default_rng(1).normal(size=(60, 9))) ** 3)
    found = module.cluster(rows, 3, layer=0)
    inertia, strays = module.nearer_to_another(rows, found.labels)
    assert inertia == pytest.approx(found.inertia, rel=1e-9)
    assert strays == 0
    inertia, strays = module.nearer_to_another(rows, np.roll(found.labels, 1))
    assert inertia > found.inertia * 1.01
    assert strays > 0.1


def test_the_first_token_has_no_part_unless_asked(tiny: Load, ask: Ask) -> None:
    """Trap 6: attention sinks would take the scale and the clusters."""
    out, within = (
        ask("activations", tiny("llama"), layers=("1",), first_token=word).data for word in ("exclude", "include")
    )
    assert (out["first"], within["first"]) == (1, 0)
    values = tiny("llama").run(TEXT).activations([1])[0].numpy()
    assert out["layers"][0]["top"] == pytest.approx(values[1:].max(), rel=1e-3)
    assert within["layers"][0]["top"] == pytest.approx(values.max(), rel=1e-3)
    assert out["layers"][0]["first_energy"] == pytest.approx((values[0] ** 2).sum() / (values**2).sum(), rel=1e-3)
    assert all(0 not in cluster["strongest"] for cluster in out["layers"][0]["clusters"])


def test_numbers_that_are_none_are_an_error(tiny: Load, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that overflows is not clustered."""
    model = tiny("llama")
    run = model.run(TEXT)
    broken = run.activations([0])[0].clone()
    broken[2, 3] = float("nan")
    monkeypatch.setattr(type(run), "activations", lambda _, __: [broken])
    with pytest.raises(BuildError, match=r"^broken activations: layer 0 of model llama"):
        ask("activations", model, layers=("0",))


def test_parts_sparks_and_extent(tiny: Load, ask: Ask, kinds: dict[str, Kind]) -> None:
    """Clusters are named by number and colour, neurons by index; both can stand in a line of text."""
    kind = kinds["activations"]
    data = ask("activations", tiny("llama"), layers=("1", "2"), clusters=3).data
    parts = kind.parts(data)
    assert parts["cluster"]["2"] == Named(2, 2)
    assert parts["layer"] == {"1": Named(0), "2": Named(1)}
    assert parts["neuron"]["63"] == Named(63)
    assert kind.sparks == ("cluster", "neuron")
    for aspect, name in (("cluster", "2"), ("neuron", "5")):
        spark = kind.spark(data, aspect, parts[aspect][name])
        assert len(spark.values) == len(data["tokens"])
        assert max(spark.values) == 1
        assert spark.values[0] == 0
        assert "strongest at" in spark.label
    assert set(kind.extent(data)) == {"layer 1", "layer 2"}


def test_a_long_text_keeps_the_first_layer_in_a_piece(
    tiny: Load, ask: Ask, kinds: dict[str, Kind], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is too large for the data is fetched; clusters and their means stay, and neurons have no spark."""
    monkeypatch.setattr(kinds["activations"].analysis, "INLINE", 500)
    answer = ask("activations", tiny("llama"))
    assert set(answer.data["sheet"]) == {"profiles"}
    assert set(answer.pieces) == {"layer-1", "layer-1-rest"}
    with pytest.raises(BuildError, match="unsupported spark"):
        kinds["activations"].spark(answer.data, "neuron", Named(3))


@pytest.mark.weights
def test_smollm2_counts_with_groups_for_digits_commas_and_spaces(smollm2: Any, ask: Ask) -> None:
    """The first seed's figure, on this model: the three largest clusters of layer 4 are one for each."""
    answer = ask("activations", smollm2, COUNTING, layers=("4",))
    assert all(check.holds for check in answer.checks.values())
    texts = [token["text"] for token in answer.data["tokens"]]
    firing = ["".join(texts[t] for t in cluster["strongest"][:3]) for cluster in answer.data["layers"][0]["clusters"]]
    assert firing[0].isdecimal()
    assert firing[1] == ",,,"
    assert firing[2] == "   "
    assert len(json.dumps(answer.data)) < 40_000


@pytest.mark.weights
def test_smollm2_keeps_a_hundred_tokens_within_the_budget(smollm2: Any, ask: Ask) -> None:
    """200 KB of JSON for the figure with its first layer, 30 layers to choose from."""
    spec = RunSpec(
        model="smollm2", prompt="The countries of the European Union are:\n1. Austria\n2. Belgium\n", generate=83
    )
    answer = ask("activations", smollm2, spec, layers=("4", "20-29"))
    assert len(answer.data["tokens"]) >= 100
    assert len(json.dumps(answer.data, ensure_ascii=False, separators=(",", ":")).encode()) <= 200_000
    assert all(check.holds for check in answer.checks.values())
