"""Similarity of layers: the measures' axioms, naive formulas in float64, scikit-learn's CCA, and two tokenizers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import Load
from sklearn.cross_decomposition import CCA

from builder.errors import BuildError
from builder.figure import RunSpec
from builder.kind import Kind

from . import Ask, Part

TEXT = RunSpec(model="tiny", prompt="The countries of the European Union are:\n1. Austria\n2. Belgium\n3. ", generate=0)


def layers(n: int = 60, d: int = 24, count: int = 3, seed: int = 0) -> list[np.ndarray]:
    """Return layers that share part of what they hold, centred."""
    draw = np.random.default_rng(seed)
    common = draw.standard_normal((n, d))
    made = [common @ draw.standard_normal((d, d)) + i * draw.standard_normal((n, d)) for i in range(count)]
    return [x - x.mean(axis=0) for x in made]


def turned(x: np.ndarray, scale: float = 0.3) -> np.ndarray:
    """Return a layer in axes drawn at random."""
    q, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((x.shape[1],) * 2))
    return scale * x @ q


def naive_hsic(k: np.ndarray, l_: np.ndarray) -> float:
    """Return Song's unbiased HSIC by its sums over distinct tokens (Gretton's U-statistic), slow and obvious."""
    n = len(k)
    off = [(i, j) for i in range(n) for j in range(n) if i != j]
    first = sum(k[i, j] * l_[i, j] for i, j in off) / (n * (n - 1))
    rows_k, rows_l = (m.sum(axis=1) - np.diag(m) for m in (k, l_))
    pairs = {(i, j): k[i, j] * l_[i, j] for i, j in off}
    three = sum(rows_k[i] * rows_l[i] for i in range(n)) - sum(pairs.values())
    # distinct i, j, q, r: all pairs of pairs, less those that share one index (4 ways) or both (2 ways)
    four = rows_k.sum() * rows_l.sum() - 4 * three - 2 * sum(pairs.values())
    return float(first - 2 * three / (n * (n - 1) * (n - 2)) + four / (n * (n - 1) * (n - 2) * (n - 3)))


def test_cka_is_the_naive_formula(part: Part) -> None:
    """By sums over pairs, triples and quadruples of distinct tokens; the largest difference is rounding."""
    found = part("layer_similarity", "cka").cka(x := layers(), x)
    grams = [a @ a.T for a in x]
    inner = [[naive_hsic(a, b) for b in grams] for a in grams]
    naive = [[inner[i][j] / (inner[i][i] * inner[j][j]) ** 0.5 for j in range(3)] for i in range(3)]
    assert np.abs(found - naive).max() < 1e-10


def test_of_many_tokens_it_is_the_plain_one(part: Part) -> None:
    """Kornblith's ‖YᵀX‖² / (‖XᵀX‖ ‖YᵀY‖), and tr(KHLH) with a centring matrix: the estimates meet as tokens grow."""
    gaps = []
    for n in (100, 4000):
        a, b = layers(n, 12, 2)
        plain = np.linalg.norm(b.T @ a) ** 2 / (np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b))
        if n == 100:
            h = np.eye(n) - 1 / n
            k, l_ = (h @ (m @ m.T) @ h for m in (a, b))
            assert np.trace(k @ l_) / np.sqrt(np.trace(k @ k) * np.trace(l_ @ l_)) == pytest.approx(plain, rel=1e-10)
        gaps.append(abs(part("layer_similarity", "cka").cka([a], [b])[0, 0] - plain))
    assert gaps[1] < 0.002 < gaps[0]


