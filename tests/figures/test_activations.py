"""Activations are what the down projection reads, in eight bits that lose little and in the clusters of k-means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from networks import Load
from networks.tiny import CAUSAL

from builder.errors import BuildError
from builder.figure import Answer, Option, RunSpec
from builder.kind import Kind
from builder.parameters import read_parameters
from builder.parts import Part as Named
from builder.ranges import choose

from . import Ask, Part
from .conftest import TEXT

DENSE = tuple(name for name in CAUSAL if name != "mixtral")  # its experts keep their neurons in one tensor

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


def test_a_mixture_of_experts_is_told_to_have_no_such_neurons(tiny: Load, ask: Ask) -> None:
    """Its experts' neurons are in one tensor that no down projection reads."""
    with pytest.raises(BuildError, match=r"^unsupported model: mixtral has no FFN neurons"):
        ask("activations", tiny("mixtral"), layers=("1",))


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
