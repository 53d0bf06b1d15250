"""A text run again from where it changes: the same numbers as a whole run, in every model where it can be."""

from __future__ import annotations

import pytest
import torch
from networks import Load
from networks.tiny import CAUSAL, CONFIGS

from builder.model import Model, memory, rerun
from builder.model.rerun import Original, Places, batches, keep, tails
from builder.model.trace import recording

OUTSIDE = ("bloom", "falcon", "gptj", "mamba", "lfm2")
"""Models whose tokens meet outside of transformers' attention interface, in all layers or in some."""
IDS = [3, 5, 7, 11, 13, 2, 17, 19, 23, 4]


def original_of(model: Model) -> Original:
    """Return the kept run of a text."""
    ids = torch.tensor(IDS)
    original = keep(model, ids, lambda: model.forward_ids(ids[None]))
    assert original is not None
    return original


@pytest.mark.parametrize("name", [name for name in (*CAUSAL, "gpt_oss") if name not in OUTSIDE])
def test_the_end_of_a_changed_text_is_that_of_its_whole_run(name: str, tiny: Load) -> None:
    """Texts that change at several places, in their embeddings or in the stream that enters any block."""
    model = tiny(name)
    original = original_of(model)
    starts = torch.tensor([0, 3, 4, 9])
    places = tails(starts, len(IDS))
    changed = model.embed(original.ids).repeat(4, 1, 1)
    changed[range(4), starts] = model.embed(torch.tensor([1, 2, 8, 6]))
    with torch.no_grad(), recording(model.structure.blocks) as seen:
        whole = model.forward_embeddings(changed)
    at = (places.texts, places.positions)
    assert (original.again(places, changed[at]) - whole[at]).abs().max() < 1e-5 * whole.abs().max()
    for layer in range(model.n_layers + 1):
        found = original.again(places, seen[layer - 1][at], layer)
        assert (found - whole[at]).abs().max() < 1e-5 * whole.abs().max()


@pytest.mark.parametrize("name", CONFIGS)
def test_whether_a_model_can_be_run_from_a_position_on_is_found_by_trying(name: str, tiny: Load) -> None:
    """Not by its name: where a convolution or an attention of its own brings tokens together, it cannot."""
    model = tiny(name)
    ids = torch.tensor(IDS)
    assert (keep(model, ids, lambda: model.forward_ids(ids[None])) is None) == (name in OUTSIDE)


def test_a_rerun_without_its_prefix_would_be_noticed(tiny: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trial fails where the keys and values of what comes before are not those of the run."""
    model = tiny("llama")
    assert rerun._rerun_error(model) < 1e-5
    kept = rerun._keep

    def forgetful(*args: object) -> Original:
        original = kept(*args)  # type: ignore[arg-type]
        for module, heard in original.heard.items():
            original.heard[module] = heard._replace(key=heard.key.flip(2))
        return original

    monkeypatch.setattr(rerun, "_keep", forgetful)
    assert rerun._rerun_error(model) > 1e-2
    assert not rerun._can_rerun(model)


def test_caps_and_sinks_are_left_to_the_models_own_attention(tiny: Load) -> None:
    """A softmax of scaled and masked products is done in one way for all; what is more than that is found by trying."""
    plain = {name: all(heard.plain for heard in original_of(tiny(name)).heard.values()) for name in ("llama", "gpt2")}
    assert plain == {"llama": True, "gpt2": True}
    for name in ("gemma2", "gpt_oss"):
        assert not any(heard.plain for heard in original_of(tiny(name)).heard.values())


def test_the_network_is_afterwards_what_it_was(tiny: Load) -> None:
    """Neither its attention nor its blocks stay changed."""
    model = tiny("llama")
    original = original_of(model)
    places = tails(torch.tensor([2]), len(IDS))
    original.again(places, torch.zeros(8, model.d_model), 1)
    assert model.network.config._attn_implementation == "eager"
    with torch.no_grad():
        assert torch.equal(model.forward_ids(original.ids[None])[0], original.final)


def test_places_are_counted_text_by_text() -> None:
    """And a token is found again by its text and its position."""
    places = tails(torch.tensor([2, 0]), 4)
    assert places.texts.tolist() == [0, 0, 1, 1, 1, 1]
    assert places.positions.tolist() == [2, 3, 0, 1, 2, 3]
    assert places.number(torch.tensor([0, 1, 1]), torch.tensor([3, 0, 3])).tolist() == [1, 2, 5]


def test_a_batch_holds_as_many_neighbours_as_fit() -> None:
    """At least one, and each text once."""
    assert list(batches([0, 1, 2, 3, 4], 5, 7)) == [slice(0, 1), slice(1, 3), slice(3, 5)]
    assert list(batches([0, 0], 20, 7)) == [slice(0, 1), slice(1, 2)]
    assert list(batches([], 20, 7)) == []


def test_fewer_go_together_where_memory_is_short(tiny: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as are fast, or as fit."""
    model = tiny("llama")
    assert rerun.at_once(model, 10) == rerun.TOKENS
    monkeypatch.setattr(memory, "budget", lambda *_args, **_kwargs: 4 * (24 * 32 + 640) * 5)
    assert rerun.at_once(model, 10) == 5


@pytest.mark.parametrize("name", ["llama", "gpt2", "gemma3", "gemma2"])
def test_a_lone_token_reads_what_the_others_had(name: str, tiny: Load) -> None:
    """Tokens at different positions, each changed by itself, up to a block: as in whole runs."""
    model = tiny(name)
    original = original_of(model)
    at = torch.tensor([9, 2, 5, 2])
    places = Places(at, torch.arange(4), at)
    changed = model.embed(original.ids).repeat(4, 1, 1)
    changed[range(4), at] = model.embed(torch.tensor([1, 2, 8, 6]))
    with torch.no_grad(), recording(model.structure.blocks) as seen:
        final = model.forward_embeddings(changed)
    here = (places.texts, at)
    assert (original.again(places, changed[here]) - final[here]).abs().max() < 1e-5 * final.abs().max()
    found = original.again(places, seen[0][here], 1, until=2)
    assert (found - seen[1][here]).abs().max() < 1e-5 * seen[1].abs().max()
