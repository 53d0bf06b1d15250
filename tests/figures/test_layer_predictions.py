"""Layer predictions are the first of a plain sort of the lens, and a model with known weights gives known answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from networks import Load
from networks.tiny import CAUSAL

from builder.errors import BuildError
from builder.figure import RunSpec
from builder.kind import Kind
from builder.model import lens

from . import Ask, Part
from .conftest import TEXT

KIND = "layer_predictions"
INDUCTION = RunSpec(model="", prompt="A B C A", output="B")


def first(logits: torch.Tensor, k: int) -> list[int]:
    """Return the k likeliest tokens; of equals the lower one comes first."""
    return logits.sort(descending=True, stable=True).indices[:k].tolist()


def unfolded(answer: Any) -> list[dict[str, Any]]:
    """Return every step with its own texts and winner, whether it is a piece or not."""
    data = answer.data
    steps = []
    for step, position in enumerate(data["targets"]):
        found = data["steps"][step] or answer.pieces[f"step-{position}"]
        shared = {"vocabulary": data["vocabulary"], "winner": data["winners"][step]}
        steps.append({**shared, **found})
    return steps


@pytest.mark.parametrize("name", CAUSAL)
def test_predictions_are_the_first_of_a_sort(name: str, tiny: Load, ask: Ask) -> None:
    """Layer by layer, position by position: tokens, probabilities, and the place of the token that was said."""
    model = tiny(name)
    run = model.run(TEXT)
    answer = ask(KIND, model, top=5)
    with torch.no_grad():
        lens = [model.unembed(state) for state in run.block_outputs]
    for step, (position, found) in enumerate(zip(run.targets, unfolded(answer), strict=True)):
        for layer, logits in enumerate(lens):
            z = logits[position - 1].float()
            wanted = first(z, 5)
            texts = [found["vocabulary"][v] for v in found["tokens"][layer]]
            assert [text for text in texts if "⟨" not in text] == [
                text for v in wanted if (text := model.token_text(v)) and "\ufffd" not in text
            ]
            assert found["probabilities"][layer] == pytest.approx(z.double().softmax(-1)[wanted].tolist(), rel=1e-3)
            said = int(run.ids[position])
            assert (
                answer.data["ranks"][layer][step] == int((z.sort(descending=True).values == z[said]).nonzero()[0]) + 1
            )


def test_the_induction_head_brings_its_answer_to_the_top(tiny: Load, ask: Ask) -> None:
    """In the hand-written GPT-2 A stands first after layer 0, and B, which followed the first A, after layer 1."""
    data = ask(KIND, tiny("hand_written"), INDUCTION, top=2).data
    step = data["steps"][0]
    names = [[data["vocabulary"][v].strip() for v in row] for row in step["tokens"]]
    assert [row[0] for row in names] == ["A", "B"]
    assert data["ranks"] == [[2], [1]]
    assert data["settles"] == [1]
    assert data["vocabulary"][data["winners"][0]].strip() == "B"


def test_the_embeddings_come_first(tiny: Load, ask: Ask) -> None:
    """Before any layer the stream holds the last token itself: that is what the lens reads there."""
    data = ask(KIND, tiny("hand_written"), INDUCTION, embeddings=True).data
    assert data["layers"] == ["embeddings", "0", "1"]
    assert data["vocabulary"][data["steps"][0]["tokens"][0][0]].strip() == "A"


@pytest.mark.parametrize("name", ["gpt2", "llama", "gemma3"])
def test_ecco_leaves_out_the_norm(name: str, tiny: Load, ask: Ask) -> None:
    """But for the last layer, whose state it got normed already: there both readings agree."""
    model = tiny(name)
    run = model.run(TEXT)
    own, theirs = ask(KIND, model, top=3), ask(KIND, model, top=3, reproduce="ecco")
    assert "Ecco" in theirs.data["warning"]
    assert theirs.checks["states against transformers' hidden states"].value <= 1e-6
    assert "warning" not in own.data
    assert theirs.data["ranks"][-1] == own.data["ranks"][-1]
    with torch.no_grad():
        raw = model.head_logits(run.block_outputs[0, run.targets[0] - 1])
    texts = [theirs.data["vocabulary"][v] for v in theirs.data["steps"][0]["tokens"][0]]
    wanted = [model.token_text(v) for v in first(raw, 3)]
    assert [(a, b) for a, b in zip(texts, wanted, strict=True) if a != b and "⟨" not in a] == []


def test_ecco_needs_a_head_that_reads_what_blocks_write(tiny: Load, ask: Ask) -> None:
    """OPT's projects in between; without it there is no such reading."""
    with pytest.raises(BuildError, match=r"^unsupported reproduce: ecco: the head of model opt reads 16 numbers"):
        ask(KIND, tiny("opt"), reproduce="ecco")


