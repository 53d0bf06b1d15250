"""Who gets which batch: largest first, models stay where they are, nobody idle; and what becomes of what is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from builder.cache import Cache
from builder.costs import Costs, Expected
from builder.engine.backlog import Backlog
from builder.engine.batch import Batch, make_batches, share_out
from builder.engine.crew import Done, Joined, Lost, News, Refused
from builder.engine.dispatch import Dispatch
from builder.engine.outcome import Outcome
from builder.errors import BuildError, Problem
from builder.kind import Kind
from builder.plan import Job

from .conftest import Ear, make_job

Ending = Callable[[Batch, str], Iterable[News]]


class PaperCrew:
    """Workers on paper: batches end one a time, the one given out first; `ending` says how."""

    travels = True
    alike = False
    shared = ""

    def __init__(self, names: Sequence[str], ending: Ending | None = None) -> None:
        self.names = names
        self.sent: list[tuple[str, Batch]] = []
        self._at: list[tuple[str, Batch]] = []
        self._held: dict[str, tuple[str, ...]] = {}
        self._ending = ending or self.end_well

    def workers(self) -> Sequence[str]:
        """Return all."""
        return self.names

    def send(self, batch: Batch, worker: str) -> None:
        """Note it."""
        assert worker not in dict(self._at), "a worker has one batch at a time"
        self.sent.append((worker, batch))
        self._at.append((worker, batch))

    def receive(self) -> Iterable[News]:
        """End the first."""
        worker, batch = self._at.pop(0)
        return self._ending(batch, worker)

    def end_well(self, batch: Batch, worker: str) -> Iterable[News]:
        """All jobs are answered."""
        self._held[worker] = (*self._held.get(worker, ()), batch.source.name)
        done = tuple(job.address for job in batch.jobs)
        return [Done(batch, worker, Outcome(done=done, held=self._held[worker]))]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None: ...


class PaperCosts(Costs):
    """A job takes as many seconds as its `do` says; a run takes one."""

    def expect(self, task: Any, place: str = "") -> Expected:
        """Read the seconds."""
        seconds = 1.0 if task.step == "run" else float(task.variant or 1)
        return Expected(seconds, seconds, seconds)


@pytest.fixture
def priced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task's variant is the job's `do`."""
    monkeypatch.setattr("builder.costs.task._variant", lambda kind, params: str(params["do"]))


def dispatched(jobs: Iterable[Job], crew: PaperCrew, folder: Path) -> tuple[Dispatch, Ear]:
    """Have a crew do all jobs."""
    ear = Ear()
    dispatch = Dispatch(Backlog(make_batches(jobs, Path("/")), PaperCosts(folder)), Cache(folder), ear)
    dispatch.run(crew)
    return dispatch, ear


def jobs_of(kind: Kind, model: str, seconds: Iterable[int], text: str = "") -> list[Job]:
    """Return jobs of a model that take so many seconds, each on a text of its own unless one is given."""
    return [
        make_job(kind, model=model, prompt=text or f"{model} {line}", do=str(cost), marker=str(line), line=line)
        for line, cost in enumerate(seconds, 1)
    ]


def test_the_largest_go_first(tmp_path: Path, kind: Kind, priced: None) -> None:
    """What is left at the end is short, so that all end at about the same time."""
    crew = PaperCrew(["a", "b"])
    dispatched(jobs_of(kind, "m", [1, 5, 3, 9]), crew, tmp_path)
    assert [batch.jobs[0].question.params["do"] for _, batch in crew.sent] == ["9", "5", "3", "1"]


def test_workers_keep_to_the_models_they_hold_until_nothing_of_them_waits(
    tmp_path: Path, kind: Kind, priced: None
) -> None:
    """A model is loaded by as many as it has work for; whoever has nothing left helps with another."""
    crew = PaperCrew(["a", "b", "c"])
    dispatched([*jobs_of(kind, "large", [4] * 8), *jobs_of(kind, "small", [3] * 4)], crew, tmp_path)
    by_worker = {name: [batch.source.name for worker, batch in crew.sent if worker == name] for name in "abc"}
    assert sorted(found[0] for found in by_worker.values()) == ["large", "large", "small"]
    for found in by_worker.values():
        changes = sum(one != other for one, other in pairwise(found))
        assert changes <= 1, found


