"""A Dask cluster of real processes on this machine answers as one process does."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import pytest

from builder.cache import Cache, open_shared
from builder.engine import run_jobs
from builder.errors import BuildError
from builder.kind import Kind
from builder.model_source import ModelSource
from builder.progress import Silent

from .conftest import Ear, LocalCluster, Source, answers, compute, make_job, moved


def test_a_cluster_answers_as_one_process_does(
    tmp_path: Path, kind: Kind, tiny_source: Source, cluster: LocalCluster
) -> None:
    """A kind of the site's own travels as source; answers come back by value; every worker has a share."""
    source = tiny_source("llama")
    jobs = [make_job(kind, prompt=f"{n}. Austria", source=source, line=n) for n in range(1, 7)]
    jobs += [make_job(kind, prompt="1. Austria", do="other", source=source, line=9)]
    ear = Ear()
    compute(jobs, tmp_path / "cluster", cluster, ear)
    run_jobs(jobs, tmp_path, Cache(tmp_path / "alone"), Silent())
    found = answers(Cache(tmp_path / "cluster"), jobs)
    assert None not in found
    assert found == answers(Cache(tmp_path / "alone"), jobs)
    assert len(ear.finished_) == len(jobs)
    assert {where for _, where in ear.running_} == {"w1", "w2", "w3"}


def test_figures_of_one_text_are_divided_where_there_are_more_workers(
    tmp_path: Path, kind: Kind, tiny_source: Source, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty, beside which running the text again is little: all three processes have a part, however slow to greet."""
    monkeypatch.setattr("builder.engine.cluster.HELLO", 60.0)
    source = tiny_source("llama")
    jobs = [make_job(kind, do="who", marker=str(n), source=source, line=n) for n in range(30)]
    compute(jobs, tmp_path, cluster)
    assert len({answer["pid"] for answer in answers(Cache(tmp_path), jobs)}) == 3


def test_problems_are_told_as_they_are_of_one_process(
    tmp_path: Path, kind: Kind, tiny_source: Source, cluster: LocalCluster
) -> None:
    """At their places, all in one run; the other figures of the batch have their answers."""
    source = tiny_source("llama")
    jobs = [make_job(kind, source=source, do=do, line=n) for n, do in enumerate(("complain", "overflow", "answer"), 5)]
    with pytest.raises(BuildError) as caught:
        compute(jobs, tmp_path, cluster)
    assert sorted(str(problem) for problem in caught.value.problems) == [
        "a.md:6: invalid result: sample has a number in it that is none (NaN or infinite)",
        "a.md:9: unknown contrast: x",
    ]
    assert [answer is None for answer in answers(Cache(tmp_path), jobs)] == [True, True, False]


def test_a_fault_on_a_worker_names_the_figure(
    tmp_path: Path, kind: Kind, tiny_source: Source, cluster: LocalCluster
) -> None:
    """And the line of the site's own kind, here and not where the worker put it."""
    jobs = [make_job(kind, source=tiny_source("llama"), do="break", line=5)]
    with pytest.raises(BuildError) as caught:
        compute(jobs, tmp_path, cluster)
    (problem,) = caught.value.problems
    assert problem.message == "broken kind: sample for fig-5 failed with RuntimeError: a fault of the kind's"
    assert problem.path == kind.folder / "analysis.py"


def test_another_version_of_a_kind_is_not_asked(
    tmp_path: Path, kind: Kind, tiny_source: Source, cluster: LocalCluster
) -> None:
    """What a worker's code would compute belongs under another address: nothing is stored, and it is said why."""
    job = moved(make_job(kind, source=tiny_source("llama")), code="0" * 64)
    with pytest.raises(
        BuildError, match=r"none of those at tcp://.* can help: .* another version of the code of sample"
    ):
        compute([job], tmp_path, cluster)
    assert answers(Cache(tmp_path), [job]) == [None]


def test_a_changed_kind_of_the_sites_own_is_the_one_that_runs(
    tmp_path: Path, kind: Kind, tiny_source: Source, cluster: LocalCluster
) -> None:
    """Workers outlive many edits; what they have imported they forget."""
    source = tiny_source("llama")
    words = []
    for word in ("first", "second"):
        (kind.folder / "words.py").write_text(f'WORD = "{word}"\n')
        jobs = [make_job(kind, source=source, do=str(n), prompt=f"{n}. Austria") for n in range(3)]
        compute(jobs, tmp_path, cluster)
        words += [answer["word"] for answer in answers(Cache(tmp_path), jobs)]
    assert words == ["first"] * 3 + ["second"] * 3


def test_a_models_folder_that_a_worker_does_not_see_is_told_with_the_workers_name(
    tmp_path: Path, kind: Kind, tiny_source: Source, cluster: LocalCluster
) -> None:
    """A path is relative to the site, which lies elsewhere there, or nowhere."""
    seen = tiny_source("gpt2")
    job = make_job(kind, source=seen)
    job = dataclasses.replace(job, source=ModelSource("gpt2", "./gpt2"))
    with pytest.raises(BuildError) as caught:
        compute([job], tmp_path, cluster)
    (problem,) = caught.value.problems
    assert problem.message.startswith("missing folder: ./gpt2, the source of model gpt2 (worker w")
    assert str(tmp_path) in problem.message
    assert "FANLIGHT_SITE" in problem.message
    assert problem.line == 8


def test_two_builds_share_a_cluster_and_a_cache(
    tmp_path: Path, kind: Kind, tiny_source: Source, cluster: LocalCluster
) -> None:
    """They may compute the same twice; neither disturbs the other."""
    source = tiny_source("llama")
    jobs = [make_job(kind, prompt=f"{n}. Austria", source=source, do="both") for n in range(6)]
    failed: list[BaseException] = []

    def build() -> None:
        try:
            compute(jobs, tmp_path, cluster)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=build) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert None not in answers(Cache(tmp_path), jobs)
    assert not list(tmp_path.rglob("*.part"))


def test_answers_go_by_the_shared_cache_where_there_is_one(
    tmp_path: Path, kind: Kind, tiny_source: Source, cluster: LocalCluster
) -> None:
    """Workers put them there; what is not where they say it is, is computed again and sent."""
    shared = tmp_path / "shared"
    shared.mkdir()
    jobs = [make_job(kind, prompt=f"{n}. Austria", source=tiny_source("llama"), do="shared") for n in range(3)]
    run_jobs(jobs, tmp_path, Cache(tmp_path / "alone"), Silent())
    wanted = answers(Cache(tmp_path / "alone"), jobs)
    compute(jobs, tmp_path / "own", cluster, shared=str(shared))
    assert len(list(shared.rglob("*.json"))) == 3
    assert answers(Cache(tmp_path / "own"), jobs) == wanted

    ear = Ear()
    elsewhere = Cache(tmp_path / "other", shared=open_shared(str(tmp_path / "not there"), tmp_path))
    run_jobs(jobs, tmp_path, elsewhere, ear, scheduler=cluster.address, shared=str(shared))
    assert answers(elsewhere, jobs) == wanted
    assert [message for message in ear.messages if "are not there" in message]
