"""Factors are minima that a plain solver does not beat, of the right neurons, and what is said of them is counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from networks import Load

from builder.errors import BuildError
from builder.figure import Answer, Option, RunSpec
from builder.kind import Kind
from builder.model.nmf import Known
from builder.parameters import read_parameters
from builder.parts import Part as Named

from . import Ask, Part
from .conftest import TEXT

MODELS = ("gpt2", "llama", "qwen3", "gemma3", "gpt_neox")
COUNT = RunSpec(model="smollm2", prompt="1, 2, 3,", generate=40)


def positive(model: Any, spec: RunSpec, layers: list[int]) -> np.ndarray:
    """Return max(X, 0) without the first token, [T − 1, N], float64."""
    rows = torch.cat(model.run(spec).activations(layers), dim=1)[1:]
    return rows.clamp_min(0).double().numpy()


def plain_share(x: np.ndarray, k: int, init: str) -> float:
    """Return the share of the energy that scikit-learn's NMF explains, called plainly, in float64."""
    from sklearn.decomposition import NMF

    method = NMF(k, init=init, random_state=0, max_iter=500)
    w = method.fit_transform(x)
    return 1 - float(((x - w @ method.components_) ** 2).sum() / (x**2).sum())


@pytest.mark.parametrize("name", MODELS)
def test_scikit_learn_explains_no_more(name: str, tiny: Load, ask: Ask) -> None:
    """NMF has many minima: ours holds at least as much of the energy as plain NMF, random or nndsvda (less 5e-4)."""
    model = tiny(name)
    answer = ask("factors", model, factors=(2, 5))
    x = positive(model, TEXT, [0, 1, 2])
    for solution in answer.data["solutions"]:
        plain = max(plain_share(x, solution["n_factors"], init) for init in ("random", "nndsvda"))
        assert solution["explained"] >= plain - 5e-4


@pytest.mark.weights
def test_scikit_learn_explains_no_more_of_smollm2(smollm2: Any, ask: Ask) -> None:
    """On the real model with 2, 5 and 10 factors: never less by more than 1e-4 (four digits are published)."""
    answer = ask("factors", smollm2, COUNT)
    x = positive(smollm2, COUNT, list(range(smollm2.n_layers)))
    for solution in answer.data["solutions"]:
        assert solution["explained"] >= plain_share(x, solution["n_factors"], "random") - 1e-4
    assert all(check.holds for check in answer.checks.values())