def test_who_has_the_model_already_goes_first(tmp_path: Path, kind: Kind, priced: None) -> None:
    """Workers of a cluster tell what they have loaded for others before."""
    crew = PaperCrew(["a", "b"])
    ear = Ear()
    dispatch = Dispatch(
        Backlog(make_batches(jobs_of(kind, "m", [1]), Path("/")), PaperCosts(tmp_path)), Cache(tmp_path), ear
    )
    dispatch.welcome(Joined("b", ("m",)))
    dispatch.run(crew)
    assert [worker for worker, _ in crew.sent] == ["b"]


def test_a_text_is_divided_where_its_figures_are_all_there_is(tmp_path: Path, kind: Kind, priced: None) -> None:
    """Four of ten seconds on one text and three workers: each has some at once."""
    crew = PaperCrew(["a", "b", "c"])
    dispatched(jobs_of(kind, "m", [10, 10, 10, 10], text="the same"), crew, tmp_path)
    assert {worker for worker, _ in crew.sent[:3]} == {"a", "b", "c"}
    assert sum(len(batch.jobs) for _, batch in crew.sent) == 4


def test_figures_of_a_text_stay_together_where_that_is_cheaper(kind: Kind) -> None:
    """Two of a tenth of a second on a text that takes ten: to run it twice saves nothing."""
    (batch,) = make_batches(jobs_of(kind, "m", [1, 1], text="the same"), Path("/"))
    assert share_out([batch], 4, lambda one: (10.0, (0.1,) * len(one.jobs))) == [batch]
    parts = share_out([batch], 4, lambda one: (0.1, (10.0,) * len(one.jobs)))
    assert [part.jobs for part in parts] == [batch.jobs[:1], batch.jobs[1:]]


def test_one_large_text_among_small_ones_is_divided(kind: Kind) -> None:
    """There are enough batches for all, and one of them alone would take longer than the rest together."""
    jobs = [*jobs_of(kind, "m", [50] * 6, text="the same"), *jobs_of(kind, "m", [1, 2, 3])]
    batches = make_batches(jobs, Path("/"))

    def weigh(batch: Batch) -> tuple[float, tuple[float, ...]]:
        return 1.0, tuple(float(job.question.params["do"]) for job in batch.jobs)

    shared = share_out(batches, 3, weigh)
    assert max(sum(weigh(batch)[1]) for batch in shared) == 100
    assert sorted(job.address for batch in shared for job in batch.jobs) == sorted(job.address for job in jobs)


def test_what_a_worker_refuses_another_does(tmp_path: Path, kind: Kind, priced: None) -> None:
    """The batch is as it was."""

    def ending(batch: Batch, worker: str) -> Iterable[News]:
        if worker == "old":
            crew.names = ["new"]
            return [Refused("worker old", "it is old"), Done(batch, worker, Outcome(refused="it is old"))]
        return crew.end_well(batch, worker)

    crew = PaperCrew(["old", "new"], ending)
    dispatch, ear = dispatched(jobs_of(kind, "m", [3, 2]), crew, tmp_path)
    assert len(dispatch.stored) == 2
    assert ear.messages == ["worker old cannot help: it is old"]


def cannot_load(batch: Batch, worker: str) -> Iterable[News]:
    """End a batch by a model that a worker cannot have."""
    problem = Problem(f"missing folder: ./m, the source of model m (worker {worker})")
    return [Done(batch, worker, Outcome(problems=(problem,), unloadable=True))]


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_a_model_that_one_worker_cannot_have_is_another_ones(
    tmp_path: Path, kind: Kind, priced: None, names: str
) -> None:
    """Of two models each worker has the one that it can; who lacks one is asked once, and it is said why."""

    def ending(batch: Batch, worker: str) -> Iterable[News]:
        able = worker != "a" or batch.source.name != "m"
        return crew.end_well(batch, worker) if able else cannot_load(batch, worker)

    crew = PaperCrew(list(names), ending)
    jobs = [*jobs_of(kind, "m", [9, 8, 7]), *jobs_of(kind, "n", [1, 1])]
    dispatch, ear = dispatched(jobs, crew, tmp_path)
    assert dispatch.stored == {job.address for job in jobs}
    assert dispatch.problems == []
    assert [(worker, batch.source.name) for worker, batch in crew.sent].count(("a", "m")) == 1
    why = "missing folder: ./m, the source of model m (worker a)"
    assert ear.messages == [f"worker a cannot have model m, others may: {why}"]


