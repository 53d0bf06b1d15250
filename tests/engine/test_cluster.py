"""A Dask cluster of real processes on this machine: it answers as one process does, whoever dies or is late."""

from __future__ import annotations

import dataclasses
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

from builder.arguments import parse
from builder.cache import Cache, open_shared
from builder.engine import run_jobs
from builder.engine.dask import connect
from builder.engine.roster import Roster
from builder.errors import BuildError
from builder.kind import Kind
from builder.model_source import ModelSource
from builder.plan import Job
from builder.progress import Silent

from .conftest import ROOT, Ear, LocalCluster, Source, answers, make_job, moved, wait_for


def compute(
    jobs: list[Job], cache: Path, cluster: LocalCluster, listener: Silent | None = None, shared: str = ""
) -> None:
    """Have a cluster answer jobs."""
    place = open_shared(shared, cache)
    run_jobs(jobs, cache, Cache(cache, shared=place), listener or Silent(), scheduler=cluster.address, shared=shared)


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


def test_workers_with_another_fanlight_are_left_alone(
    tmp_path: Path, kind: Kind, tiny_source: Source, new_cluster: LocalCluster
) -> None:
    """One that has none, one of another version: it is said, and where no other is there, the build ends with it."""
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


def test_an_address_where_nobody_is_fails_soon(tmp_path: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the words of the problem, whatever layer it comes from."""
    monkeypatch.setattr("builder.engine.cluster.CONNECT", 1.0)
    with pytest.raises(BuildError, match=r"broken scheduler: tcp://127.0.0.1:9 does not answer as Dask's does: "):
        run_jobs([make_job(kind)], tmp_path, Cache(tmp_path), Silent(), scheduler="tcp://127.0.0.1:9")


def test_without_the_extra_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dask is not installed with Fanlight."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(BuildError, match=r'missing package: --scheduler needs Dask: pip install "fanlight\[cluster\]"'):
        connect("tcp://127.0.0.1:8786", 1.0)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--scheduler", "127.0.0.1:8786"], "invalid address: '127.0.0.1:8786' is not like tcp://127.0.0.1:8786"),
        (["--scheduler", "tcp://127.0.0.1"], "invalid address"),
        (["--scheduler", "http://127.0.0.1:8787"], "invalid address"),
        (["--scheduler", "tcp://127.0.0.1:8786", "-j", "2"], "--scheduler has workers of its own"),
    ],
)
def test_wrong_addresses_are_told_before_anything_is_done(
    options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the command line itself."""
    with pytest.raises(SystemExit):
        parse(["build", *options])
    assert told in capsys.readouterr().err
    assert parse(["build", "--scheduler", "tls://[::1]:8786"]).scheduler == "tls://[::1]:8786"


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


def test_a_client_needs_no_torch(tmp_path: Path, kind: Kind, tiny_source: Source, cluster: LocalCluster) -> None:
    """What comes back is plain: a laptop that plans a site imports Dask and nothing larger."""
    program = (
        "import sys; from pathlib import Path; from builder.cache import Cache; from builder.engine import run_jobs\n"
        "from builder.progress import Silent; import pickle\n"
        "jobs, folder, address = pickle.loads(sys.stdin.buffer.read())\n"
        "run_jobs(jobs, folder, Cache(folder), Silent(), scheduler=address)\n"
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    jobs = [make_job(kind, source=tiny_source("llama"), do="plain")]
    sent = pickle.dumps((jobs, tmp_path, cluster.address))
    done = subprocess.run([sys.executable, "-c", program], input=sent, capture_output=True, check=True, cwd=ROOT)
    assert done.stdout.decode().strip() == "[]"
    assert None not in answers(Cache(tmp_path), jobs)


def test_a_build_that_computes_nothing_imports_no_dask() -> None:
    """It takes half a second, and the scheduler is not asked."""
    program = (
        "import sys; from pathlib import Path; from builder import build, engine\n"
        "from builder.cache import Cache; from builder.progress import Silent\n"
        "engine.run_jobs([], Path(), Cache(Path()), Silent(), scheduler='tcp://127.0.0.1:9')\n"
        "print(sorted({'distributed', 'dask', 'torch', 'multiprocessing'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT, env=dict(os.environ)
    )
    assert done.stdout.strip() == "[]"
