"""A kind that behaves as its parameter says, jobs of it, a model that is none, and a cluster of real processes."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from networks import Source

from builder.cache import Cache, open_shared
from builder.engine import run_jobs
from builder.engine.loaded_models import LoadedModels
from builder.figure import FigureSpec, Option, RunSpec
from builder.kind import Kind
from builder.model_source import ModelSource
from builder.plan import Job, Question
from builder.progress import Silent
from builder.sources import fingerprint

ROOT = Path(__file__).parents[2]

ANALYSIS = """
import os, signal, time
from dataclasses import dataclass
from pathlib import Path
from builder.errors import BuildError
from builder.figure import Answer, Check
from . import words

@dataclass(frozen=True)
class Params:
    do: str = "answer"
    marker: str = ""

def analyse(run, params):
    if params.do == "complain":
        raise BuildError("unknown contrast: x")
    if params.do == "break":
        raise RuntimeError("a fault of the kind's")
    if params.do == "take all memory":
        raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")
    if params.do == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if params.do == "die once" and not Path(params.marker).exists():
        Path(params.marker).write_text("x")
        os.kill(os.getpid(), signal.SIGKILL)
    if params.do == "wait once" and not Path(params.marker).exists():
        part = Path(params.marker + ".part")
        part.write_text(str(os.getpid()))
        part.rename(params.marker)
        time.sleep(300)
    if params.do == "wait for":
        while not Path(params.marker).exists():
            time.sleep(0.02)
    if params.do == "overflow":
        return Answer({"scores": [float("nan")]}, {})
    bound = 0.0 if params.do == "fail its check" else 1.0
    data = {"prompt": run.spec.prompt, "do": params.do, "word": words.WORD, "ids": getattr(run, "ids", [])}
    data["ids"] = [int(token) for token in data["ids"]]
    return Answer({**data, "pid": os.getpid()} if params.do == "who" else data, {"small": Check(0.5, bound)})

def describe(data):
    return ""
"""


@pytest.fixture
def kind(tmp_path: Path) -> Kind:
    """A kind of a site's own whose parameter says how it behaves."""
    folder = tmp_path / "figures" / "sample"
    folder.mkdir(parents=True)
    (folder / "analysis.py").write_text(ANALYSIS)
    (folder / "words.py").write_text('WORD = "own"\n')
    return Kind("sample", folder)


def make_job(
    kind: Kind,
    *,
    prompt: str = "p",
    do: str = "answer",
    marker: Path | str = "",
    model: str = "m",
    line: int = 3,
    source: ModelSource | None = None,
    root: Path = Path("/"),
    generate: int = 2,
) -> Job:
    """Return a job that a figure on `line` of `a.md` waits for; with a source, one that a real model answers."""
    run = RunSpec(source.name if source else model, prompt, generate=generate)
    weights = fingerprint(source, root) if source else model
    params = {"do": do, "marker": str(marker)}
    question = Question(kind.name, kind.code if source else "code", weights, run, params, {})
    spec = FigureSpec(1, f"fig-{line}", Path("a.md"), line, Option(kind.name, line))
    return Job(
        question.address,
        question,
        kind,
        source or ModelSource(model, model),
        run,
        (spec,),
        {"contrast": 9, "model": 8, "prompt": line},
    )


class FakeRun:
    """A run that only knows what was asked."""

    ended_at_once = False
    versus: Any = None
    n_input = 1
    expected: frozenset[str] = frozenset()

    def __init__(self, model: FakeModel, spec: RunSpec) -> None:
        self.model = model
        self.spec = spec
        self.ids = [1, 2, 3]


class FakeModel:
    """Counts its runs."""

    name = "fake"
    family = "decoder"
    device = SimpleNamespace(type="cpu")
    network = SimpleNamespace(parameters=list, dtype="torch.float32")

    def __init__(self) -> None:
        self.made: list[FakeRun] = []

    @property
    def runs(self) -> list[RunSpec]:
        """What it was asked to run."""
        return [run.spec for run in self.made]

    def run(self, spec: RunSpec) -> FakeRun:
        """Make a run."""
        self.made.append(FakeRun(self, spec))
        return self.made[-1]

    def provenance(self) -> dict[str, Any]:
        """Say where it comes from."""
        return {"model": "fake"}


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    """Every batch of this test gets this one model."""
    fake = FakeModel()
    monkeypatch.setattr(LoadedModels, "load", lambda *_, **__: fake)
    return fake


