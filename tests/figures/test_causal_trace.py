"""Causal trace: known circuits exactly, every cell against plain forward passes, noise, windows, and what cannot be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from networks import Load
from networks.tiny import CAUSAL

from builder.errors import BuildError
from builder.figure import Answer, RunSpec
from builder.model import rerun

from . import Ask

KIND = "causal_trace"
CIRCUIT = RunSpec(model="", prompt="A B C A", generate=0)
TEXT = RunSpec(model="", prompt="1. Austria\n2. Be", generate=3)
OTHER = "1. Austri3\n2. Be"
STATES = ("residual", "attention", "mlp")


def failed(answer: Answer) -> dict[str, Any]:
    """Return the checks that do not hold."""
    return {name: check for name, check in answer.checks.items() if not check.holds}


def module_of(model: Any, state: str, layer: int) -> Any:
    """Return what hands on a state."""
    structure = model.structure
    return {"residual": structure.blocks, "attention": structure.attentions, "mlp": structure.mlps}[state][layer]


def main_part(returned: Any) -> torch.Tensor:
    """Return a module's output, or the first of several."""
    return returned[0] if isinstance(returned, tuple) else returned


@torch.no_grad()
def naive(
    model: Any,
    here: dict[str, torch.Tensor],
    there: dict[str, torch.Tensor],
    value: Callable[[torch.Tensor], torch.Tensor],
    cells: list[tuple[str, list[int], int]],
) -> tuple[float, float, list[float]]:
    """Return what is measured of two runs, and of the first with states of the second: one whole pass each."""
    kept: dict[tuple[str, int], torch.Tensor] = {}
    keys = {(state, layer) for state, layers, _ in cells for layer in layers}
    handles = [
        module_of(model, *key).register_forward_hook(
            lambda _m, _a, out, key=key: kept.__setitem__(key, main_part(out).clone())
        )
        for key in keys
    ]
    other = value(model.network(**there, use_cache=False).logits[0, -1])
    for handle in handles:
        handle.remove()
    own = value(model.network(**here, use_cache=False).logits[0, -1])
    found = []
    for state, layers, position in cells:

        def change(layer: int, state: str = state, position: int = position) -> Any:
            def hook(_module: Any, _args: Any, out: Any) -> None:
                tensor = main_part(out)
                length = tensor.shape[0] if tensor.dim() == 2 else tensor.shape[1]
                tensor.reshape(length, -1)[position] = kept[state, layer].reshape(length, -1)[position]

            return hook

        handles = [module_of(model, state, layer).register_forward_hook(change(layer)) for layer in layers]
        found.append(float(value(model.network(**here, use_cache=False).logits[0, -1])))
        for handle in handles:
            handle.remove()
    return float(own), float(other), found


def grid(answer: Answer) -> list[float]:
    """Return all effects, state by state, layer by layer."""
    return [effect for state in answer.data["states"] for row in answer.data["effects"][state] for effect in row]


@pytest.mark.parametrize(
    ("corrupted", "foil", "wanted"),
    [
        # another token followed the first A: the induction head reads it where it stands
        ("A D C A", "D", {("residual", 0, 2), ("residual", 1, 4), ("attention", 1, 4)}),
        # no first A: then the previous-token head marks nothing for the induction head to find
        ("E B C A", "<bos>", {("residual", 0, 2), ("residual", 1, 4), ("attention", 0, 2), ("attention", 1, 4)}),
    ],
)
@pytest.mark.parametrize("direction", ["restore", "corrupt"])
def test_the_circuit_of_the_hand_written_model_is_found(
    corrupted: str, foil: str, wanted: set[tuple[str, int, int]], direction: str, tiny: Load, ask: Ask
) -> None:
    """B follows the second A by two heads: each state on the way makes all of the difference, any other nothing."""
    answer = ask(KIND, tiny("hand_written"), CIRCUIT, answer="B", foil=foil, corrupted=corrupted, direction=direction)
    assert not failed(answer)
    found = answer.data["effects"]
    for state in STATES:
        for layer in range(2):
            for position in range(5):
                assert found[state][layer][position] == (1.0 if (state, layer, position) in wanted else 0.0)