def signed_apart(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the largest difference of rows up to order and sign, as a share of the largest number."""
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (ours, theirs)]
    match = np.abs(unit[0] @ unit[1].T).argmax(1)
    signs = np.sign((unit[0] * unit[1][match]).sum(1))[:, None]
    assert sorted(match) == list(range(len(match)))
    return float(np.abs(ours - signs * theirs[match]).max() / np.abs(theirs).max())


@pytest.mark.parametrize("name", MODELS)
def test_principal_components_are_scikit_learns(name: str, tiny: Load, ask: Ask) -> None:
    """The Gram matrix changes nothing: largest difference 1e-3 of the largest number, four digits being published."""
    from sklearn.decomposition import PCA

    model = tiny(name)
    solution = ask("factors", model, method="pca", factors=(4,)).data["solutions"][0]
    x = torch.cat(model.run(TEXT).activations([0, 1, 2]), dim=1)[1:].double().numpy()
    plain = PCA(4, svd_solver="full").fit(x)
    ours = np.array([row[1:] for row in solution["weights"]])
    assert signed_apart(ours, plain.transform(x).T) < 1e-3
    assert solution["explained"] == pytest.approx(plain.explained_variance_ratio_.sum(), abs=1e-4)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "llama"])
def test_independent_components_are_scikit_learns(name: str, tiny: Load, ask: Ask) -> None:
    """FastICA, whitened by scikit-learn itself, finds the same up to sign, order and length: cosines over 0.999.

    Where it converges: on llama's text the search creeps for 1,800 steps, and ends where rounding puts it.
    """
    from sklearn.decomposition import FastICA

    model = tiny(name)
    solution = ask("factors", model, method="ica", factors=(3,)).data["solutions"][0]
    x = torch.cat(model.run(TEXT).activations([0, 1, 2]), dim=1)[1:].double().numpy()
    method = FastICA(3, whiten="unit-variance", random_state=0, max_iter=2000, tol=1e-5)
    theirs = method.fit_transform(x).T
    ours = np.array([row[1:] for row in solution["weights"]])
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (ours, theirs)]
    cosines = np.abs(unit[0] @ unit[1].T).max(1)
    assert cosines.min() > 0.999


def test_known_factors_are_found(part: Part) -> None:
    """Of X = W H with disjoint neurons, the factors are the true ones, in order of their energy."""
    draw = torch.Generator().manual_seed(1)
    w = torch.rand(12, 3, generator=draw) * (torch.rand(12, 3, generator=draw) > 0.5) + 0.01
    h = torch.zeros(3, 600)
    for j in range(3):
        h[j, 200 * j : 200 * (j + 1)] = torch.rand(200, generator=draw) * (j + 1)
    found = part("factors", "decompose").decompose(Known(w @ h), 3, "nmf")
    assert found.explained == pytest.approx(1, abs=1e-4)
    true = (w.norm(dim=0) * h.norm(dim=1)).argsort(descending=True)
    unit = (h / h.norm(dim=1, keepdim=True))[true]
    assert (found.h @ unit.T).diagonal().min() > 0.999
    assert found.energy == sorted(found.energy, reverse=True)
    assert sum(found.energy) == pytest.approx(found.explained, abs=1e-4)


def test_neurons_and_overlaps_are_counted(part: Part) -> None:
    """A neuron belongs to a factor where its weight is over 1/√N; naively counted."""
    h = torch.tensor([[0.9, 0.4, 0.1, 0.0, 0.1, 0.0], [0.0, 0.6, 0.7, 0.35, 0.0, 0.15]])
    h = h / h.norm(dim=1, keepdim=True)
    found = part("factors", "neurons").members(h, [3, 7], [2, 4], top=2)
    assert found.bound == pytest.approx(6**-0.5)
    assert found.counts == [1, 2] == [int((row > 6**-0.5).sum()) for row in h]
    assert found.overlaps == [[1, 0], [0, 2]]
    assert [(layer, index) for layer, index, _ in found.top[1]] == [(7, 0), (3, 1)]
    assert found.layers[0] == pytest.approx([float((h[0, :2] ** 2).sum()), float((h[0, 2:] ** 2).sum())])


def test_a_split_keeps_all(tiny: Load, ask: Ask, part: Part) -> None:
    """[x⁺; x⁻] is lossless; what clipping discards is told, and counted naively."""
    model = tiny("llama")
    x = torch.cat(model.run(TEXT).activations([0, 1, 2]), dim=1)[1:]
    halves = part("factors", "decompose").positive_parts(x, split=True)
    assert torch.equal(halves[:, : x.shape[1]] - halves[:, x.shape[1] :], x)
    discarded = ask("factors", model, factors=(2,)).data["layers"][0]["discarded"]
    assert discarded["l1"] == pytest.approx(float(x[x < 0].abs().sum() / x.abs().sum()), rel=1e-3)
    assert discarded["energy"] == pytest.approx(float((x[x < 0] ** 2).sum() / (x**2).sum()), rel=1e-3)
    split = ask("factors", model, factors=(2,), negative="split").data
    assert split["layers"][0]["discarded"] is None
    assert max(fact["neurons"] for fact in split["solutions"][0]["factors"]) <= x.shape[1]


def test_the_first_token_is_left_out(tiny: Load, ask: Ask) -> None:
    """By default no factor is spent on it; included, it takes part; what it holds is told."""
    model = tiny("llama")
    left, grey, put = (
        ask("factors", model, factors=(3,), first_token=how).data for how in ("exclude", "grey", "include")
    )
    assert all(row[0] is None and None not in row[1:] for row in left["solutions"][0]["weights"])
    assert grey["solutions"] == put["solutions"]
    assert all(None not in row for row in put["solutions"][0]["weights"])
    x = torch.cat(model.run(TEXT).activations([0, 1, 2]), dim=1)
    assert left["layers"][0]["first_token"] == pytest.approx(float((x[0] ** 2).sum() / (x**2).sum()), rel=1e-3)


def test_ecco_can_be_repeated(tiny: Load, ask: Ask) -> None:
    """Scikit-learn's NMF from a random start, with the first token: the same numbers, and a warning."""
    from sklearn.decomposition import NMF

    model = tiny("gpt2")
    data = ask("factors", model, factors=(3,), reproduce="ecco").data
    x = torch.cat(model.run(TEXT).activations([0, 1, 2]), dim=1).clamp_min(0).numpy()
    method = NMF(3, init="random", random_state=0, max_iter=500)
    theirs = (method.fit_transform(x) * np.linalg.norm(method.components_, axis=1)).T
    ours = np.array(data["solutions"][0]["weights"])
    order = [int(np.abs(theirs - row).sum(1).argmin()) for row in ours]
    assert sorted(order) == [0, 1, 2]
    assert np.abs(ours - theirs[order]).max() < 1e-3 * theirs.max()
    assert "Ecco" in data["warning"]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"factors": "2, 0"}, "invalid factors: 0 is not between 1 and 64"),
        ({"factors": "2, 2"}, "invalid factors: a number stands there twice"),
        ({"factors": "two"}, "invalid factors: two is not"),
        ({"layers": "first"}, "invalid layers: first is not a layer, a range such as 4-9, or all"),
        ({"layers": "9-4"}, "invalid layers: 9-4 runs backwards (did you mean 4-9?)"),
        ({"layers": ["all", "all"]}, "invalid layers: some stand there twice"),
        ({"method": "nfm"}, "did you mean nmf?"),
        ({"method": "pca", "negative": "split"}, "invalid negative: only nmf splits"),
        ({"method": "pca", "reproduce": "ecco"}, "invalid reproduce: Ecco's factors are those of nmf, not of pca"),
        ({"first_token": "drop"}, "invalid first_token: drop is not one of exclude, grey, include"),
    ],
)
def test_a_wrong_parameter_is_named(values: dict[str, Any], why: str, kinds: dict[str, Kind]) -> None:
    """Before any model is loaded."""
    options = {name: Option(value, 7) for name, value in values.items()}
    made, problems = read_parameters(kinds["factors"].analysis.Params, options, Path("article.md"))
    assert made is None
    assert [str(problem) for problem in problems if why in str(problem)]


