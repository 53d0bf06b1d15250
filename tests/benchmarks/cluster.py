"""24 figures on a Dask cluster: three workers of one thread against one, each on a scheduler of its own, in turn.

    python -m tests.benchmarks.cluster            # smollm2, saliency of 24 prompts
    python -m tests.benchmarks.cluster --kill     # three workers, one of them killed in the middle: the log of it

Workers are warm: each has loaded the model before the clock starts, as in the middle of a build of many figures.
Loading takes each worker the seconds that are printed beside it, once.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import say

N_FIGURES = 24
N_OUTPUT = 40
"""Tokens that are generated and explained, after a prompt of 25, as in the benchmarks of saliency."""

TEXT = "The countries of the European Union are the following, in the order of the year in which each of them"


END = ("--idle-timeout", "600s")
"""A scheduler whose client was killed ends by itself, and its workers with it."""


class Cluster:
    """A scheduler and `n` workers of one thread on 127.0.0.1."""

    def __init__(self, folder: Path, n: int) -> None:
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        file = folder / "scheduler.json"
        self._start("scheduler", "scheduler", "--port", "0", "--scheduler-file", str(file), "--no-show", *END)
        while not (file.exists() and file.read_text().rstrip().endswith("}")):  # it is not written at once
            time.sleep(0.05)
        self.address = str(json.loads(file.read_text())["address"])
        for number in range(1, n + 1):
            options = ("--no-nanny", "--nthreads", "1", "--memory-limit", "0", "--local-directory", str(folder))
            self._start(f"w{number}", "worker", self.address, "--name", f"w{number}", *options)

    def _start(self, name: str, what: str, *options: str) -> None:
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", "--host", "127.0.0.1", "--no-dashboard"]
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [*command, *options],
                cwd=self.folder,
                env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def seconds(self) -> float:
        """Return the CPU seconds of all workers up to now."""
        import psutil

        times = [psutil.Process(p.pid).cpu_times() for name, p in self.processes.items() if name != "scheduler"]
        return float(sum(one.user + one.system for one in times))

    def close(self) -> None:
        """Kill all."""
        for process in self.processes.values():
            process.kill()
            process.wait()


@contextmanager
def clusters(*sizes: int) -> Iterator[list[Cluster]]:
    """Within: a cluster of each size."""
    started: list[Cluster] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            for n in sizes:
                place = Path(folder) / str(n)
                place.mkdir()
                started.append(Cluster(place, n))
            yield started
        finally:
            for one in started:
                one.close()


class Log:
    """A listener that prints what it hears with the seconds since it began, if it is asked to."""

    def __init__(self, *, loud: bool) -> None:
        self._loud = loud
        self._began = time.perf_counter()
        self.running_: dict[str, str] = {}
        self.done: dict[str, int] = {}

    def started(self, n_jobs: int) -> None:
        """Say how many."""
        self.message(f"{n_jobs} figures")

    def running(self, text: str, where: str = "") -> None:
        """Remember who is at what."""
        self.running_[where] = text
        if text:
            self.message(f"{where}  {text} …")

    def finished(self, text: str, where: str = "") -> None:
        """Count."""
        self.running_[where] = ""
        self.done[where] = self.done.get(where, 0) + 1
        self.message(f"{where}  {text}: done")

    def left(self, seconds: float) -> None:
        """Do nothing."""

    def message(self, text: str) -> None:
        """Print a line."""
        if self._loud:
            say(f"{time.perf_counter() - self._began:7.2f} s  {text}")


def make_jobs(words: Sequence[str], n_output: int) -> list[object]:
    """Return a saliency figure of smollm2 for each word, on a text of its own that begins with it."""
    from builder.figure import FigureSpec, Option, RunSpec
    from builder.folders import built_in
    from builder.kind import load_kinds
    from builder.plan import Job, Question
    from builder.site import find_site
    from builder.sources import fingerprint

    site = find_site(Path(__file__).parent)
    source, kind = site.models["smollm2"], load_kinds([built_in("figures")])["saliency"]
    weights, code = fingerprint(source, site.root), kind.code
    params = dataclasses.asdict(kind.analysis.Params())
    jobs: list[object] = []
    for number, word in enumerate(words, 1):
        run = RunSpec("smollm2", f"{word} {TEXT}", generate=n_output)
        question = Question(kind.name, code, weights, run, params, {"dtype": source.dtype})
        spec = FigureSpec(number, f"fig-{number}", Path("bench.md"), number, Option(kind.name, number))
        jobs.append(Job(question.address, question, kind, source, run, (spec,)))
    return jobs


def build(cluster: Cluster, words: Sequence[str], cache: Path, n_output: int, log: Log) -> float:
    """Have a cluster answer; return the wall seconds."""
    from builder.cache import Cache
    from builder.engine import run_jobs

    jobs: Any = make_jobs(words, n_output)
    begin = time.perf_counter()
    run_jobs(jobs, Path(__file__).parents[2], Cache(cache), log, device="cpu", scheduler=cluster.address)
    return time.perf_counter() - begin


def compare(rounds: int, n: int, n_output: int) -> None:
    """Print the seconds of one and of three workers, in turn, and their ratio."""
    words = [f"Number {number}:" for number in range(1, n + 1)]
    with clusters(1, 3) as (one, three), tempfile.TemporaryDirectory() as folder:
        for cluster in (one, three):
            size = len(cluster.processes) - 1
            begin = time.perf_counter()
            for turn in range(5):  # until each has had a batch, and the model with it
                log = Log(loud=False)
                warm = [f"Warm {turn} {k}" for k in range(2 * size)]
                build(cluster, warm, Path(folder) / f"w{size}{turn}", n_output, log)
                if len(log.done) == size:
                    break
            say(f"{size} worker{'s' * (size > 1)}: warm after {time.perf_counter() - begin:.1f} s")
        took: dict[int, list[float]] = {1: [], 3: []}
        say(f"{'':12}{'1 worker':>12}{'3 workers':>12}{'ratio':>8}   CPU s of the workers")
        for turn in range(rounds):
            cpu = []
            for size, cluster in ((1, one), (3, three)):
                before = cluster.seconds()
                log = Log(loud=False)
                seconds = build(cluster, words, Path(folder) / f"{turn}-{size}", n_output, log)
                cpu.append(cluster.seconds() - before)
                took[size].append(seconds)
            shares = " + ".join(str(count) for _, count in sorted(log.done.items()))
            ratio = took[3][-1] / took[1][-1]
            say(
                f"round {turn + 1:<6}{took[1][-1]:10.2f} s{took[3][-1]:10.2f} s{ratio:8.2f}   "
                f"{cpu[0]:.1f}, {cpu[1]:.1f}; figures by worker: {shares}"
            )
        first, second = (statistics.median(took[size]) for size in (1, 3))
        say(f"{'median':12}{first:10.2f} s{second:10.2f} s{second / first:8.2f}   (goal: 0.7 on two cores)")
        left = {path.read_bytes() for path in (Path(folder) / "0-1").rglob("results/*/*.json")}
        right = {path.read_bytes() for path in (Path(folder) / "0-3").rglob("results/*/*.json")}
        say(f"answers: {len(left)}, the same bytes: {left == right}")


def kill(n: int, n_output: int) -> None:
    """Print the log of a build one of whose workers is killed in the middle of a figure."""
    words = [f"Number {number}:" for number in range(1, n + 1)]
    with clusters(3) as (three,), tempfile.TemporaryDirectory() as folder:
        log = Log(loud=True)

        def strike() -> None:
            at_it = False
            while len(list(Path(folder).rglob("results/*/*.json"))) < n // 3 or not at_it:
                time.sleep(0.02)
                at_it = "saliency" in log.running_.get("w2", "")
            three.processes["w2"].kill()
            log.message("--- w2 is killed (SIGKILL)")

        killer = threading.Thread(target=strike)
        killer.start()
        seconds = build(three, words, Path(folder), n_output, log)
        killer.join()
        stored = len(list(Path(folder).rglob("results/*/*.json")))
        say(f"{stored} of {n} answers stored after {seconds:.1f} s; by worker: {dict(sorted(log.done.items()))}")


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kill", action="store_true", help="kill a worker in the middle, and print the log")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--figures", type=int, default=N_FIGURES)
    parser.add_argument("--tokens", type=int, default=N_OUTPUT, help="how many are generated and explained")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # through `finally`: workers end with us
    if options.kill:
        kill(options.figures, options.tokens)
    else:
        compare(options.rounds, options.figures, options.tokens)


if __name__ == "__main__":
    main()
