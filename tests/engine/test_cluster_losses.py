"""A Dask cluster of real processes whose parts die, come late or are others than they should be."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from builder.cache import Cache
from builder.engine import run_jobs
from builder.engine.dask import connect
from builder.engine.roster import Roster
from builder.errors import BuildError
from builder.kind import Kind
from builder.progress import Silent

from .conftest import ROOT, Ear, LocalCluster, Source, answers, compute, make_job, wait_for


def test_a_worker_that_is_killed_in_the_middle_costs_nothing_but_time(
    tmp_path: Path, kind: Kind, tiny_source: Source, cluster: LocalCluster
) -> None:
    """It is at a figure when it is killed: another one takes over, and the answers are those of one process."""
    source = tiny_source("llama")
    marker = tmp_path / "pid"
    jobs = [make_job(kind, prompt=f"{n}. Austria", source=source, line=n) for n in range(1, 6)]
    jobs += [make_job(kind, prompt="1, 1, 1,", source=source, do="wait once", marker=marker, line=6)]
    killed: list[str] = []

    def kill() -> None:
        wait_for(marker.exists)
        pid = int(marker.read_text())
        name = next(name for name, process in cluster.processes.items() if process.pid == pid)
        cluster.kill(name)
        killed.append(name)

    killer = threading.Thread(target=kill)
    killer.start()
    ear = Ear()
    compute(jobs, tmp_path / "cluster", cluster, ear)
    killer.join()
    cluster.add(killed[0])  # for whatever test comes next
    run_jobs(jobs, tmp_path, Cache(tmp_path / "alone"), Silent())
    found = answers(Cache(tmp_path / "cluster"), jobs)
    assert None not in found
    assert found == answers(Cache(tmp_path / "alone"), jobs)
    assert len(ear.finished_) == len(jobs)
    at = [where for text, where in ear.running_ if text == "sample for fig-6"]
    assert at[0] == killed[0]
    assert at[-1] != killed[0]


def test_what_kills_worker_after_worker_is_named(
    tmp_path: Path, kind: Kind, tiny_source: Source, new_cluster: LocalCluster
) -> None:
    """Dask gives up after some; the error names the figure and its place, and the others are answered."""
    for number in range(3):
        new_cluster.add(f"w{number}")
    source = tiny_source("gpt2")
    jobs = [make_job(kind, source=source, do="die", line=5), make_job(kind, source=source, prompt="1. Austria")]
    with pytest.raises(BuildError) as caught:
        compute(jobs, tmp_path, new_cluster)
    assert [str(problem).partition(";")[0] for problem in caught.value.problems] == [
        "a.md:5: broken process: killed 2 times while computing sample for fig-5"
    ]
    assert [answer is None for answer in answers(Cache(tmp_path), jobs)] == [True, False]


def test_a_scheduler_that_goes_away_is_told_in_a_sentence(
    tmp_path: Path, kind: Kind, tiny_source: Source, new_cluster: LocalCluster, capfd: pytest.CaptureFixture[str]
) -> None:
    """No attempts to reach it for minutes, no traceback, not a line of Dask's; what was finished is stored."""
    new_cluster.add("w1")
    source = tiny_source("gpt2")
    marker = tmp_path / "pid"
    jobs = [make_job(kind, source=source), make_job(kind, source=source, prompt="1, 1", do="wait once", marker=marker)]
    capfd.readouterr()  # a bar of transformers', where this test is the first to save the model

    def kill() -> None:
        wait_for(lambda: marker.exists() and Cache(tmp_path).find(jobs[0].address))
        new_cluster.kill("scheduler")

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(BuildError) as caught:
        compute(jobs, tmp_path, new_cluster)
    killer.join()
    message = str(caught.value)
    assert message == (
        f"broken scheduler: {new_cluster.address} went away; 1 of 2 answers are stored; build again when it is back"
    )
    assert [answer is None for answer in answers(Cache(tmp_path), jobs)] == [False, True]
    time.sleep(1)
    assert capfd.readouterr() == ("", "")


def test_ctrl_c_ends_the_build_at_once_and_the_worker_after_its_figure(
    tmp_path: Path, kind: Kind, tiny_source: Source, cluster: LocalCluster
) -> None:
    """What is computed for nobody is not begun; the cluster is there for the next."""
    program = (
        "import pickle, signal, sys; from builder.cache import Cache; from builder.engine import run_jobs\n"
        "from builder.progress import Silent\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background job ignores it
        "class Ear(Silent):\n"
        "    def running(self, text, where=''): print(text, flush=True)\n"
        "jobs, folder, address = pickle.loads(sys.stdin.buffer.read())\n"
        "run_jobs(jobs, folder, Cache(folder), Ear(), scheduler=address)\n"
    )
    source, marker = tiny_source("llama"), tmp_path / "go"
    waiting = [make_job(kind, source=source, do="wait for", marker=marker, line=n, prompt=f"{n}") for n in range(3)]
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as started:
        assert started.stdin is not None
        assert started.stdout is not None
        assert started.stderr is not None
        started.stdin.write(pickle.dumps((waiting, tmp_path / "one", cluster.address)))
        started.stdin.close()
        while not started.stdout.readline().startswith(b"sample for fig"):
            assert started.poll() is None
        started.send_signal(signal.SIGINT)
        error = started.stderr.read().decode()  # the figure would wait for ever
        assert started.wait(timeout=30) != 0
    assert error.rstrip().endswith("KeyboardInterrupt")
    assert error.count("Traceback") == 1, error
    marker.write_text("")
    job = make_job(kind, source=source, do="next")
    compute([job], tmp_path / "two", cluster)
    assert None not in answers(Cache(tmp_path / "two"), [job])
    assert not (tmp_path / "one" / "results").exists()


