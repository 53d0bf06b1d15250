"""`run_jobs()`: batches of one model and the jobs that need it, on any `concurrent.futures.Executor`.

A batch is a picklable value and `run_batch` a plain function, so it runs the same in this process, in a pool of
processes, or on a cluster's executor. Results go to the cache one by one, as they are found: a build that is killed
has lost at most the one it was working on.
"""

from __future__ import annotations

import datetime
import os
import queue
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, wait
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..cache import Cache
from ..errors import BuildError, Problem
from ..figure import Answer, Result, RunSpec
from ..model_source import ModelSource
from ..plan import Job
from ..progress import Listener
from ..spoken import listed
from .device import find_device

if TYPE_CHECKING:
    from ..model import AnyModel, AnyRun, LanguageModel, Run

__all__ = ["Batch", "SerialExecutor", "make_batches", "make_executor", "run_batch", "run_jobs"]

Report = Callable[[str, str], None]
"""Called with `running` or `finished` and a few words."""


@dataclass(frozen=True)
class Batch:
    """One model and jobs that need it, ordered so that jobs of one run follow each other."""

    source: ModelSource
    root: Path
    jobs: tuple[Job, ...]
    cache: Path
    device: str = "auto"
    threads: int = 0
    keep: bool = False
    """Whether models of other batches stay loaded: `serve` wants them again, a single build wants the memory."""