@dataclass
class Ear(Silent):
    """A listener that remembers what it was told."""

    n_jobs: int = 0
    running_: list[tuple[str, str]] = field(default_factory=list)
    finished_: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    seconds_left: list[float] = field(default_factory=list)

    def started(self, n_jobs: int) -> None:
        """Remember it."""
        self.n_jobs = n_jobs

    def running(self, text: str, where: str = "") -> None:
        """Remember it."""
        self.running_ += [(text, where)] if text else []

    def finished(self, text: str, where: str = "") -> None:
        """Remember it."""
        self.finished_.append(text)

    def left(self, seconds: float) -> None:
        """Remember it."""
        self.seconds_left.append(seconds)

    def message(self, text: str) -> None:
        """Remember it."""
        self.messages.append(text)


def answers(cache: Cache, jobs: list[Job]) -> list[Any]:
    """Return what is stored for each job; None where nothing is."""
    found = [cache.find(job.address, job.kind.name) for job in jobs]
    return [result and dict(result.data) for result in found]


def wait_for(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Return the first true value of a condition. Fails where there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    return pytest.fail(f"in {seconds} s {condition} was not met")


class LocalCluster:
    """A scheduler and workers, each a process of its own on 127.0.0.1, without dashboards or nannies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        file = folder / "scheduler.json"
        self._start("scheduler", "--port", "0", "--scheduler-file", str(file), "--no-show", "--idle-timeout", "300s")
        try:
            wait_for(lambda: file.exists() and file.read_text().rstrip().endswith("}"))  # it is not written at once
        except BaseException:
            self.close()
            raise
        self.address = str(json.loads(file.read_text())["address"])

    def add(self, name: str, *options: str, **environ: str) -> None:
        """Start a worker."""
        more = ("--no-nanny", "--name", name, "--local-directory", str(self.folder), "--memory-limit", "0", *options)
        threads = () if "--nthreads" in options else ("--nthreads", "1")
        self._start("worker", self.address, *more, *threads, key=name, **environ)

    def _start(self, what: str, *options: str, key: str = "", **environ: str) -> None:
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", "--host", "127.0.0.1", "--no-dashboard"]
        threads = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        threads["DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES"] = "1"  # 3 is usual; each costs a worker
        with (self.folder / f"{key or what}.log").open("wb") as log:
            self.processes[key or what] = subprocess.Popen(
                [*command, *options],
                cwd=self.folder,
                env={**os.environ, **threads, **environ},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def kill(self, name: str) -> None:
        """Kill one of them, as a machine that loses its power does."""
        self.processes[name].kill()
        self.processes[name].wait()

    def close(self) -> None:
        """Kill all of them."""
        for name in self.processes:
            self.kill(name)


@pytest.fixture(scope="package")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """Three workers of one thread each, which tests share."""
    pytest.importorskip("distributed")
    started = LocalCluster(tmp_path_factory.mktemp("cluster"))
    try:
        for name in ("w1", "w2", "w3"):
            started.add(name)
        yield started
    finally:
        started.close()


@pytest.fixture
def new_cluster(tmp_path: Path) -> Iterator[LocalCluster]:
    """A scheduler without workers, of one test's own."""
    pytest.importorskip("distributed")
    (tmp_path / "cluster").mkdir()
    started = LocalCluster(tmp_path / "cluster")
    try:
        yield started
    finally:
        started.close()


def compute(
    jobs: list[Job], cache: Path, cluster: LocalCluster, listener: Silent | None = None, shared: str = ""
) -> None:
    """Have a cluster answer jobs."""
    place = open_shared(shared, cache)
    run_jobs(jobs, cache, Cache(cache, shared=place), listener or Silent(), scheduler=cluster.address, shared=shared)


def moved(job: Job, **changes: Any) -> Job:
    """Return a job whose question differs, and its address with it."""
    question = dataclasses.replace(job.question, **changes)
    return dataclasses.replace(job, question=question, address=question.address)


__all__ = ["ROOT", "Ear", "FakeModel", "LocalCluster", "Source", "answers", "compute", "make_job", "moved", "wait_for"]
