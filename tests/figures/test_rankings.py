"""Rankings are the logit lens: counted ranks equal sorted ones, and a model with known weights gives known answers."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from models import Load
from models.tiny import CAUSAL

from builder.figure import RunSpec
from builder.kind import Kind
from builder.model import lens

from . import Ask, Part
from .conftest import TEXT


def sorted_rank(logits: torch.Tensor, token: int) -> int:
    """Return the place of the first token that has this logit, in descending order."""
    order = logits.sort(descending=True).values
    return int((order == logits[token]).nonzero()[0]) + 1


@pytest.mark.parametrize("name", CAUSAL)
def test_ranks_by_counting_are_ranks_by_sorting(name: str, tiny: Load, ask: Ask) -> None:
    """1 + #{v : z_v > z_t} needs no sort; the lens here is the model's own norm and head on a block's output."""
    model = tiny(name)
    run = model.run(TEXT)
    data = ask("rankings", model).data
    with torch.no_grad():
        for layer in range(model.n_layers):
            logits = model.unembed(run.block_outputs[layer])
            for t, position in enumerate(run.targets):
                token = int(run.ids[position])
                assert data["ranks"][layer][t] == sorted_rank(logits[position - 1], token)
                probability = float(logits[position - 1].double().softmax(-1)[token])
                assert data["probabilities"][layer][t] == pytest.approx(probability, rel=1e-3)


@pytest.mark.parametrize("name", CAUSAL)
def test_the_last_layers_ranks_are_the_models_own(name: str, tiny: Load, ask: Ask) -> None:
    """A norm left out, or taken twice, ends here: greedy decoding chose rank 1 each time."""
    assert set(ask("rankings", tiny(name)).data["ranks"][-1]) == {1}


def test_the_induction_head_brings_the_answer_to_the_top(tiny: Load, ask: Ask) -> None:
    """In the hand-written GPT-2 the second `A` leads to `B`: A itself stands first after layer 0, B after layer 1."""
    data = ask("rankings", tiny("hand_written"), RunSpec(model="", prompt="A B C A", output="B")).data
    assert data["ranks"] == [[2], [1]]
    first = [data["vocabulary"][layer[0][0]] for layer in data["top"]]
    assert [text.strip() for text in first] == ["A", "B"]


def test_top_tokens_are_indices_into_one_vocabulary(tiny: Load, ask: Ask) -> None:
    """A text stands once in the JSON, however often it is a first choice."""
    model = tiny("llama")
    data = ask("rankings", model, top=5).data
    assert len(set(data["vocabulary"])) == len(data["vocabulary"])
    run = model.run(TEXT)
    wanted = [model.token_text(token) for token in run.logits[0].topk(5).indices.tolist()]
    assert [data["vocabulary"][v] for v in data["top"][-1][0]] == wanted
    assert [len(data[key]) for key in ("ranks", "probabilities", "top", "layers")] == [model.n_layers] * 4


def test_the_size_of_blocks_changes_nothing(tiny: Load, ask: Ask, part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks bound the memory and nothing else."""
    whole = ask("rankings", tiny("llama")).data
    monkeypatch.setattr(lens, "FLOATS", 700)  # two positions of 320 tokens
    assert ask("rankings", tiny("llama")).data == whole


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(-3, 3), min_size=4, max_size=40), st.data())
def test_equal_logits_share_a_place_and_have_an_order(part: Part, values: list[int], data: Any) -> None:
    """Ties are not broken by chance: of equals the lower token comes first."""
    token = data.draw(st.integers(0, len(values) - 1))
    logits = torch.tensor([values], dtype=torch.float32)
    assert int(lens.rank(logits, logits[:, token, None])) == sorted_rank(logits[0], token)
    top = lens.largest(logits, 3)[0].tolist()
    assert [values[i] for i in top] == sorted(values, reverse=True)[:3]
    assert all(a < b for a, b in pairwise(top) if values[a] == values[b])


def test_probabilities_keep_their_digits(part: Part) -> None:
    """Logits near 40 lose two digits in z − logsumexp, and torch's own softmax loses them too."""
    logits = torch.randn(8, 50_000, generator=torch.Generator().manual_seed(0)) * 4 + 30
    own = logits[:, :1]
    truth = logits.double().softmax(-1)[:, 0]
    assert ((lens.probability(logits, own).double() - truth) / truth).abs().max() < 5e-6


def test_the_description_says_when_the_answer_was_settled(kinds: dict[str, Kind], tiny: Load, ask: Ask) -> None:
    """An alt text tells what is to be seen: which tokens, and from which layer on they stay first."""
    describe = kinds["rankings"].analysis.describe
    data = ask("rankings", tiny("hand_written"), RunSpec(model="", prompt="A B C A", output="B")).data
    assert describe(data) == "Ranks of 1 token after each of 2 layers: “B” stays first from layer 1 on."
    data = dict(data, ranks=[[2], [1200]])
    assert describe(data) == "Ranks of 1 token after each of 2 layers: “B” ends at rank 1,200."


@pytest.mark.weights
def test_smollm2_ranks_as_a_sort_of_its_own_hidden_states_does(smollm2: Any, ask: Ask) -> None:
    """On the real model, against transformers' hidden states: all but the last without the final norm."""
    spec = RunSpec(model="smollm2", prompt="London is in England. Paris is in", generate=6)
    answer = ask("rankings", smollm2, spec)
    run, network = smollm2.run(spec), smollm2.network
    with torch.no_grad():
        states = network(run.ids[None], output_hidden_states=True).hidden_states[1:]
        for layer, state in enumerate(states):
            normed = state if layer == len(states) - 1 else network.model.norm(state)
            logits = network.lm_head(normed)[0]
            for t, position in enumerate(run.targets):
                assert answer.data["ranks"][layer][t] == sorted_rank(logits[position - 1], int(run.ids[position]))
    assert all(check.holds for check in answer.checks.values())