@pytest.mark.parametrize("alike", [True, False])
def test_a_model_that_nobody_can_have_is_given_up(tmp_path: Path, kind: Kind, priced: None, alike: bool) -> None:
    """By all, or by the first where all see the same; the problem is told once, and the other model's figures are."""
    crew = PaperCrew(["a", "b"], lambda batch, worker: cannot(batch, worker))

    def cannot(batch: Batch, worker: str) -> Iterable[News]:
        return cannot_load(batch, worker) if batch.source.name == "m" else crew.end_well(batch, worker)

    crew.alike = alike
    others = jobs_of(kind, "n", [1, 1])
    dispatch, _ = dispatched([*jobs_of(kind, "m", [9, 8, 7]), *others], crew, tmp_path)
    assert [problem.message[:15] for problem in dispatch.problems][:1] == ["missing folder:"]
    assert len(dispatch.problems) == (2 if alike else 1)  # both were at it
    assert dispatch.stored == {job.address for job in others}


def test_what_a_process_died_of_comes_last_and_alone(tmp_path: Path, kind: Kind, priced: None) -> None:
    """It may have been its neighbours who took the memory: nothing runs beside it, and it has three tries."""
    deadly = jobs_of(kind, "m", [7])[0]

    def ending(batch: Batch, worker: str) -> Iterable[News]:
        return [Lost(batch, worker)] if deadly in batch.jobs else crew.end_well(batch, worker)

    crew = PaperCrew(["a", "b"], ending)
    others = jobs_of(kind, "m", [1, 2, 3, 4, 5], text="others")
    dispatch, _ = dispatched([deadly, *others], crew, tmp_path)
    order = [deadly in batch.jobs for _, batch in crew.sent]
    assert order.count(True) == 3
    assert order[-2:] == [True, True]
    assert [str(problem)[:46] for problem in dispatch.problems] == ["a.md:1: broken process: killed 3 times while c"]
    assert dispatch.stored == {job.address for job in others}


def test_where_every_process_dies_it_ends(tmp_path: Path, kind: Kind, priced: None) -> None:
    """Two figures have had their tries and nothing was answered in between: the rest is not tried."""
    crew = PaperCrew(["a"], lambda batch, worker: [Lost(batch, worker)])
    dispatch, _ = dispatched(jobs_of(kind, "m", [1] * 5), crew, tmp_path)
    assert len(crew.sent) == 9
    assert str(dispatch.problems[-1]) == "missing answers: 3 more were not tried"


def test_a_batch_that_stopped_half_way_goes_on(tmp_path: Path, kind: Kind, priced: None) -> None:
    """Only what is not done is sent again, and each end is told once."""

    def ending(batch: Batch, worker: str) -> Iterable[News]:
        (news,) = crew.end_well(batch, worker)
        assert isinstance(news, Done)
        return [replace(news, outcome=replace(news.outcome, done=news.outcome.done[:1]))]

    crew = PaperCrew(["a"], ending)
    jobs = jobs_of(kind, "m", [1, 1, 1], text="the same")
    dispatch, ear = dispatched(jobs, crew, tmp_path)
    assert [len(batch.jobs) for _, batch in crew.sent] == [3, 2, 1]
    assert len(ear.finished_) == 3
    assert dispatch.stored == {job.address for job in jobs}


def test_how_long_it_will_take_is_told_by_what_it_took(
    tmp_path: Path, kind: Kind, priced: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 24 seconds' work 14 are done after 12 seconds: the other 10 will take as long in proportion."""
    clock = iter([0.0, 12.0, 16.0, 20.0])
    monkeypatch.setattr("builder.engine.dispatch.time.monotonic", lambda: next(clock))
    _, ear = dispatched(jobs_of(kind, "m", [5, 3, 13]), PaperCrew(["a"]), tmp_path)
    assert ear.seconds_left == pytest.approx([12 * 10 / 14, 16 * 4 / 20, 0])


def test_a_fault_ends_the_build_after_what_was_found_is_stored(tmp_path: Path, kind: Kind, priced: None) -> None:
    """The results that came with it are kept."""
    from builder.engine.outcome import Fault
    from builder.figure import Result

    job, other = jobs_of(kind, "m", [1, 1], text="the same")

    def ending(batch: Batch, worker: str) -> Iterable[News]:
        result = Result(job.address, kind.name, {"x": 1}, {}, {})
        fault = Fault(ValueError("x"), other.address, "analysis.py", 4)
        return [Done(batch, worker, Outcome(done=(job.address,), results=((result, {}),), fault=fault))]

    with pytest.raises(BuildError, match="broken kind: sample for fig-2 failed with ValueError: x"):
        dispatched([job, other], PaperCrew(["a"], ending), tmp_path)
    assert job.address in Cache(tmp_path)
