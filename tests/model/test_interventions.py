"""Interventions: runs that begin in the middle, and batches whose rows differ in what is put into them."""

from __future__ import annotations

import pytest
import torch
from networks import Load

from builder.model.interventions import Patch, entering, patching, record_states

IDS = torch.tensor([3, 5, 7, 11, 13])


@pytest.mark.parametrize("name", ["gpt2", "llama", "gemma3", "falcon", "bloom", "mixtral"])
def test_a_run_can_begin_at_any_block(name: str, tiny: Load) -> None:
    """With the stream that enters it the rest is as it was, the last block's output being all that the end needs."""
    model = tiny(name)
    states = record_states(model.structure, lambda: model.forward_ids(IDS[None]))
    for layer in range(model.n_layers + 1):
        with torch.no_grad(), entering(model.structure, layer, states.before(layer)[None]):
            final = model.forward_ids(IDS[None])[0]
        torch.testing.assert_close(final, states.final, rtol=1e-4, atol=1e-4)


def test_the_blocks_before_do_not_run(tiny: Load) -> None:
    """That is what makes it cheap; and afterwards they run again."""
    model = tiny("llama")
    states = record_states(model.structure, lambda: model.forward_ids(IDS[None]))
    ran: list[int] = []
    handles = [a.register_forward_hook(lambda *_, i=i: ran.append(i)) for i, a in enumerate(model.structure.attentions)]
    with torch.no_grad():
        with entering(model.structure, 2, states.before(2)[None]):
            model.forward_ids(IDS[None])
        assert ran == [2]
        model.forward_ids(IDS[None])
    assert ran == [2, 0, 1, 2]
    for handle in handles:
        handle.remove()


@pytest.mark.parametrize("name", ["gpt2", "opt", "falcon", "bert_decoder"])
def test_rows_are_patched_where_each_says(name: str, tiny: Load) -> None:
    """A row with the clean state in its place, a row with another, and one that is let be."""
    model = tiny(name)
    states = record_states(model.structure, lambda: model.forward_ids(IDS[None]))
    own = states.handed_on["mlp"][1]
    assert own is not None
    where = torch.tensor([2, 3])
    patch = Patch(model.structure.mlps[1], torch.tensor([0, 1]), where, torch.stack([own[2], 3 * own[3]]))
    with torch.no_grad(), patching([patch], len(IDS)):
        same, other, untouched = model.forward_ids(IDS.expand(3, -1))
    for final in (same, untouched):
        torch.testing.assert_close(final, states.final, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(other[:3], states.final[:3], rtol=1e-4, atol=1e-4)
    assert (other[3:] - states.final[3:]).abs().max() > 1e-3