def test_layers_that_share_nothing_are_not_alike(part: Part) -> None:
    """More dimensions than tokens: the plain estimate says 0.4 of pure noise, this one nothing, CCA what is stated."""
    draw = np.random.default_rng(0)
    noise = [m - m.mean(axis=0) for m in draw.standard_normal((10, 60, 100))]
    found = part("layer_similarity", "cka").cka(noise[:5], noise[5:])
    assert np.abs(found).max() < 0.05
    assert abs(found.mean()) < 0.01
    cca = part("layer_similarity", "cca")
    spaces = cca.directions(noise, 0.99)
    assert {len(space.values) for space in spaces} == {6}
    assert 0.1 < cca.compare(spaces[:5], spaces[5:], cca.mean_correlation).mean() < 0.4


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.floats(1e-3, 1e3))
def test_axes_and_scale_do_not_matter(part: Part, seed: int, scale: float) -> None:
    """CKA and SVCCA of a layer that is turned and scaled are what they were; PWCCA's of one that is scaled."""
    cka, cca = part("layer_similarity", "cka"), part("layer_similarity", "cca")
    a, b = layers(seed=seed, count=2)
    other = turned(a, scale)
    assert cka.cka([other], [b])[0, 0] == pytest.approx(cka.cka([a], [b])[0, 0], abs=1e-9)
    spaces = cca.directions([a, other, scale * a, b], 0.9)
    assert cca.mean_correlation(spaces[1], spaces[3]) == pytest.approx(cca.mean_correlation(spaces[0], spaces[3]))
    assert cca.projection_weighted(spaces[2], spaces[3]) == pytest.approx(cca.projection_weighted(spaces[0], spaces[3]))


def test_correlations_are_scikit_learns(part: Part) -> None:
    """Of the same directions, fitted by its own iteration."""
    cca = part("layer_similarity", "cca")
    a, b = cca.directions(layers(200, count=2), 0.7)
    n = min(len(a.values), len(b.values), 4)
    theirs = CCA(n_components=n, scale=False, max_iter=20_000, tol=1e-12)
    left, right = theirs.fit_transform(a.basis * a.values, b.basis * b.values)
    rho = [np.corrcoef(left[:, i], right[:, i])[0, 1] for i in range(n)]
    assert np.abs(cca.correlations(a, b)[0][:n] - rho).max() < 1e-6


def test_pwcca_is_morcos_formula(part: Part) -> None:
    """Canonical variables from covariances, α of the neurons themselves, for the one layer and for the other."""
    cca = part("layer_similarity", "cca")
    x, y = layers(200, count=2)
    a, b = cca.directions([x, y], 0.8)
    kept = [(m.basis * m.values) @ m.axes for m in (a, b)]
    both = []
    for one, two in ((kept[0], kept[1]), (kept[1], kept[0])):
        cov = [m.T @ m for m in (one, two)]
        inverse = np.linalg.pinv(cov[0], rcond=1e-10)
        root = np.linalg.svd(inverse)
        half = (root.U * np.sqrt(root.S)) @ root.Vh
        rho2, vectors = np.linalg.eigh(half @ one.T @ two @ np.linalg.pinv(cov[1], rcond=1e-10) @ two.T @ one @ half)
        order = np.argsort(-rho2)[: min(len(a.values), len(b.values))]
        h = one @ half @ vectors[:, order]
        alpha = np.abs(h.T @ (x if one is kept[0] else y)).sum(axis=1)
        both.append((alpha * np.sqrt(rho2[order].clip(0))).sum() / alpha.sum())
    assert cca.projection_weighted(a, b) == pytest.approx(np.mean(both), abs=1e-8)


def test_no_more_than_a_direction_for_ten_tokens(part: Part) -> None:
    """With as many directions as tokens any two layers look the same."""
    directions = part("layer_similarity", "cca").directions
    assert [len(space.values) for space in directions(layers(60), 0.99)] == [6, 6, 6]
    assert len(directions(layers(9), 0.99)[0].values) == 1
    flat = np.outer(np.linspace(-1, 1, 60), np.ones(5))
    assert [len(space.values) for space in directions([flat, 0 * flat], 0.99)] == [1, 1]


def test_layers_are_what_the_model_hands_on(tiny: Load, ask: Ask, part: Part) -> None:
    """Embeddings first, then each block's output, the first token left out: transformers' own states give the same."""
    model = tiny("llama")
    data = ask("layer_similarity", model, TEXT).data
    with torch.no_grad():
        ids = model.run(TEXT).ids[None]
        states = model.network(ids, output_hidden_states=True).hidden_states[:-1]  # the last one is normed
    x = [state[0, 1:].double().numpy() for state in states]
    x = [m - m.mean(axis=0) for m in x]
    assert data["layers"] == ["embeddings", "0", "1", "2"]
    assert np.abs(np.array(data["values"]["cka"])[:3, :3] - part("layer_similarity", "cka").cka(x, x)).max() < 1e-4
    assert data["n_tokens"] == data["n_text"] - 1


