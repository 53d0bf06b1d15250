"""What is computed on: the device that is asked for, and one card for each process."""

from __future__ import annotations

import multiprocessing
from types import SimpleNamespace

import pytest
import torch

from builder.engine import device
from builder.engine.device import find_device
from builder.errors import BuildError


def test_without_a_card_the_processor_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto` takes a card where there is one, and never Apple's, which lacks what some gradients need."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert find_device("auto") == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "zeros", lambda size, device: None)
    assert find_device("auto") == "cuda"


def test_a_device_that_is_not_here_is_told_with_those_that_are() -> None:
    """The machine's own names, as the command line takes them."""
    with pytest.raises(BuildError, match=r"^invalid device: hpu cannot be had here: .* \(here: cpu"):
        find_device("hpu")


@pytest.mark.parametrize(
    ("process", "asked", "cards", "expected"),
    [
        ("MainProcess", "cuda", 4, "cuda"),
        ("SpawnProcess-1", "cuda", 4, "cuda:0"),
        ("SpawnProcess-6", "cuda", 4, "cuda:1"),
        ("SpawnProcess-2", "cuda", 1, "cuda"),
        ("SpawnProcess-2", "cpu", 4, "cpu"),
    ],
)
def test_processes_take_cards_in_turn(
    process: str, asked: str, cards: int, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four processes on four cards: one each. What is said of a card by its number is left as it is."""
    monkeypatch.setattr(multiprocessing, "current_process", lambda: SimpleNamespace(name=process))
    assert device._take_turns(asked, SimpleNamespace(device_count=lambda: cards)) == expected
    assert device._take_turns("cuda:3", None) == "cuda:3"