@pytest.mark.parametrize("params", [{"corrupted": OTHER}, {"subject": "Austria", "samples": 2}])
@pytest.mark.parametrize("window", [1, 2])
@pytest.mark.parametrize("name", ["gpt2", "llama", "gemma2", "gpt_neox", "mixtral"])
def test_runs_from_a_place_on_are_whole_runs(
    name: str, window: int, params: dict[str, Any], tiny: Load, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is before a state, and below it, need not be computed; a model that cannot be run so is run as a whole."""
    model = tiny(name)
    short = ask(KIND, model, TEXT, foil="a", window=window, **params)
    monkeypatch.setattr(rerun, "_whether", {model: False})
    whole = ask(KIND, model, TEXT, foil="a", window=window, **params)
    assert not failed(short)
    assert not failed(whole)
    assert max(map(abs, grid(whole))) > 0.1
    assert grid(short) == pytest.approx(grid(whole), abs=2e-3)  # shares of a gap: four digits, and float32's rounding


@pytest.mark.parametrize("direction", ["restore", "corrupt"])
@pytest.mark.parametrize("name", ["gpt2", "llama", "gemma2", "gpt_neox", "falcon", "bloom"])
def test_every_cell_is_what_a_plain_pass_says(name: str, direction: str, tiny: Load, ask: Ask) -> None:
    """Norms after the parts, parts side by side, sums in place: the network does as it always does."""
    model = tiny(name)
    run = model.run(TEXT)
    answer = ask(KIND, model, TEXT, foil="a", corrupted=OTHER, direction=direction)
    assert not failed(answer)
    clean, broken = (model.run(RunSpec(model="", prompt=text, generate=0)).ids[None] for text in (TEXT.prompt, OTHER))
    here, there = (broken, clean) if direction == "restore" else (clean, broken)
    token, foil = int(run.ids[run.n_input]), model.encode("a")[0][0]
    cells = [(s, [layer], p) for s in STATES for layer in range(model.n_layers) for p in range(run.n_input)]
    own, other, found = naive(model, {"input_ids": here}, {"input_ids": there}, lambda z: z[token] - z[foil], cells)
    assert grid(answer) == pytest.approx([(value - own) / (other - own) for value in found], abs=2e-4)
    runs = answer.data["runs"]
    ends = (runs["clean"]["value"], runs["corrupted"]["value"])
    assert ends == pytest.approx((other, own) if direction == "restore" else (own, other), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("name", CAUSAL)
def test_every_architecture_gets_an_answer_whose_checks_hold(name: str, tiny: Load, ask: Ask) -> None:
    """By another prompt, and by noise; with experts, with positions in the scores, without a norm at the end."""
    assert not failed(ask(KIND, tiny(name), TEXT, corrupted=OTHER))
    assert not failed(ask(KIND, tiny(name), TEXT, subject="Austria", samples=2, window=2, metric="logit"))


def test_windows_are_put_back_as_one(tiny: Load, ask: Ask) -> None:
    """As many layers before the one named as after it, cut off at the ends; the stream has no window."""
    model = tiny("llama")
    run = model.run(TEXT)
    answer = ask(KIND, model, TEXT, foil="a", corrupted=OTHER, window=3)
    clean, broken = (model.run(RunSpec(model="", prompt=text, generate=0)).ids[None] for text in (TEXT.prompt, OTHER))
    token, foil = int(run.ids[run.n_input]), model.encode("a")[0][0]
    windows = ([0, 1], [0, 1, 2], [1, 2])
    cells = [(s, window, p) for s in ("attention", "mlp") for window in windows for p in range(run.n_input)]
    own, other, found = naive(model, {"input_ids": broken}, {"input_ids": clean}, lambda z: z[token] - z[foil], cells)
    wanted = [(value - own) / (other - own) for value in found]
    assert grid(answer)[-len(wanted) :] == pytest.approx(wanted, abs=2e-4)
    single = ask(KIND, model, TEXT, foil="a", corrupted=OTHER)
    assert answer.data["effects"]["residual"] == single.data["effects"]["residual"]
    assert answer.data["effects"]["mlp"] != single.data["effects"]["mlp"]


@pytest.mark.parametrize("metric", ["logprob", "probability"])
def test_noise_is_drawn_on_the_subject_and_averaged(metric: str, tiny: Load, ask: Ask) -> None:
    """Its width is that of the embeddings times a factor; an effect is a mean of drops over the mean of differences."""
    model = tiny("gemma3")  # whose embeddings are scaled
    run = model.run(TEXT)
    answer = ask(KIND, model, TEXT, subject="Austria", noise=2.0, samples=3, seed=4, metric=metric, states=("mlp",))
    data = answer.data
    assert not failed(answer)
    assert "".join(data["tokens"][p]["text"] for p in data["positions"]).strip() == "Austria"
    table = model.embed(torch.arange(model.vocab_size))
    assert data["noise"]["sigma"] == pytest.approx(2 * float(table.std(correction=0)), rel=1e-3)
    ids, token = run.ids[: run.n_input], int(run.ids[run.n_input])
    x = model.embed(ids)
    noise = torch.randn(3, len(data["positions"]), x.shape[-1], generator=torch.Generator().manual_seed(4))

    def value(z: torch.Tensor) -> torch.Tensor:
        log = z.double().log_softmax(-1)[token]
        return log if metric == "logprob" else log.exp()

    cells = [("mlp", [layer], p) for layer in range(model.n_layers) for p in range(len(ids))]
    gaps, drops = [], []
    for sample in noise:
        noisy = x.clone()
        noisy[data["positions"]] += sample * 2 * table.std(correction=0)
        own, other, found = naive(model, {"inputs_embeds": noisy[None]}, {"input_ids": ids[None]}, value, cells)
        gaps.append(other - own)
        drops.append([patched - own for patched in found])
    wanted = torch.tensor(drops).mean(0) / torch.tensor(gaps).mean()
    assert grid(answer) == pytest.approx(wanted.tolist(), abs=2e-3)
    again = ask(KIND, model, TEXT, subject="Austria", noise=2.0, samples=3, seed=5, metric=metric, states=("mlp",))
    assert grid(again) != grid(answer)


def test_before_the_first_corrupted_token_nothing_happens(tiny: Load, ask: Ask) -> None:
    """And all is restored where the answer is read; what the model wrote after the prompt is not looked at."""
    data = ask(KIND, tiny("llama"), TEXT, corrupted=OTHER).data
    first = data["first"]
    assert first == data["positions"][0] > 0
    assert len(data["tokens"]) == tiny("llama").run(TEXT).n_input
    for rows in data["effects"].values():
        assert all(row[:first] == [0.0] * first for row in rows)
    assert data["effects"]["residual"][-1] == [0.0] * (len(data["tokens"]) - 1) + [1.0]


@pytest.mark.weights
def test_smollm2_moves_the_landmark_to_the_end_in_one_layer(smollm2: Any, ask: Ask) -> None:
    """Of all attention outputs one makes two thirds of Paris against Rome: that of layer 23 where the city is named."""
    spec = RunSpec(model="smollm2", prompt="The Eiffel Tower is in the city of", generate=0)
    chosen = {"answer": " Paris", "foil": " Rome", "corrupted": "The Colosseum is in the city of"}
    answer = ask(KIND, smollm2, spec, **chosen, states=("attention",))
    assert not failed(answer)
    rows = answer.data["effects"]["attention"]
    assert max((row[8], layer) for layer, row in enumerate(rows))[1] == 23
    assert 0.6 < rows[23][8] < 0.7
    with pytest.raises(
        BuildError, match=r"^invalid corrupted: .* it is 8 tokens \('Big' .* the prompt is 9 tokens \('The'"
    ):
        ask(KIND, smollm2, spec, **{**chosen, "corrupted": "Big Ben is in the city of London"})
