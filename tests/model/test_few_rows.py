"""Linear maps of a few rows, shared out among threads, give what their own forward gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from networks import Load
from networks.tiny import CAUSAL
from transformers.pytorch_utils import Conv1D

from builder.figure import RunSpec
from builder.model import few_rows

pytestmark = pytest.mark.skipif(not torch.backends.mkl.is_available(), reason="only MKL leaves them to one thread")


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    """Set how many threads there are; afterwards there are as many as before."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.fixture
def three(threads: Callable[[int], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Three threads, into which 32 rows do not divide, and parts as small as tiny models need."""
    threads(3)
    monkeypatch.setattr(few_rows, "LEAST", 4)


def linear_maps() -> list[torch.nn.Module]:
    """Return maps of 8 numbers to 32, with a bias and without, by rows and by columns; and to fewer than two parts."""
    torch.manual_seed(0)
    by_columns = Conv1D(32, 8)
    torch.nn.init.normal_(by_columns.bias)
    return [torch.nn.Linear(8, 32), torch.nn.Linear(8, 32, bias=False), by_columns, torch.nn.Linear(8, 7)]


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[torch.Size]:
    """The shapes of products that are made as a batch, one for each thread."""
    shapes: list[torch.Size] = []
    bmm = torch.bmm

    def spy(a: torch.Tensor, b: torch.Tensor, **options: Any) -> torch.Tensor:
        shapes.append(b.shape)
        return bmm(a, b, **options)

    monkeypatch.setattr(torch, "bmm", spy)
    return shapes


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("shape", [(8,), (1, 8), (1, 1, 8), (2, 3, 8), (8, 8)])
@torch.no_grad()
def test_rows_are_multiplied_in_parts(shape: tuple[int, ...], batches: list[torch.Size]) -> None:
    """Ten columns for each of three threads and two that are left, with any dimensions before."""
    given = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    maps = torch.nn.ModuleList(linear_maps())
    theirs = [module(given) for module in maps]
    with few_rows.by_all_threads(maps):
        ours = [module(given) for module in maps]
    assert batches == 3 * [torch.Size([3, 8, 10])]
    for mine, own in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, own, rtol=1e-6, atol=1e-6)


@pytest.mark.usefixtures("three")
def test_other_rows_go_their_own_way(batches: list[torch.Size]) -> None:
    """Many rows, those of a graph, other formats; and afterwards all of them."""
    maps = torch.nn.ModuleList(linear_maps())
    few, many = torch.randn(2, 8), torch.randn(few_rows.FEW + 1, 8)
    with few_rows.by_all_threads(maps):
        with torch.no_grad():
            assert [module(many).shape[0] for module in maps] == 4 * [len(many)]
        maps[0](few.requires_grad_()).sum().backward()
    assert few.grad is not None
    short = torch.nn.Linear(8, 32).bfloat16()
    with few_rows.by_all_threads(short), torch.no_grad():
        short(few.bfloat16())
    with torch.no_grad():
        maps[0](few)
    assert not batches
    assert not any("forward" in vars(module) for module in maps)


def test_one_thread_has_nobody_to_share_with(threads: Callable[[int], None], batches: list[torch.Size]) -> None:
    """As in each process of a build of many."""
    threads(1)
    module = torch.nn.Linear(8, 4 * few_rows.LEAST)
    with few_rows.by_all_threads(module), torch.no_grad():
        module(torch.randn(1, 8))
    assert not batches


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("name", CAUSAL)
def test_the_same_text_is_generated(tiny: Load, name: str) -> None:
    """Greedily, on all architectures: what transformers' own `generate` writes with nothing replaced."""
    model = tiny(name)
    run = model.run(RunSpec(model=name, prompt="1, 1, Austria", generate=6))
    prompt = run.ids[None, : run.n_input]
    with torch.no_grad():
        own = model.network.generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=6, do_sample=False)
    assert run.ids.tolist() == own[0].tolist()
