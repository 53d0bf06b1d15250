"""Batches: a model loads once, a run is made once, a finished result is kept, and all problems come together."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path
from typing import Any

import pytest

from builder import engine
from builder.cache import Cache
from builder.engine import Batch, SerialExecutor, make_batches, run_batch, run_jobs
from builder.errors import BuildError
from builder.figure import FigureSpec, Option, RunSpec
from builder.kind import Kind
from builder.plan import Job, Question
from builder.progress import Silent
from builder.site import ModelSource

ANALYSIS = """
import os
from dataclasses import dataclass
from builder.errors import BuildError
from builder.figure import Answer, Check

@dataclass(frozen=True)
class Params:
    do: str = "answer"

def analyse(run, params):
    if params.do == "complain":
        raise BuildError("unknown contrast: x")
    if params.do == "break":
        raise RuntimeError("a fault of the kind's")
    if params.do == "take all memory":
        raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")
    if params.do == "die":
        os._exit(9)
    if params.do == "overflow":
        return Answer({"scores": [float("nan")]}, {})
    bound = 0.0 if params.do == "fail its check" else 1.0
    return Answer({"prompt": run.spec.prompt, "do": params.do}, {"small": Check(0.5, bound)})

def describe(data):
    return ""
"""


class FakeRun:
    """A run that only knows what was asked."""

    ended_at_once = False
    versus: Any = None

    def __init__(self, spec: RunSpec) -> None:
        self.spec = spec


class FakeModel:
    """Counts its runs."""

    family = "decoder"

    def __init__(self) -> None:
        self.runs: list[RunSpec] = []

    def run(self, spec: RunSpec) -> FakeRun:
        """Make a run."""
        self.runs.append(spec)
        return FakeRun(spec)

    def provenance(self) -> dict[str, Any]:
        """Say where it comes from."""
        return {"model": "fake"}


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    """Every batch of this test gets this one model."""
    fake = FakeModel()
    monkeypatch.setattr(engine, "_load", lambda *_: fake)
    return fake


@pytest.fixture
def kind(tmp_path: Path) -> Kind:
    """A kind whose parameter says how it behaves."""
    folder = tmp_path / "figures" / "sample"
    folder.mkdir(parents=True)
    (folder / "analysis.py").write_text(ANALYSIS)
    return Kind("sample", folder)


def make_job(kind: Kind, *, prompt: str = "p", do: str = "answer", model: str = "m", line: int = 3) -> Job:
    """Return a job that a figure on `line` of `a.md` waits for."""
    run = RunSpec(model, prompt)
    question = Question(kind.name, "code", model, run, {"do": do}, {})
    spec = FigureSpec(1, "fig-x", Path("a.md"), line, Option(kind.name, line))
    return Job(
        question.address,
        question,
        kind,
        ModelSource(model, model),
        run,
        (spec,),
        {"contrast": 9, "model": 8, "prompt": line},
    )


def test_jobs_of_one_run_share_it_and_results_reach_the_cache(tmp_path: Path, kind: Kind, model: FakeModel) -> None:
    """Two analyses of one text generate it once."""
    jobs = [make_job(kind), make_job(kind, do="other"), make_job(kind, prompt="q")]
    run_jobs(jobs, tmp_path, tmp_path, Silent())
    assert [run.prompt for run in model.runs] == ["p", "q"]
    cache = Cache(tmp_path)
    for job in jobs:
        result = cache.find(job.address)
        assert result is not None
        assert result.data["prompt"] == job.run.prompt
        assert result.provenance["model"] == "fake"
        assert result.provenance["prompt"] == job.run.prompt
        assert result.provenance["generation"]["generate"] == 20


def test_batches_keep_runs_together_and_share_them_out(kind: Kind, tmp_path: Path) -> None:
    """One batch a model in this process; with a pool, a model's runs are dealt to the processes."""
    jobs = [make_job(kind, prompt=str(n % 3), do=str(n), model=m) for n in range(6) for m in ("a", "b")]
    alone = make_batches(jobs, tmp_path, tmp_path)
    assert [(b.source.name, len(b.jobs)) for b in alone] == [("a", 6), ("b", 6)]
    assert [job.run.prompt for job in alone[0].jobs] == ["0", "0", "1", "1", "2", "2"]
    pooled = make_batches(jobs, tmp_path, tmp_path, processes=2)
    assert [b.source.name for b in pooled] == ["a", "a", "b", "b"]
    for batch in pooled:
        others = [b for b in pooled if b is not batch and b.source == batch.source]
        assert not {j.run for j in batch.jobs} & {j.run for b in others for j in b.jobs}
    assert sorted(j.address for b in pooled for j in b.jobs) == sorted(j.address for j in jobs)


def test_a_batch_can_be_sent_to_another_process(kind: Kind, tmp_path: Path) -> None:
    """Pools and clusters pickle what they run."""
    batch = make_batches([make_job(kind)], tmp_path, tmp_path)[0]
    assert pickle.loads(pickle.dumps(batch)) == batch
    error = BuildError("missing x", Path("a.md"), 3)
    assert pickle.loads(pickle.dumps(error)).problems == error.problems


