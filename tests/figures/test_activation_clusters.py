"""Neurons that fire alike are found as scikit-learn finds them, and where they are written by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from networks import Load, Source
from sklearn.cluster import KMeans

from builder.errors import BuildError
from builder.figure import RunSpec
from builder.model import Model
from builder.sources import fetch

from . import Ask, Part
from .conftest import TEXT

FOUR = ("gpt2", "llama", "qwen3", "gemma3", "gpt_neox")


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