def test_one_position_may_be_the_next_one(tiny: Load, ask: Ask) -> None:
    """Nothing stands there yet: the winner is the model's first choice."""
    model = tiny("llama")
    spec = RunSpec(model="", prompt=TEXT.prompt, generate=0)
    run = model.run(spec)
    data = ask(KIND, model, spec, position=len(run.ids)).data
    assert data["targets"] == [len(run.ids)]
    assert data["ranks"][-1] == [1]
    generated = model.run(RunSpec(model="", prompt=TEXT.prompt, generate=1))
    assert data["winners"] == [data["steps"][0]["tokens"][-1][0]]
    assert int(generated.ids[-1]) == int(model.unembed(run.block_outputs[-1, -1]).argmax())


def test_a_single_token_has_a_next_one(tiny: Load, ask: Ask) -> None:
    """There is nothing to explain in it, but something to predict after it."""
    spec = RunSpec(model="", prompt="a", generate=0)
    with pytest.raises(BuildError, match=r"^missing output: the prompt is one token"):
        ask(KIND, tiny("llama"), spec)
    assert ask(KIND, tiny("llama"), spec, position=1).data["targets"] == [1]


def test_one_layer_alone(tiny: Load, ask: Ask) -> None:
    """Counted from the end too; ranks and probabilities are still told of all layers."""
    model = tiny("llama")
    whole = ask(KIND, model).data
    for layer in (2, -1):
        data = ask(KIND, model, layer=layer).data
        assert data["shown"] == [2]
        assert data["ranks"] == whole["ranks"]
        assert [len(step["tokens"]) for step in data["steps"]] == [1] * len(data["targets"])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"position": 99}, "unknown position: 99 (1 to 24 are tokens of the text, 25 is what would come next)"),
        ({"position": 0}, "unknown position: 0 (nothing stands before it; 1 to 24 are tokens of the text, 25 is"),
        ({"position": -1}, "unknown position: -1 (1 to 24"),
        ({"layer": 3}, "unknown layer: 3 (model llama has layers 0 to 2; -1 is the last)"),
        ({"layer": -4}, "unknown layer: -4"),
    ],
)
def test_what_is_not_there_is_named(params: dict[str, Any], message: str, tiny: Load, ask: Ask) -> None:
    """With what there is."""
    length = len(tiny("llama").run(TEXT).ids)
    message = message.replace("25", str(length)).replace("24", str(length - 1))
    with pytest.raises(BuildError) as caught:
        ask(KIND, tiny("llama"), **params)
    assert str(caught.value).startswith(message)