def test_problems_of_all_jobs_come_together_and_the_rest_is_kept(tmp_path: Path, kind: Kind, model: FakeModel) -> None:
    """An author's error in one figure does not cost the answers of the others."""
    jobs = [make_job(kind, do="complain", line=5), make_job(kind, do="fail its check", line=7)]
    jobs += [make_job(kind, do="overflow", line=9), make_job(kind)]
    with pytest.raises(BuildError) as caught:
        run_jobs(jobs, tmp_path, tmp_path, Silent())
    assert [str(problem) for problem in caught.value.problems] == [
        "a.md:9: unknown contrast: x",
        "a.md:7: invalid result: sample failed its check small: 0.5 is over 0",
        "a.md:9: invalid result: sample has a number in it that is none (NaN or infinite)",
    ]
    assert list(Cache(tmp_path)) == [jobs[3].address]


def test_a_fault_of_ours_is_not_taken_for_the_authors(tmp_path: Path, kind: Kind, model: FakeModel) -> None:
    """Anything but a `BuildError` passes through as it is."""
    with pytest.raises(RuntimeError, match="a fault of the kind's"):
        run_jobs([make_job(kind, do="break")], tmp_path, tmp_path, Silent())


def test_a_full_disk_is_told_in_plain_words(
    tmp_path: Path, kind: Kind, model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a traceback, but what is wrong, and at once: what is computed next could not be kept either."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Cache, "put", full)
    with pytest.raises(BuildError, match="No space left on device"):
        run_jobs([make_job(kind), make_job(kind, prompt="q")], tmp_path, tmp_path, Silent())
    assert len(model.runs) == 1


def test_a_model_that_cannot_be_loaded_is_told_where_it_was_asked_for(
    tmp_path: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One problem for the model, at the first figure that wants it."""

    def fail(*_: object) -> None:
        raise BuildError("invalid checkpoint: model.safetensors is truncated")

    monkeypatch.setattr(engine, "_load", fail)
    problems = run_batch(make_batches([make_job(kind), make_job(kind, do="b")], tmp_path, tmp_path)[0], lambda *_: None)
    assert [str(p) for p in problems] == ["a.md:8: invalid checkpoint: model.safetensors is truncated"]


def test_a_device_that_is_not_there_is_told_without_blaming_an_article(tmp_path: Path, kind: Kind) -> None:
    """`--device` is the command line's, so no figure is named."""
    with pytest.raises(BuildError) as caught:
        run_jobs([make_job(kind)], tmp_path, tmp_path, Silent(), device="hpu")
    (problem,) = caught.value.problems
    assert problem.message.startswith("invalid device: hpu cannot be had here: ")
    assert problem.path is None


def test_too_little_memory_is_told_at_the_figure(tmp_path: Path, kind: Kind, model: FakeModel) -> None:
    """The text is too long for this machine, which is no fault of ours; the other figures are computed."""
    jobs = [make_job(kind, do="take all memory", line=5), make_job(kind)]
    with pytest.raises(BuildError) as caught:
        run_jobs(jobs, tmp_path, tmp_path, Silent())
    assert [str(p) for p in caught.value.problems] == [
        "a.md:5: unsupported size: sample needs more memory than there is"
    ]
    assert list(Cache(tmp_path)) == [jobs[1].address]


def test_a_process_that_is_killed_is_told(tmp_path: Path, kind: Kind, tiny_source: Any) -> None:
    """The system kills who takes too much memory: an error in words, not a wait for ever."""
    source = tiny_source("gpt2")
    job = dataclasses.replace(make_job(kind, do="die"), source=source)
    with pytest.raises(BuildError, match="broken process"):
        run_jobs([job], tmp_path, tmp_path, Silent(), processes=1)


def test_the_serial_executor_is_an_executor() -> None:
    """It keeps the contract: exceptions are in the future, not thrown by `submit`."""
    with SerialExecutor() as executor:
        assert executor.submit(lambda x: x + 1, 1).result() == 2
        failed = executor.submit(lambda: 1 / 0)
        assert isinstance(failed.exception(), ZeroDivisionError)


def test_a_listener_hears_of_every_job(tmp_path: Path, kind: Kind, model: FakeModel) -> None:
    """The progress bar ends at its end."""
    heard: list[tuple[str, Any]] = []

    class Ear(Silent):
        def started(self, n_jobs: int) -> None:
            heard.append(("started", n_jobs))

        def finished(self, text: str) -> None:
            heard.append(("finished", text))

    run_jobs([make_job(kind), make_job(kind, do="complain")][:1], tmp_path, tmp_path, Ear())
    assert heard == [("started", 1), ("finished", "sample for fig-x")]
    assert dataclasses.is_dataclass(Batch)