def test_a_worker_that_comes_late_is_waited_for(
    tmp_path: Path, kind: Kind, tiny_source: Source, new_cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the author hears that nobody is there, instead of watching a bar that does not move."""
    monkeypatch.setattr("builder.engine.cluster.Roster", lambda: Roster(_waits=0.5))

    class Starter(Ear):
        def message(self, text: str) -> None:
            super().message(text)
            if len(self.messages) == 1:
                new_cluster.add("late", "--nthreads", "2")

    ear = Starter()
    jobs = [make_job(kind, source=tiny_source("gpt2"))]
    compute(jobs, tmp_path, new_cluster, ear)
    assert ear.messages[0] == f"no worker at {new_cluster.address} yet; waiting for one (Ctrl-C stops)"
    assert None not in answers(Cache(tmp_path), jobs)


def test_a_worker_that_dask_pauses_for_good_is_not_waited_for(
    tmp_path: Path, kind: Kind, tiny_source: Source, new_cluster: LocalCluster
) -> None:
    """Its limit of memory is less than torch and a model take, which stay: it would never begin another batch."""
    new_cluster.add("tight", "--memory-limit", "8 GB", DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE="0.025")
    source, marker = tiny_source("gpt2"), tmp_path / "go"
    jobs = [make_job(kind, source=source, do="wait for", marker=marker, line=n, prompt=f"{n}.") for n in (1, 2)]

    class Starter(Ear):
        def message(self, text: str) -> None:
            super().message(text)
            marker.write_text("")  # it was paused in the middle of a figure, which it ends

    ear = Starter()
    with pytest.raises(BuildError, match=r"all of those at tcp://.* are paused: .*--memory-limit 0"):
        compute(jobs, tmp_path, new_cluster, ear)
    assert [message for message in ear.messages if message.startswith("worker tight is paused: it has more in memory")]
    assert sorted(answer is None for answer in answers(Cache(tmp_path), jobs)) == [False, True]


def test_workers_with_another_fanlight_are_left_alone(
    tmp_path: Path, kind: Kind, tiny_source: Source, new_cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that has none, one of another version: it is said, and where no other is there, the build ends with it."""
    monkeypatch.setattr("builder.engine.cluster.Roster", lambda: Roster(_waits=60.0))  # a slow one is not missed here
    none, other = tmp_path / "none", tmp_path / "other"
    (none / "builder").mkdir(parents=True)
    (none / "builder" / "__init__.py").write_text("")
    other.mkdir()
    (other / "sitecustomize.py").write_text('import builder\nbuilder.__version__ = "0.0.1"\n')
    new_cluster.add("none", PYTHONPATH=str(none))
    new_cluster.add("other", PYTHONPATH=os.pathsep.join([str(other), str(ROOT)]))
    client = connect(new_cluster.address, 10.0)
    client.wait_for_workers(2, timeout=60)
    client.close()
    ear = Ear()
    with pytest.raises(BuildError, match=r"unsupported workers: none of those at .* can help: "):
        compute([make_job(kind, source=tiny_source("gpt2"))], tmp_path, new_cluster, ear)
    told = sorted(ear.messages)
    assert len(told) == 2
    assert "cannot help: it has no Fanlight" in told[0]
    assert told[1].startswith("worker other cannot help: it has Fanlight 0.0.1 on Python 3.")


def test_a_worker_whose_fanlight_was_upgraded_under_it_answers_nothing(
    tmp_path: Path, kind: Kind, tiny_source: Source, new_cluster: LocalCluster
) -> None:
    """Its files have the digest that is asked for, and what it has imported is another code."""
    copy = tmp_path / "installed"
    for part in ("builder", "figures"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "theme").mkdir()
    new_cluster.add("old", PYTHONPATH=str(copy))
    jobs = [make_job(kind, source=tiny_source("gpt2"))]
    compute(jobs, tmp_path / "before", new_cluster)
    assert None not in answers(Cache(tmp_path / "before"), jobs)
    os.utime(copy / "builder" / "model" / "run.py", ns=(1, 1))
    with pytest.raises(BuildError, match=r"can help: old: its Fanlight changed since it started; start it anew"):
        compute(jobs, tmp_path / "after", new_cluster)
    assert answers(Cache(tmp_path / "after"), jobs) == [None]
