"""Rows of cotangents: what is left out of them is 0, and what is done to them is done to each position's own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from networks import Load
from torch import Tensor

from builder.model.backward.attention import Attended
from builder.model.backward.layers import Layers
from builder.model.backward.pieces import Extent, Piece, cut
from builder.model.backward.rows import Rows
from builder.model.backward.scratch import Scratch

CPU = torch.device("cpu")
ENDS = [3, 4, 4, 7]


def whole(ends: list[int], length: int, texts: int = 2, d: int = 5) -> Tensor:
    """Return cotangents [texts · copies, length, d] that are 0 from each target's end on."""
    made = torch.randn(texts, len(ends), length, d, generator=torch.Generator().manual_seed(0))
    for copy, end in enumerate(ends):
        made[:, copy, end:] = 0
    return made.flatten(0, 1)


@pytest.mark.parametrize(("ends", "length"), [(ENDS, 7), (ENDS, 9), ([6], 6), ([5, 5], 5), ([1, 2, 3], 3)])
@pytest.mark.parametrize("step", [1, 2, 4])
def test_rows_hold_all_that_is_not_zero(ends: list[int], length: int, step: int) -> None:
    """There and back; of each text as many as the targets' positions, rounded up."""
    rows = Rows(slice(1, 3), 2, length, ends, CPU, step)
    given = whole(ends, length)
    packed = rows.pack(given)
    assert len(packed) == rows.n
    assert sum(ends) <= rows.n // 2 <= min(len(ends) * length, sum(ends) + len(ends) * step)
    assert torch.equal(rows.unpack(packed), given)
    assert packed.square().sum() == pytest.approx(float(given.square().sum()))


def test_what_is_known_of_positions_meets_its_rows() -> None:
    """A factor for each position of each text, in a product of rows and in one of the whole."""
    rows = Rows(slice(1, 3), 2, 7, ENDS, CPU, 2)
    known = torch.randn(4, 9, 5, generator=torch.Generator().manual_seed(1))
    given = whole(ENDS, 7)
    packed = rows.pack(given)
    for part, factor in zip(rows.split(packed), rows.spread(known, Scratch(), "known"), strict=True):
        part.mul_(factor)
    expected = given.view(2, 4, 7, 5) * known[1:3, None, :7]
    assert torch.equal(rows.unpack(packed), expected.flatten(0, 1))


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_rows_are_read_and_written_in_blocks_of_positions(size: int) -> None:
    """Blocks before the tail, across its beginning, and behind it; rows of nothing are cleared at the end."""
    rows = Rows(slice(0, 2), 2, 7, ENDS, CPU)
    given = whole(ENDS, 7)
    packed = rows.pack(given)
    written = torch.full_like(packed, torch.nan)
    for start in range(0, 7, size):
        positions = slice(start, min(start + size, 7))
        block = torch.full((2, positions.stop - start, 4, 5), torch.nan)
        rows.read(rows.split(packed), positions, block)
        assert torch.equal(block, given.view(2, 4, 7, 5).transpose(1, 2)[:, positions])
        for share in rows.write(block, positions, rows.split(written)):
            share.into.copy_(share.found)
    rows.clear(rows.split(written))
    assert torch.equal(written, packed)


def piece(positions: list[int], length: int) -> Piece:
    """Return a piece of one text."""
    extent = Extent(slice(0, len(positions)), slice(0, 1), length, 1)
    return Piece(SimpleNamespace(), torch.zeros(1, length, 4), extent, positions)  # type: ignore[arg-type]


def test_rows_are_left_out_where_that_pays_and_nothing_looks_ahead() -> None:
    """Not a few of many; and none where a target's cotangents may be of later positions too."""
    assert piece([10, 20], 20).rows(CPU, causal=True).n == 30
    assert piece([10, 20], 20).rows(CPU, causal=False).n == 40
    assert piece([98, 99, 100], 100).rows(CPU, causal=True).n == 300


def test_work_is_cut_evenly() -> None:
    """Fifty targets that go ten at a time are five pieces of ten, not four of eleven and one of six."""
    extents = list(cut(range(200, 250), 1, together=True))
    assert [extent.targets.stop - extent.targets.start for extent in extents] == [10] * 5


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_blocks_of_two_kinds_hand_on_whole_cotangents(name: str, tiny: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """One in the middle, the last, or the first by its graph, the others written out."""
    model = tiny(name)
    x = model.embed(torch.arange(2, 62).view(3, 20))
    cotangents = torch.randn(3, 3, x.shape[-1], generator=torch.Generator().manual_seed(2))
    known = model.known_parts
    expected = model.backward(x, 3).pull(cotangents, [4, 11, 17])
    for graph in range(3):
        roles = tuple(None if layer == graph else role for layer, role in enumerate(known.roles))
        monkeypatch.setattr(model, "known_parts", known._replace(roles=roles))
        found = model.backward(x, 3).pull(cotangents, [4, 11, 17])
        assert torch.allclose(found, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


def test_nothing_is_left_out_where_positions_look_ahead(tiny: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked of the blocks that ran, and without leave all rows are there: the same gradients."""
    model: Any = tiny("llama")
    x = model.embed(torch.arange(2, 22)[None])
    cotangents = torch.randn(3, 1, x.shape[-1], generator=torch.Generator().manual_seed(3))
    back = model.backward(x, 3)
    assert back._layers.hide_what_is_later
    expected = back.pull(cotangents, [4, 11, 17])
    monkeypatch.setattr(Layers, "hide_what_is_later", False)
    found = model.backward(x, 3).pull(cotangents, [4, 11, 17])
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("later", [-torch.inf, torch.finfo(torch.float32).min, 0.0, -1.0, None])
def test_a_mask_tells_whether_positions_look_ahead(later: float | None) -> None:
    """Only one that hides all that is later is causal; a lowered score, or no mask, hides nothing."""
    query, key, value = torch.randn(3, 1, 2, 4, 8, generator=torch.Generator().manual_seed(4))
    mask = None if later is None else torch.full((1, 1, 4, 4), later).triu(1).nan_to_num(0.0, neginf=later)
    call: Any = SimpleNamespace(query=query, key=key, value=value, mask=mask, options={"scaling": 0.5})
    attended = Attended()
    attended.record(call)
    assert attended.causal == (later is not None and later < -1)