def test_lists_are_read_in_their_order(kinds: dict[str, Kind]) -> None:
    """The first number and the first layers are shown first."""
    options = {"factors": Option("5, 2", 1), "layers": Option(["all", "0-1", 2], 2)}
    made, problems = read_parameters(kinds["factors"].analysis.Params, options, Path("article.md"))
    assert not problems
    assert made is not None
    assert (made.factors, made.layers) == ((5, 2), ("all", "0-1", "2"))


@pytest.mark.parametrize(
    ("params", "prompt", "why"),
    [
        ({"factors": (9,)}, "1. Austria\n2", r"^invalid factors: 9 cannot be told apart in \d tokens, the first of wh"),
        ({"layers": ("0-3",)}, "1. Austria\n2", r"^unknown layers: 0-3 \(model llama .*; did you mean 0-2\?\)"),
        ({}, "a", r"^invalid prompt: it is one token, the first, which is left out"),
        ({"method": "pca", "first_token": "include"}, "a", r"^invalid factors: 1 cannot be told apart in 1 token, ar"),
    ],
)
def test_what_a_text_does_not_allow_is_named(
    params: dict[str, Any], prompt: str, why: str, tiny: Load, ask: Ask
) -> None:
    """More factors than tokens, layers that are not there, nothing left."""
    with pytest.raises(BuildError, match=why):
        ask("factors", tiny("llama"), RunSpec(model="", prompt=prompt, generate=0), **params)