class SerialExecutor(Executor):
    """Runs each call at once, in this thread: models stay loaded between builds, and Ctrl-C arrives."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call the function now and return a finished future."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def make_executor(processes: int) -> Executor:
    """Return an executor in this process for 0, else a pool of that many processes."""
    if processes <= 0:
        return SerialExecutor()
    from concurrent.futures import ProcessPoolExecutor  # 10 ms, with multiprocessing
    from multiprocessing import get_context

    # spawned, not forked: torch's threads do not survive a fork
    return ProcessPoolExecutor(processes, mp_context=get_context("spawn"))


def make_batches(
    jobs: Iterable[Job], root: Path, cache: Path, device: str = "auto", processes: int = 0, keep: bool = False
) -> list[Batch]:
    """Group jobs by model, and by run within it; for a pool, share each model's runs out over the processes."""
    runs: dict[ModelSource, dict[RunSpec, list[Job]]] = {}
    for job in jobs:
        runs.setdefault(job.source, {}).setdefault(job.run, []).append(job)
    threads = max(1, (os.cpu_count() or 1) // processes) if processes else 0
    batches = []
    for source, groups in runs.items():
        shares: list[list[Job]] = [[] for _ in range(min(max(1, processes), len(groups)))]
        for group in groups.values():
            min(shares, key=len).extend(group)
        batches += [Batch(source, root, tuple(share), cache, device, threads, keep) for share in shares]
    return batches


def run_jobs(
    jobs: Sequence[Job],
    root: Path,
    cache: Path,
    listener: Listener,
    *,
    device: str = "auto",
    processes: int = 0,
    keep: bool = False,
) -> None:
    """Compute all jobs into the cache. Raises `BuildError` with the problems of all batches, after the last one."""
    if not jobs:
        return
    listener.started(len(jobs))
    batches = make_batches(jobs, root, cache, device, processes, keep)
    problems: list[Problem] = []
    with make_executor(processes) as executor:
        if processes <= 0:
            futures = [executor.submit(run_batch, batch, _teller(listener)) for batch in batches]
        else:
            futures = _run_in_pool(executor, batches, listener)
        try:
            for future in futures:
                problems += future.result()
        except BrokenExecutor as error:
            raise BuildError("broken process: one of those of -j was killed; did memory run out? Try fewer") from error
    if problems:
        raise BuildError(problems=problems)


def _teller(listener: Listener) -> Report:
    return lambda what, text: getattr(listener, what)(text)


def _run_in_pool(executor: Executor, batches: Sequence[Batch], listener: Listener) -> list[Future[Any]]:
    """Submit the batches and pass on what they report until all are done."""
    from multiprocessing import get_context

    with get_context("spawn").Manager() as manager:
        told = manager.Queue()
        futures = [executor.submit(run_batch, batch, told) for batch in batches]
        pending = set(futures)
        try:
            while pending:
                pending = wait(pending, timeout=0.1).not_done
                for what, text in _drain(told):
                    getattr(listener, what)(text)
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise
    return futures


def _drain(told: queue.Queue[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    while True:
        try:
            yield told.get_nowait()
        except queue.Empty:
            return


_models: dict[tuple[ModelSource, str, str], AnyModel] = {}
"""Models this process has loaded, by source, fingerprint and device; `serve` keeps them from build to build."""


def run_batch(batch: Batch, report: Report | queue.Queue[tuple[str, str]]) -> list[Problem]:
    """Load the batch's model, answer its jobs into the cache, and return what the author has to mend.

    Raises `BuildError` for what no article is to blame for: a device that is not there, a cache that is full.
    """
    tell = report if callable(report) else lambda what, text: report.put((what, text))
    first = batch.jobs[0]
    tell("running", f"loading {batch.source.name}")
    device = find_device(batch.device)
    try:
        model = _load(batch, batch.source, first.question.model, device)
    except BuildError as error:
        return [_placed(problem, first, "model") for problem in error.problems]
    cache = Cache(batch.cache)
    problems: list[Problem] = []
    run: AnyRun | None = None
    for job in batch.jobs:
        where = ", ".join(sorted({spec.anchor for spec in job.wanted_by}))
        try:
            _must_read(job, model)
            if run is None or run.spec != job.run:
                run = None  # let go of one run's tensors before the next is made
                tell("running", f"{batch.source.name} on the text of {where}")
                run = model.run(job.run)
            tell("running", f"{job.kind.name} for {where}")
            run.versus = _read_by_other(run, job, batch, device)
            analysis = job.kind.analysis
            answer = _noted(analysis.analyse(run, analysis.Params(**job.question.params)), run)
        except BuildError as error:
            problems += [_placed(problem, job) for problem in error.problems]
        except (MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
            run = None
            problems.append(_placed(Problem(f"unsupported size: {job.kind.name} needs more memory than there is"), job))
        else:
            problems += _keep(answer, job, model, cache)
        tell("finished", f"{job.kind.name} for {where}")
    return problems


def _must_read(job: Job, model: AnyModel) -> None:
    """Raise `BuildError` where a kind does not take models of that family."""
    if model.family not in job.kind.reads:
        wanted = listed([_FAMILIES[family] for family in job.kind.reads])
        name = f"{model.name} ({type(model.network).__name__})"
        raise BuildError(f"unsupported model: {name} is {_FAMILIES[model.family]}, and {job.kind.name} takes {wanted}")


_FAMILIES = {
    "decoder": "a decoder (a causal language model)",
    "encoder": "an encoder",
    "encoder-decoder": "an encoder-decoder",
}


def _load(batch: Batch, source: ModelSource, fingerprint: str, device: str) -> AnyModel:
    import torch

    from ..model import load_model  # torch and transformers, 2 s: only where something is computed
    from ..sources import fetch

    if batch.threads:
        torch.set_num_threads(batch.threads)
    key = (source, fingerprint, device)
    if key not in _models:
        wanted = {batch.source, *(job.versus for job in batch.jobs)}
        # the same name with other weights: the old ones are of no more use
        for known in [k for k in _models if (not batch.keep and k[0] not in wanted) or k[0].name == source.name]:
            del _models[known]
        _models[key] = load_model(fetch(source, batch.root), device=device)
    return _models[key]


def _read_by_other(run: AnyRun, job: Job, batch: Batch, device: str) -> Run | None:
    """Return the same text, what was generated included, as a second model reads it, where the job has one."""
    if job.versus is None:
        return None
    try:
        other = _load(batch, job.versus, str(job.question.numerics["versus"]), device)
        if other.family != "decoder" or run.model.family != "decoder":
            raise BuildError(f"unsupported versus: {other.name} is {_FAMILIES[other.family]}, and two decoders compare")
        return other.reread(run)
    except BuildError as error:  # at `versus`, whatever it names: `model` is the first one's
        path, line = job.wanted_by[0].path, job.lines["versus"]
        problems = [p if p.path else replace(p, path=path, line=line) for p in error.problems]
        raise BuildError(problems=problems) from error


def _noted(answer: Answer, run: AnyRun) -> Answer:
    """Return the answer with a warning where a model that should have written something had nothing to say."""
    if not run.ended_at_once:
        return answer
    told = "The model ended the text at once: nothing was generated."
    before = answer.data.get("warning")
    return replace(answer, data={**answer.data, "warning": f"{before} {told}" if before else told})


def _keep(answer: Answer, job: Job, model: AnyModel, cache: Cache) -> list[Problem]:
    """Store an answer whose checks hold; return what is wrong with one that must not be published."""
    spec = job.wanted_by[0]
    failed = [
        f"invalid result: {job.kind.name} failed its check {name}: {check.value:.3g} is over {check.bound:.3g}"
        for name, check in answer.checks.items()
        if not check.holds
    ]
    if failed:
        return [Problem(message, spec.path, spec.line) for message in failed]
    try:
        origin, pieces = _provenance(job, model), answer.pieces
        result = Result(job.address, job.kind.name, answer.data, answer.checks, origin, tuple(pieces))
        cache.put(result, pieces)
    except ValueError:  # what JSON cannot hold
        message = f"invalid result: {job.kind.name} has a number in it that is none (NaN or infinite)"
        return [Problem(message, spec.path, spec.line)]
    except OSError as error:
        message = f"broken cache: a result cannot be written: {error.strerror or error}"
        raise BuildError(message, cache.folder) from error
    return []


def _placed(problem: Problem, job: Job, culprit: str = "prompt") -> Problem:
    """Return the problem with a place: that of the option it names, else of the culprit, else of the figure."""
    if problem.path is not None:
        return problem
    spec = job.wanted_by[0]
    name = problem.message.partition(":")[0].rpartition(" ")[2]
    line = job.lines.get(name) or job.lines.get(culprit) or spec.line
    return replace(problem, path=spec.path, line=line)


def _is_out_of_memory(error: Exception) -> bool:
    """Whether a computation did not fit; torch says so in words only on some devices."""
    return isinstance(error, MemoryError) or bool(re.search(r"out of memory|can't allocate memory", str(error), re.I))


def _provenance(job: Job, model: LanguageModel) -> Mapping[str, Any]:
    """Return where a result comes from, for readers and for whoever wants to compute it again."""
    asked = asdict(job.run)
    return {
        **model.provenance(),
        "fingerprint": job.question.model,
        "license": job.source.license,
        "prompt": asked.pop("prompt"),
        "generation": {name: value for name, value in asked.items() if name != "model"},
        "params": dict(job.question.params),
        "code": job.question.code,
        "fanlight": __version__,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
