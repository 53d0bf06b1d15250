"""Places among equal logits are no chance, and probabilities keep their digits."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.model import lens


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(-3, 3), min_size=4, max_size=40), st.data())
def test_equal_logits_share_a_place_and_have_an_order(values: list[int], data: Any) -> None:
    """Ties are not broken by chance: of equals the lower token comes first."""
    token = data.draw(st.integers(0, len(values) - 1))
    logits = torch.tensor([values], dtype=torch.float32)
    assert int(lens.rank(logits, logits[:, token, None])) == 1 + sorted(values, reverse=True).index(values[token])
    assert lens.largest(logits, 3)[0].tolist() == sorted(range(len(values)), key=lambda v: (-values[v], v))[:3]


@pytest.mark.parametrize("bias", [False, True])
def test_of_a_padded_vocabulary_the_first_tokens_are_read(bias: bool) -> None:
    """All rows of nothing have the same logit, those in other groups and pieces too."""
    head = torch.nn.Linear(4, 3000, bias=bias)
    with torch.no_grad():
        head.weight[200:] = 0
        head.weight[:200] = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
        if bias:
            head.bias.zero_()
    states = torch.randn(2, 5, 4, generator=torch.Generator().manual_seed(1))
    states[0, 0] = 0
    reads = lens.Lens(torch.nn.Identity(), head, head, head)
    found = lens.read_layers(reads, states, states[-1], torch.zeros(5, dtype=torch.long), vocab_size=3000, top=150)
    with torch.no_grad():
        wanted = (states @ head.weight.T).sort(dim=-1, descending=True, stable=True).indices[..., :150]
    assert found.top.equal(wanted)
    assert found.top[0, 0].tolist() == list(range(150))


def test_probabilities_keep_their_digits() -> None:
    """Logits near 40 lose two digits in z − logsumexp, and torch's own softmax loses them too."""
    logits = torch.randn(8, 50_000, generator=torch.Generator().manual_seed(0)) * 4 + 30
    own = logits[:, :1]
    truth = logits.double().softmax(-1)[:, 0]
    assert ((lens.probability(logits, own).double() - truth) / truth).abs().max() < 5e-6
