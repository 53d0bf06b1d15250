"""In how many processes a build computes where nobody said it: as many as pay."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.cache import Cache
from builder.costs import Costs, Measurement, Task
from builder.engine import make_batches, process_count, run_jobs
from builder.engine.batch import Batch
from builder.engine.in_process import InProcess
from builder.engine.outcome import Tell, Told
from builder.engine.process_count import fetch_size, find_processes
from builder.errors import BuildError
from builder.kind import Kind
from builder.model_source import ModelSource
from builder.progress import Silent
from builder.sources.sizes import ModelSize

from .conftest import Source, make_job

GIGABYTE = 1 << 30
Ask = Callable[..., int]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """A machine of eight cores, no card, and a model of a hundred million parameters that is here; to be changed."""
    told: dict[str, object] = {"cores": 8, "free": 64 * GIGABYTE, "size": ModelSize(10**8, 4 * 10**8), "here": True}
    monkeypatch.setattr(process_count, "usable_cores", lambda: told["cores"])
    monkeypatch.setattr(process_count, "free_memory", lambda: told["free"])
    monkeypatch.setattr(process_count, "CARDS", ())
    monkeypatch.setattr(process_count, "find_folder", lambda *_: Path() if told["here"] else None)
    monkeypatch.setattr(process_count, "find_size", lambda _, folder, **__: None if folder is None else told["size"])
    return told


@pytest.fixture
def ask(kind: Kind, tmp_path: Path) -> Ask:
    """Return a function that says how many processes answer so many texts, where each is known to take some seconds."""

    def asked(texts: int, seconds: float, device: str = "auto", *, measured_on: str = "cpu", **source: str) -> int:
        costs = Costs(tmp_path / f"{seconds} on {measured_on}")
        job = make_job(kind)
        took = [
            Measurement(dataclasses.replace(Task.of(job, step=step), parameters=10**8, device=measured_on), seconds / 2)
            for step in ("run", "answer")
        ]
        costs.record(took)
        return find_processes(
            batches(kind, tmp_path, texts, **source),
            costs,
            device,
            lambda batch: fetch_size(batch, print),
        )

    return asked


def batches(kind: Kind, root: Path, texts: int, **source: str) -> list[Batch]:
    """Return a batch for each of so many texts."""
    jobs = [make_job(kind, prompt="abcd"[:4] + str(n)) for n in range(texts)]
    return [
        dataclasses.replace(batch, source=ModelSource("m", "org/model", **source))  # type: ignore[arg-type]
        for batch in make_batches(jobs, root)
    ]


def test_as_many_as_have_something_to_do(machine: dict[str, object], ask: Ask) -> None:
    """None for what one process does in a moment; four at most, and no more than there are cores, or texts."""
    assert ask(20, 0.5) == 0
    assert ask(20, 1.2) == 2
    assert ask(20, 60) == process_count.MOST
    assert ask(3, 60) == 3
    assert ask(1, 600) == 0
    machine["cores"] = 2
    assert ask(20, 60) == 2
    machine["cores"] = 1
    assert ask(20, 60) == 0


def test_as_many_as_memory_has_room_for(machine: dict[str, object], ask: Ask) -> None:
    """Each holds the weights, and what it computes with."""
    machine["free"] = 3 * (process_count.MEMORY + 4 * 10**8)
    assert ask(20, 60) == 3
    machine["free"] = process_count.MEMORY
    assert ask(20, 60) == 0


def test_a_second_model_takes_as_much_as_the_first(machine: dict[str, object], kind: Kind, tmp_path: Path) -> None:
    """Where a figure compares two, each process has both in memory."""
    many = batches(kind, tmp_path, 900)
    machine["free"] = 3 * (process_count.MEMORY + 8 * 10**8) - 1
    assert find_processes(many, Costs(tmp_path), "auto", lambda _: ModelSize(10**8, 4 * 10**8)) == 3
    (job,) = many[0].jobs
    many[0] = dataclasses.replace(many[0], jobs=(dataclasses.replace(job, versus=ModelSource("n", "org/other")),))
    assert find_processes(many, Costs(tmp_path), "auto", lambda _: ModelSize(10**8, 4 * 10**8)) == 2


def test_cards_and_devices_that_share_a_model_are_asked_once(
    machine: dict[str, object], ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card that is asked for, one that computed here, or may; not where the processor is asked for all the same."""
    assert ask(20, 60, "cuda") == 0
    assert ask(20, 60, device_map="auto") == 0
    (tmp_path / "card").touch()
    monkeypatch.setattr(process_count, "CARDS", (str(tmp_path / "card"),))
    assert ask(20, 60) == 0
    assert ask(20, 60, "cpu") == process_count.MOST
    monkeypatch.setattr(process_count, "CARDS", ())
    assert ask(20, 60, measured_on="cuda") == 0


def test_small_models_are_not_what_unknown_ones_are(machine: dict[str, object], kind: Kind, tmp_path: Path) -> None:
    """Before anything was measured a model is taken to be like SmolLM2, but for the numbers that it has."""
    many, nothing = batches(kind, tmp_path, 900), Costs(tmp_path / "none")
    assert find_processes(many, nothing, "auto", lambda _: machine["size"]) == process_count.MOST
    machine["size"] = ModelSize(10_000, 40_000)
    assert find_processes(many, nothing, "auto", lambda _: machine["size"]) == 0


def test_a_model_is_fetched_by_one_before_others_start(
    machine: dict[str, object], kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told, and told to be over; one that cannot be had is left to the process that needs it."""
    machine["here"] = False
    many, heard = batches(kind, tmp_path, 900), list[Told]()

    class Fetched:
        folder = Path()

    def read(batch: Batch) -> ModelSize | None:
        return fetch_size(batch, heard.append)

    monkeypatch.setattr(process_count, "fetch", lambda *_: Fetched)
    assert find_processes(many, Costs(tmp_path), "auto", read) == process_count.MOST
    assert [told.text for told in heard] == ["fetching m", ""]

    def refuse(*_: object) -> None:
        raise BuildError("missing model")

    monkeypatch.setattr(process_count, "fetch", refuse)
    assert find_processes(many, Costs(tmp_path), "auto", read) == 0


def test_processes_are_found_where_nobody_says_how_many(
    tmp_path: Path, kind: Kind, tiny_source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as pay, or as many as are asked for; the preview keeps its models, and so computes by itself."""
    started = []

    def start(processes: int, cache: Cache, tell: Tell) -> InProcess:
        started.append(processes)
        return InProcess(cache, tell)

    monkeypatch.setattr("builder.engine.find_processes", lambda *_: 7)
    monkeypatch.setattr("builder.engine._start", start)
    jobs = [make_job(kind, source=tiny_source("llama"), prompt=str(n)) for n in range(7)]
    for number, (processes, keep) in enumerate([(None, False), (None, True), (0, False), (3, True)]):
        run_jobs(jobs, tmp_path, Cache(tmp_path / str(number)), Silent(), processes=processes, keep=keep)
    assert started == [7, 3]
    for processes in (3, 10**12):
        run_jobs(jobs[:1], tmp_path, Cache(tmp_path / f"one by {processes}"), Silent(), processes=processes)
    assert started == [7, 3, 1, 1]  # it has all cores; the memory is not shared out among those who have nothing