def test_neurons_that_never_fire_are_an_error(tiny: Load, ask: Ask) -> None:
    """The hand-written GPT-2 has MLPs of zeros: there is nothing to decompose, and no NaN comes of it."""
    with pytest.raises(BuildError, match=r"^invalid layers: of all, no neuron fires in this text"):
        ask("factors", tiny("hand_written"), RunSpec(model="", prompt="A B C A", generate=2))


@pytest.mark.parametrize("method", ["pca", "ica"])
def test_neurons_that_fire_alike_at_all_tokens_are_an_error(method: str, tiny: Load, ask: Ask) -> None:
    """Of one word again and again the first layer has nothing around its mean but rounding."""
    spec = RunSpec(model="", prompt="a" * 12, generate=0)
    with pytest.raises(BuildError, match=r"^invalid layers: of 0, each neuron fires alike at all tokens"):
        ask("factors", tiny("llama"), spec, layers=("0",), factors=(2,), method=method)
    assert ask("factors", tiny("llama"), spec, layers=("0",), factors=(2,)).data["solutions"]


def test_a_short_text_gets_the_numbers_it_allows(tiny: Load, ask: Ask) -> None:
    """Where none are asked for: 2, 5 and 10 as far as there are tokens."""
    spec = RunSpec(model="", prompt="naïve “quotes”", generate=0)
    data = ask("factors", tiny("llama"), spec).data
    assert data["factors"] == [k for k in (2, 5, 10) if k < len(data["tokens"])]


def test_a_seed_gives_the_same_again(tiny: Load, ask: Ask) -> None:
    """Nothing is left to chance."""
    answers = [ask("factors", tiny("qwen3"), factors=(4,)).data for _ in range(2)]
    assert answers[0] == answers[1]


def test_what_few_ask_for_lies_in_pieces(tiny: Load, ask: Ask, part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first solution is in the answer; past the budget the others are not, and name their piece."""
    monkeypatch.setattr(part("factors", "publish"), "BUDGET", 6_000)
    answer: Answer = ask("factors", tiny("llama"), factors=(2, 5), layers=("all", "1"))
    solutions = answer.data["solutions"]
    assert "weights" in solutions[0]
    moved = [solution for solution in solutions if "piece" in solution]
    assert moved
    for solution in moved:
        assert set(solution) == {"layers", "n_factors", "piece"}
        piece = answer.pieces[solution["piece"]]
        assert len(piece["weights"]) == solution["n_factors"]
        json.dumps(piece, allow_nan=False)


def test_prose_may_name_factors(kinds: dict[str, Kind], tiny: Load, ask: Ask) -> None:
    """By number, by number of factors, by layers; each in its colour, and as a small graphic."""
    kind = kinds["factors"]
    data = ask("factors", tiny("llama"), factors=(2, 5), layers=("all", "1")).data
    named = kind.parts(data)["factor"]
    assert named["2"] == Named(2, 2)
    assert named["5.4"] == Named("5.4", 4)
    assert named["1/5.4"] == Named("1/5.4", 4)
    assert "3" not in named
    for name in ("2", "5.4", "1/5.4"):
        drawn = kind.spark(data, "factor", named[name])
        assert len(drawn.values) == len(data["tokens"])
        assert max(drawn.values) == 1
        assert drawn.colour == named[name].colour
        assert drawn.label.startswith("Factor")
    signed = ask("factors", tiny("llama"), factors=(2,), method="pca").data
    assert 0.5 in kind.spark(signed, "factor", Named(1, 1)).values  # the token that is left out stands at 0
    weights = [w for row in data["solutions"][0]["weights"] for w in row if w is not None]
    assert kind.extent(data) == {"weight": max(weights)}