def test_a_second_model_is_the_columns(tiny: Load, kinds: dict[str, Kind]) -> None:
    """Another architecture on the same text; a model against itself gives the table of one."""
    analysis = kinds["layer_similarity"].analysis
    one, other = tiny("llama"), tiny("gpt2")
    alone = analysis.analyse(one.run(TEXT), analysis.Params())
    for versus in (one, other):
        run = one.run(TEXT)
        run.versus = versus.run(TEXT) if versus is other else run
        answer = analysis.analyse(run, analysis.Params(versus="other"))
        run.versus = None
        assert all(check.holds for check in answer.checks.values())
        assert answer.data["models"] == ["llama", versus.name]
        assert answer.data["n_shared"] == answer.data["n_text"]
        assert (answer.data["values"] == alone.data["values"]) == (versus is one)


def test_two_tokenizers_meet_where_their_tokens_end(tiny: Load, part: Part) -> None:
    """Positions are matched by bytes of the text, whatever stands around it."""
    aligned = part("layer_similarity", "alignment").aligned
    pieces = [{0: b"<s>", 1: b"The", 2: b" cat", 3: b" sat"}, {1: b" The", 2: b" c", 3: b"at sat"}]

    def reading(which: int, ids: list[int], special: frozenset[int]) -> Any:
        class Pieces(dict[int, bytes]):
            pass

        made = Pieces(pieces[which])
        made.special = special  # type: ignore[attr-defined]
        model = type("Model", (), {"pieces": made, "name": f"m{which}"})
        return type("Run", (), {"model": model, "ids": torch.tensor(ids), "spec": RunSpec("", "The cat sat")})

    first, second = reading(0, [0, 1, 2, 3], frozenset({0})), reading(1, [1, 2, 3], frozenset())
    assert aligned(first, second) == ([1, 3], [0, 2])
    with pytest.raises(BuildError, match="unsupported versus: m1 does not spell this text as m0 does"):
        aligned(first, reading(1, [1, 2], frozenset()))


def test_what_cannot_be_compared_is_said(tiny: Load, ask: Ask) -> None:
    """Too short a text; a second model that was not run; a warning for one that is nearly too short."""
    with pytest.raises(BuildError, match="invalid prompt: 3 tokens to compare layers over; it takes 5"):
        ask("layer_similarity", tiny("hand_written"), RunSpec("", "A B C", generate=0))
    with pytest.raises(BuildError, match="unsupported versus: nothing was read by gpt2"):
        ask("layer_similarity", tiny("llama"), TEXT, versus="gpt2")
    far = RunSpec(model="", prompt="A B C D E F G", generate=0)  # a one-hot of a token, and one of its position
    with pytest.raises(
        BuildError, match="invalid prompt: its tokens are equally far from each other in the embeddings"
    ):
        ask("layer_similarity", tiny("hand_written"), far)
    assert set(ask("layer_similarity", tiny("hand_written"), far, measure=("svcca",)).data["values"]) == {"svcca"}
    with pytest.raises(BuildError, match="invalid prompt: its tokens are all alike in the embeddings"):
        ask("layer_similarity", tiny("llama"), RunSpec("", "111111111", generate=0))
    answer = ask("layer_similarity", tiny("llama"))
    assert "tokens are few" in answer.data["warning"]


@pytest.mark.weights
def test_smollm2s_neighbours_are_alike(smollm2: Any, ask: Ask) -> None:
    """On the real model: checks hold, shuffled tokens leave nothing of CKA, and neighbours are more alike than ends."""
    text = "The lamps along the quay were lit when the old captain came back to the harbour where he was born. " * 2
    answer = ask("layer_similarity", smollm2, RunSpec("smollm2", text, generate=0))
    table = np.array(answer.data["values"]["cka"])
    assert all(check.holds for check in answer.checks.values())
    assert abs(answer.data["chance"]["cka"]) < 0.1
    assert np.diag(table, 1).mean() > 0.8 > table[0, -1]