def test_far_steps_are_pieces(tiny: Load, ask: Ask, kinds: dict[str, Kind], monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader gets the first steps at once and the others when stepping there; the numbers are the same."""
    model = tiny("llama")
    whole = ask(KIND, model)
    monkeypatch.setattr(kinds[KIND].analysis, "INLINE", 2 * 3 * 10)
    cut = ask(KIND, model)
    targets = cut.data["targets"]
    assert [step is None for step in cut.data["steps"]] == [False] * 2 + [True] * (len(targets) - 2)
    assert list(cut.pieces) == [f"step-{position}" for position in targets[2:]]
    for a, b in zip(unfolded(whole), unfolded(cut), strict=True):
        assert a["probabilities"] == b["probabilities"]
        assert a["vocabulary"][a["winner"]] == b["vocabulary"][b["winner"]]
        assert [[a["vocabulary"][v] for v in row] for row in a["tokens"]] == [
            [b["vocabulary"][v] for v in row] for row in b["tokens"]
        ]


def test_no_probability_is_rounded_to_certainty(tiny: Load, ask: Ask, kinds: dict[str, Kind]) -> None:
    """A reader is never told 100% of less than all."""
    rounded = kinds[KIND].analysis._rounded  # type: ignore[attr-defined]
    assert [rounded(value) for value in (1.0, 0.99999, 0.123456, 1e-12)] == [1.0, 0.9999, 0.1235, 1e-12]


def test_the_size_of_blocks_changes_nothing(tiny: Load, ask: Ask, part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks bound the memory and nothing else."""
    whole = ask(KIND, tiny("llama")).data
    monkeypatch.setattr(lens, "HELD", 7000)  # of three layers × 320 tokens one position
    assert ask(KIND, tiny("llama")).data == whole


def test_a_token_enters_where_it_stays(part: Part) -> None:
    """What drops out again has not entered."""
    since = part(KIND, "predictions").since
    assert [since(ranks, 3) for ranks in ([9, 2, 5, 3, 1], [1, 1], [1, 4], [])] == [3, 0, None, None]


def test_prose_may_name_tokens_and_layers(tiny: Load, ask: Ask, kinds: dict[str, Kind]) -> None:
    """By text or position, and with a graphic of the probability over the layers."""
    kind = kinds[KIND]
    data = ask(KIND, tiny("hand_written"), INDUCTION).data
    parts = kind.parts(data)
    assert parts["token"]["B"].value == data["targets"][0]
    assert parts["layer"]["1"].value == 1
    spark = kind.spark(data, "token", parts["token"]["B"])
    assert spark.values == tuple(row[0] for row in data["probabilities"])
    assert spark.mark == 1
    assert spark.label.startswith("probability of “B” from ")


def test_the_description_says_when_the_answer_was_settled(kinds: dict[str, Kind], tiny: Load, ask: Ask) -> None:
    """An alt text tells what is to be seen."""
    data = ask(KIND, tiny("hand_written"), INDUCTION, top=2).data
    text = kinds[KIND].analysis.describe(data)
    assert text.startswith("The likeliest next tokens after each of 2 layers, 2 of them: “B” (")
    assert text.endswith("in the end) stays first from layer 1 on.")


@pytest.mark.weights
def test_smollm2_predicts_as_its_own_hidden_states_do(smollm2: Any, ask: Ask) -> None:
    """Against transformers' hidden states, normed but for the last, and a sort; and 100 tokens are not too many."""
    spec = RunSpec(model="smollm2", prompt="The countries of the European Union are:\n1. Austria\n2.", generate=100)
    answer = ask(KIND, smollm2, spec)
    run, network = smollm2.run(spec), smollm2.network
    assert all(check.holds for check in answer.checks.values())
    assert len(json.dumps(answer.data, ensure_ascii=False, separators=(",", ":")).encode()) <= 200_000
    assert max(len(json.dumps(piece)) for piece in answer.pieces.values()) < 12_000
    steps = unfolded(answer)
    with torch.no_grad():
        states = network(run.ids[None], output_hidden_states=True).hidden_states[1:]
        for layer, state in enumerate(states):
            normed = state[0] if layer == len(states) - 1 else network.model.norm(state[0])
            for step in (0, 40, 99):
                logits = network.lm_head(normed[run.targets[step] - 1])
                wanted = first(logits, 10)
                found = steps[step]
                assert found["probabilities"][layer] == pytest.approx(
                    logits.double().softmax(-1)[wanted].tolist(), rel=2e-3, abs=1e-12
                )
                said = logits[run.ids[run.targets[step]]]
                place = int((logits.sort(descending=True).values == said).nonzero()[0]) + 1
                assert answer.data["ranks"][layer][step] == place
