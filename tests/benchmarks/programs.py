"""Benchmarks of this package that print tables of their own: how they are called here, and which lines matter most."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Any

from .contest import PATIENCE, ROOT


@dataclass(frozen=True)
class Program:
    """A benchmark: its title, its module with its options, the fewer for a look, and what its result is found by."""

    title: str
    call: Sequence[str]
    quick: Sequence[str]
    result: str
    """A pattern of the line that tells the most, for the README."""


PROGRAMS = {
    "article": Program(
        "An article of ten figures on one run beside its dearest figure alone",
        ["article"],
        ["article", "--rounds", "1", "--output", "10"],
        r"^all against the dearest.*",
    ),
    "memory": Program(
        "An article with a prompt of 500 tokens: megabytes at the peak, of each kind and of all",
        ["article", "--memory", "500"],
        ["article", "--memory", "60", "--kinds", "saliency", "attention"],
        r"^an article with all of these.*",
    ),
    "causal trace": Program("Causal tracing", ["causal_trace"], ["causal_trace"], r"^ours.*"),
    "ablation": Program("Ablation", ["ablation"], ["ablation"], r"^ours.*"),
    "cluster": Program(
        "24 figures on three workers of one thread each, and on one",
        ["cluster"],
        ["cluster"],
        r".*ratio.*|.*times.*|.*×.*",
    ),
    "start-up": Program(
        "Start-up",
        ["startup"],
        ["startup"],
        r"^fanlight --help.*",
    ),
}


def run_program(
    program: Program, quick: bool, threads: int, log: IO[str], tell: Callable[[str], None]
) -> dict[str, Any]:
    """Run it and return what it printed, and its result. Raises `RuntimeError` where it fails."""
    module, *options = program.quick if quick else program.call
    environment = {**os.environ, **({"OMP_NUM_THREADS": str(threads)} if threads else {})}
    done = subprocess.run(
        [sys.executable, "-m", f"{__package__}.{module}", *options],
        cwd=ROOT,
        env={**environment, "TQDM_DISABLE": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    log.write(done.stderr)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it said nothing"])[-1])
    tell(done.stdout.rstrip())
    results = re.findall(program.result, done.stdout, re.MULTILINE)
    return {"text": done.stdout.rstrip(), "result": results[-1] if results else ""}
