"""Ten figures on one run beside each of them alone, and what each kind takes of memory over a long text.

Run it from the root of the project: `python -m tests.benchmarks.article [--input 23] [--output 40] [--rounds 3]`, and
with `--memory 500` for the peaks at 500 tokens, each kind in a process of its own, then one article with all kinds.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import load, say
from .saliency import TEXT

if TYPE_CHECKING:
    from builder.figure import RunSpec
    from builder.kind import Kind
    from builder.model import Model, Run

TEN: dict[str, dict[str, Any]] = {
    "saliency": {},
    "layer_predictions": {},
    "rankings": {},
    "rankings_watch": {"watch": (" Austria", " Belgium")},
    "activations": {},
    "factors": {},
    "attention": {},
    "attention_matrix": {},
    "model_view": {},
    "logit_attribution": {},
}
"""Kinds, each with what an article says of it: what the kind does by itself wherever it can."""
OTHERS: dict[str, dict[str, Any]] = {
    "tokens": {},
    "layer_similarity": {},
    "decoding": {},
    "head_view": {},
    "neuron_view": {},
    "attention_flow": {},
    "causal_trace": {"subject": "Austria"},
    "ablation": {},
    "saliency, integrated gradients": {"method": "integrated_gradients"},
    "saliency, occlusion": {"method": "occlusion"},
}
SLOW = ("saliency, integrated gradients", "saliency, occlusion", "causal_trace", "ablation", "decoding")
"""Minutes over a long text: measured only when they are named."""


def main() -> None:
    """Print a table of times, or one of peaks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", type=int, default=23, help="tokens of the prompt")
    parser.add_argument("--output", type=int, default=40, help="tokens that are generated")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--memory", type=int, default=0, help="tokens of a prompt; peaks are measured, not times")
    parser.add_argument("--kinds", nargs="*", help="only these")
    parser.add_argument("--in-this-process", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()

    import torch

    if asked.threads:
        torch.set_num_threads(asked.threads)
    if asked.in_this_process:
        say(peak(asked.kinds, asked.memory))
    elif asked.memory:
        every = [name for name in TEN | OTHERS if name not in SLOW]
        peaks(asked.kinds or every, asked.memory, asked.threads)
    else:
        times(asked.kinds or list(TEN), asked.input, asked.output, asked.rounds)


def times(names: list[str], n_input: int, n_output: int, rounds: int) -> None:
    """Print seconds of each kind alone, with a run of its own, and of all on one run, in turn."""
    import torch

    model = load()
    spec = long_text(model, n_input, n_output)
    alone: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    together: list[tuple[float, float]] = []
    generated: list[tuple[float, float]] = []
    own: dict[str, list[float]] = {name: [] for name in names}
    answer(model.run(spec), names[0])  # what is imported and found once
    for _ in range(rounds):
        for name in names:
            gc.collect()
            with Clock(alone[name]):
                answer(begin(model, spec, [name]), name)
        gc.collect()
        with Clock(generated):
            model.run(spec)
        gc.collect()
        with Clock(together):
            run = begin(model, spec, names)
            for name in names:
                start = time.process_time()
                answer(run, name)
                own[name].append(time.process_time() - start)
        del run
    say(f"{n_input} + {n_output} tokens, {torch.get_num_threads()} threads, {rounds} rounds, medians")
    say(f"{'':36}{'CPU s':>9}{'wall s':>9}{'on the shared run, CPU s':>27}")
    for name in names:
        cpu, wall = middle(alone[name])
        say(f"{name:36}{cpu:9.3f}{wall:9.3f}{statistics.median(own[name]):27.3f}")
    say(f"{'the run alone':36}{middle(generated)[0]:9.3f}{middle(generated)[1]:9.3f}")
    cpu, wall = middle(together)
    say(f"{'all on one run':36}{cpu:9.3f}{wall:9.3f}")
    dearest = max(names, key=lambda name: middle(alone[name])[0])
    most = middle(alone[dearest])
    say(f"all against the dearest alone, {dearest}: CPU {cpu / most[0]:.2f} ×, wall {wall / most[1]:.2f} ×")


def long_text(model: Model, n_input: int, n_output: int) -> RunSpec:
    """Return a prompt of so many tokens, a text that is repeated or cut, and how many it is continued by."""
    from builder.figure import RunSpec

    ids = model.encode(TEXT * (1 + n_input // 20))[0][:n_input]
    return RunSpec(model="smollm2", prompt=model.tokenizer.decode(ids), generate=n_output)


class Clock:
    """Adds CPU and wall seconds of what stands within to a list."""

    def __init__(self, seconds: list[tuple[float, float]]) -> None:
        self.seconds = seconds

    def __enter__(self) -> None:
        self.start = time.process_time(), time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds.append((time.process_time() - self.start[0], time.perf_counter() - self.start[1]))


def middle(seconds: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the medians of CPU and of wall seconds."""
    return statistics.median(cpu for cpu, _ in seconds), statistics.median(wall for _, wall in seconds)


def begin(model: Model, spec: RunSpec, names: list[str]) -> Run:
    """Return a run for some figures, as a build makes it."""
    run = model.run(spec)
    run.expected = frozenset().union(*(kinds()[name.partition(",")[0]].needs for name in names))
    return run


@cache
def kinds() -> dict[str, Kind]:
    """Return the kinds of this project."""
    from builder.folders import built_in
    from builder.kind import load_kinds

    return load_kinds([built_in("figures")])


def answer(run: Run, name: str) -> int:
    """Compute a figure as a build does, its JSON and its pieces' included; return how many bytes they are."""
    from builder.figure import published

    analysis = kinds()[name.partition(",")[0]].analysis
    found = analysis.analyse(run, analysis.Params(**(TEN | OTHERS)[name]))
    broken = [check for check, value in found.checks.items() if not value.holds]
    if broken:
        raise SystemExit(f"{name} failed {broken}")
    return sum(len(published(part)) for part in (found.data, *found.pieces.values()))


def peaks(names: list[str], tokens: int, threads: int) -> None:
    """Print what each kind takes above the loaded model at its peak, and the peak of a process that makes them all."""
    say(f"a prompt of {tokens} tokens; megabytes")
    say(f"{'':36}{'above the model':>16}{'of the process':>16}{'JSON':>8}{'CPU s':>8}")
    for kinds in [*([name] for name in names), *([names] if len(names) > 1 else [])]:
        command = [sys.executable, "-m", "tests.benchmarks.article", "--in-this-process", "--memory", str(tokens)]
        done = subprocess.run(
            [*command, "--threads", str(threads), "--kinds", *kinds], capture_output=True, text=True, check=False
        )
        row = done.stdout.strip() or (done.stderr.strip().splitlines() or ["nothing"])[-1]
        say(f"{kinds[0] if len(kinds) == 1 else 'an article with all of these':36}{row}")


def peak(names: list[str], tokens: int) -> str:
    """Return a row: the peak above the loaded model, that of this process, megabytes of JSON, seconds."""
    model: Model = load()
    short = model.run(long_text(model, 30, 0))
    for name in names:  # what is imported and found once
        answer(short, name)
    del short
    gc.collect()
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew: man 5 proc
    start, size = time.process_time(), 0
    run = begin(model, long_text(model, tokens, 0), names)
    for name in names:
        size += answer(run, name)
    seconds = time.process_time() - start
    most = status("VmHWM")
    return f"{most - before:16.0f}{most:16.0f}{size / 1e6:8.1f}{seconds:8.1f}"


def status(name: str) -> float:
    """Return a number of megabytes that Linux keeps of this process."""
    line = next(line for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines() if name in line)
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
