"""Changed runs that begin in different blocks: the numbers of whole runs, and few ways through each block."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
import torch
from networks import Load

from builder.model import sweep as module
from builder.model.interventions import States, between, record_states
from builder.model.rerun import Original, keep, tails
from builder.model.sweep import Beginning, sweep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.model import Model

IDS = [3, 5, 7, 11, 13, 2, 17, 19]


@dataclass
class Doubled:
    """Runs in each of which the stream that enters a block is doubled at a position."""

    model: Model
    original: Original | None
    states: States
    beginnings: Sequence[Beginning]
    asked: list[tuple[range, int]] = field(default_factory=list)
    """Through which blocks runs were taken, and how many."""

    @property
    def ids(self) -> torch.Tensor:
        """The text."""
        return torch.tensor(IDS)

    def enter(self, block: int, runs: list[int]) -> torch.Tensor:
        """Return what enters a block, from the position on, or the whole of it."""
        at = [self.beginnings[run].position if self.original else 0 for run in runs]
        changed = [self.beginnings[run].position for run in runs]
        streams = self.states.before(block).repeat(len(runs), 1, 1)
        streams[range(len(runs)), changed] *= 2
        return torch.cat([stream[start:] for stream, start in zip(streams, at, strict=True)])

    def through(self, blocks: range, runs: list[int], stream: torch.Tensor) -> torch.Tensor:
        """Take runs through blocks."""
        self.asked.append((blocks, len(runs)))
        if self.original is None:
            texts = stream.view(len(runs), len(IDS), -1)
            return between(self.model, self.ids, blocks, texts).flatten(0, 1)
        places = tails(torch.tensor([self.beginnings[run].position for run in runs]), len(IDS))
        return self.original.again(places, stream, blocks.start, until=blocks.stop)


def changed_runs(model: Model, *, parts: bool) -> Doubled:
    """Return one run for each block, the end of the blocks too, and some positions."""
    ids = torch.tensor(IDS)
    states = record_states(model.structure, lambda: model.forward_ids(ids[None]))
    original = keep(model, ids, lambda: model.forward_ids(ids[None])) if parts else None
    positions = [6, 0, 3] if parts else [0, 0]
    beginnings = [Beginning(block, position) for position in positions for block in range(model.n_layers, -1, -1)]
    return Doubled(model, original, states, beginnings)


def plainly(changes: Doubled, run: int) -> torch.Tensor:
    """Return what a run leads to at the last token, the whole of it by itself: logits [vocab]."""
    block, position = changes.beginnings[run]
    stream = changes.states.before(block)[None].clone()
    stream[0, position] *= 2
    if block < changes.model.n_layers:
        stream = between(changes.model, changes.ids, range(block, changes.model.n_layers), stream)
    return changes.model.unembed(stream[0, -1])


def swept(changes: Doubled) -> dict[int, torch.Tensor]:
    """Return what each run leads to, as `sweep` finds it; each must be there once."""
    found: dict[int, torch.Tensor] = {}
    for runs, last in sweep(changes.model, len(IDS), changes):
        assert not set(runs) & set(found)
        found |= dict(zip(runs, changes.model.unembed(last), strict=True))
    assert len(found) == len(changes.beginnings)
    return found


@pytest.mark.parametrize("parts", [True, False], ids=["from a token on", "whole texts"])
@pytest.mark.parametrize("chained", [True, False])
@pytest.mark.parametrize("name", ["llama", "gpt2", "gemma2"])
def test_every_run_ends_as_it_does_by_itself(
    name: str, chained: bool, parts: bool, tiny: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether those that have begun go together, or those that begin together go alone."""
    model = tiny(name)
    monkeypatch.setitem(model.__dict__, "chained", chained)
    changes = changed_runs(model, parts=parts)
    with torch.no_grad():
        for run, logits in swept(changes).items():
            whole = plainly(changes, run)
            assert (logits - whole).abs().max() < 1e-5 * whole.abs().max()


def test_runs_that_have_begun_go_through_each_block_at_once(tiny: Load) -> None:
    """A way for each block, with more runs every time; where blocks are no chain, one for each that runs begin in."""
    model = tiny("llama")
    changes = changed_runs(model, parts=True)
    swept(changes)
    assert model.chained
    assert changes.asked == [(range(block, block + 1), 3 * (block + 1)) for block in range(model.n_layers)]


def test_runs_of_blocks_that_are_no_chain_go_to_the_end(tiny: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than the stream may go from block to block there, so none stops between two."""
    model = tiny("llama")
    monkeypatch.setitem(model.__dict__, "chained", False)
    changes = changed_runs(model, parts=True)
    swept(changes)
    assert changes.asked == [(range(block, model.n_layers), 3) for block in range(model.n_layers)]


def test_streams_and_logits_take_the_memory_there_is(tiny: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a chunk holds eight tokens, one text goes at a time, and its logits are made alone."""
    model = tiny("llama")
    changes = changed_runs(model, parts=False)
    monkeypatch.setattr(module, "rows", lambda bytes_per_row, *_, most: 8 if most == module.HELD else 1)
    every = list(sweep(model, len(IDS), changes))
    assert [runs for runs, _ in every] == [[run] for run in range(len(changes.beginnings))]
    with torch.no_grad():
        assert all(torch.allclose(model.unembed(last[0]), plainly(changes, runs[0]), atol=1e-4) for runs, last in every)


def test_batches_are_of_like_size(tiny: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten runs of eight tokens, where 64 fit, are five and five: not eight and two."""
    model = tiny("llama")
    states = record_states(model.structure, lambda: model.forward_ids(torch.tensor([IDS])))
    changes = Doubled(model, None, states, [Beginning(model.n_layers - 1, 0)] * 10)
    monkeypatch.setattr(module, "at_once", lambda *_: 64)
    swept(changes)
    assert [n for _, n in changes.asked] == [5, 5]
