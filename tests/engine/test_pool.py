"""Processes of `-j`: they answer as one does, and one that is killed costs no more than what it died of."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from builder.cache import Cache
from builder.engine import run_jobs
from builder.errors import BuildError
from builder.kind import Kind
from builder.progress import Silent

from .conftest import ROOT, Ear, Source, answers, make_job, wait_for


def test_a_pool_answers_as_one_process_does(tmp_path: Path, kind: Kind, tiny_source: Source) -> None:
    """The same data, from several processes."""
    source = tiny_source("llama")
    jobs = [make_job(kind, prompt=f"{n}. Austria", source=source, line=n + 1) for n in range(3)]
    jobs += [make_job(kind, prompt="0. Austria", do="other", source=source, line=9)]
    ear = Ear()
    run_jobs(jobs, tmp_path, Cache(tmp_path / "alone"), Silent())
    run_jobs(jobs, tmp_path, Cache(tmp_path / "pool"), ear, processes=2)
    assert answers(Cache(tmp_path / "pool"), jobs) == answers(Cache(tmp_path / "alone"), jobs)
    assert sorted(ear.finished_) == sorted(f"sample for fig-{line}" for line in (1, 2, 3, 9))
    assert {where for _, where in ear.running_} == {"1", "2"}


def test_a_killed_process_is_replaced(tmp_path: Path, kind: Kind, tiny_source: Source) -> None:
    """What it was at is tried again; all answers are there in the end, and it is said that it happened."""
    source = tiny_source("gpt2")
    jobs = [make_job(kind, source=source, do="die once", marker=tmp_path / "died", line=5)]
    jobs += [make_job(kind, source=source), make_job(kind, source=source, prompt="1, 1, 1", line=6)]
    ear = Ear()
    run_jobs(jobs, tmp_path, Cache(tmp_path), ear, processes=2)
    assert None not in answers(Cache(tmp_path), jobs)
    assert ear.messages == ["a process was killed at sample for fig-5; it is tried again"]


def test_what_kills_every_process_is_named_and_the_rest_is_kept(
    tmp_path: Path, kind: Kind, tiny_source: Source
) -> None:
    """After three the figure is given up, with its place and what may help; those beside it have their answers."""
    source = tiny_source("gpt2")
    jobs = [make_job(kind, source=source), make_job(kind, source=source, do="die", line=5)]
    jobs += [make_job(kind, source=source, do="other", line=6)]
    with pytest.raises(BuildError) as caught:
        run_jobs(jobs, tmp_path, Cache(tmp_path), Silent(), processes=1)
    (problem,) = caught.value.problems
    assert str(problem).startswith("a.md:5: broken process: killed 3 times while computing sample for fig-5")
    assert "-j" in problem.message
    assert [answer is None for answer in answers(Cache(tmp_path), jobs)] == [False, True, False]


def test_a_fault_in_another_process_is_told_with_its_file_and_line(
    tmp_path: Path, kind: Kind, tiny_source: Source
) -> None:
    """The frames of another process are lost; where the site's own kind failed, and for which figure, is not."""
    job = make_job(kind, source=tiny_source("gpt2"), do="break", line=5)
    with pytest.raises(BuildError) as caught:
        run_jobs([job], tmp_path, Cache(tmp_path), Silent(), processes=1)
    (problem,) = caught.value.problems
    assert problem.message == "broken kind: sample for fig-5 failed with RuntimeError: a fault of the kind's"
    assert problem.path == kind.folder / "analysis.py"
    assert problem.line is not None
    assert "a fault of the kind's" in (kind.folder / "analysis.py").read_text().splitlines()[problem.line - 1]


PROGRAM = """
    import signal, sys
    from pathlib import Path
    import conftest, engine.conftest as c
    from builder.cache import Cache
    from builder.engine import run_jobs
    from builder.kind import Kind
    from builder.model_source import ModelSource
    from builder.progress import Silent
    if __name__ == "__main__":
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
        folder = Path(sys.argv[1])
        source = ModelSource("tiny", sys.argv[2])
        kind = Kind("sample", folder / "figures" / "sample")
        job = c.make_job(kind, source=source, do="wait once", marker=folder / "pid")
        run_jobs([job], folder, Cache(folder), Silent(), processes=1)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_processes_end_with_the_one_that_started_them(
    how: signal.Signals, tmp_path: Path, kind: Kind, tiny_source: Source
) -> None:
    """Ctrl-C, or a kill: nobody computes on for nobody."""
    (tmp_path / "program.py").write_text(textwrap.dedent(PROGRAM))
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    command = [sys.executable, str(tmp_path / "program.py"), str(tmp_path), tiny_source("gpt2").source]
    with subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE, cwd=ROOT
    ) as started:
        pid = int(wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
        started.send_signal(how)
        error = started.stderr.read().decode() if started.stderr else ""
        started.wait(timeout=20)
    wait_for(lambda: not _is_alive(pid), seconds=20)
    assert error.count("Traceback") == (1 if how == signal.SIGINT else 0), error


def _is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
