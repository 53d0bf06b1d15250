"""Summaries of heads: by hand on small weights, and on the model whose heads were written by hand."""

from __future__ import annotations

import math

import pytest
import torch
from networks import Load
from torch import Tensor

from builder.figure import RunSpec
from builder.model.heads import distance, entropy, first_token, induction, previous_token

UNIFORM = torch.ones(4, 4).tril() / torch.arange(1, 5)[:, None]
ITSELF = torch.eye(4)
PREVIOUS = torch.eye(4).roll(1, 0)
PREVIOUS[0] = torch.tensor([1.0, 0, 0, 0])
HEADS = torch.stack([UNIFORM, ITSELF, PREVIOUS])


def close(found: Tensor, right: list[float]) -> bool:
    """Return whether a number a head is right."""
    return torch.allclose(found, torch.tensor(right, dtype=torch.float64), atol=1e-7)


def test_entropy_is_the_mean_of_the_rows_in_nats() -> None:
    """Of n tokens alike ln n, of one 0; nothing is 0 ln 0."""
    assert close(entropy(HEADS), [math.log(24) / 4, 0, 0])


def test_distance_is_in_tokens_whichever_way() -> None:
    """A row of n alike reaches (n − 1) / 2 back; an encoder's may reach forward as far."""
    assert close(distance(HEADS), [(0 + 0.5 + 1 + 1.5) / 4, 0, 0.75])
    forward = torch.tensor([[[0.0, 0.5, 0.5], [0.0, 1.0, 0.0], [0.25, 0.0, 0.75]]])
    assert close(distance(forward), [(1.5 + 0 + 0.5) / 3])


def test_shares_leave_out_the_token_that_has_no_choice() -> None:
    """The first position of a causal head looks at itself whatever it does."""
    assert close(first_token(HEADS), [(1 / 2 + 1 / 3 + 1 / 4) / 3, 0, 1 / 3])
    assert close(previous_token(HEADS), [(1 / 2 + 1 / 3 + 1 / 4) / 3, 0, 1])
    assert close(first_token(torch.tensor([[[0.25, 0.75]]]), own=False), [0.25])


def test_induction_counts_what_followed_each_earlier_occurrence() -> None:
    """A B A B A: the third token has one place to look at, the fourth one, the fifth two; the first two have none."""
    weights = torch.rand(2, 5, 5, generator=torch.Generator().manual_seed(0)).tril()
    weights /= weights.sum(-1, keepdim=True)
    by_hand = [float(w[2, 1] + w[3, 2] + w[4, 1] + w[4, 3]) / 3 for w in weights.double()]
    found = induction(weights, torch.tensor([7, 9, 7, 9, 7]))
    assert found is not None
    assert close(found, by_hand)


def test_without_repetition_there_is_no_induction() -> None:
    """Nor where a token was followed by itself alone: what follows is then where the head stands."""
    assert induction(HEADS, torch.tensor([1, 2, 3, 4])) is None
    assert induction(HEADS, torch.tensor([1, 2, 3, 3])) is None


def test_a_single_token_has_no_previous_one() -> None:
    """NaN, and no error: whoever publishes it must say so."""
    single = torch.ones(2, 1, 1)
    assert previous_token(single).isnan().all()
    assert first_token(single).isnan().all()
    assert close(entropy(single), [0, 0])


@pytest.mark.parametrize("words", ["A B C A", "A B C D A B C D", "A B A C A"])
def test_heads_written_by_hand_have_the_highest_scores_there_are(words: str, tiny: Load) -> None:
    """Layer 0 head 0 looks at the previous token and layer 1 head 0 at what followed before, with a weight of 1."""
    model = tiny("hand_written")
    run = model.run(RunSpec(model="hand_written", prompt=words, generate=0))
    with torch.no_grad():
        layers = model.network(run.ids[None], output_attentions=True).attentions
    previous, inductive = layers[0][0], layers[1][0]
    assert previous_token(previous)[0] == 1.0
    assert first_token(previous)[0] == 1 / (len(run.ids) - 1)
    assert distance(previous)[0] == (len(run.ids) - 1) / len(run.ids)
    assert entropy(previous)[0] == 0.0
    scores = induction(inductive, run.ids)
    assert scores is not None
    assert previous_token(inductive)[0] < 1.0
    if words != "A B A C A":  # its last A finds two places, and the head looks at both
        assert scores[0] == 1.0
    assert scores[0] == pytest.approx(1.0)
    assert scores[1] < 0.6
