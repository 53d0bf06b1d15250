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
    """A benchmark: its title, and its module with its options."""

    title: str
    call: Sequence[str]
    quick: Sequence[str] = ()
    """The same for a look, where it would take minutes otherwise."""
    result: str = ""
    """A pattern of the line that tells the most; its group is for the README."""


PROGRAMS = {
    "article": Program(
        "An article of ten figures on one run, beside its dearest figure alone",
        ["article"],
        ["article", "--rounds", "1", "--output", "10"],
        r"^all against the dearest alone, (.*)",
    ),
    "memory": Program(
        "Figures of a text of 500 tokens, and an article with all of them: MB above the model, MB of the process",
        ["article", "--memory", "500"],
        ["article", "--memory", "60", "--kinds", "saliency", "attention"],
        r"^an article with all of these +([0-9]+ +[0-9]+)",
    ),
    "causal trace": Program("Causal tracing of all layers and tokens, against a pass a cell", ["causal_trace"]),
    "ablation": Program("Ablation of heads, MLPs and edges, against a pass a part", ["ablation"]),
    "cluster": Program(
        "24 figures on a worker of one thread, and on three: seconds and ratio",
        ["cluster"],
        ["cluster", "--rounds", "1"],
        r"^median +(.*?) +\(goal",
    ),
    "pages": Program(
        "Large figures in a browser: milliseconds to the first paint, and of the CPU for a hover", ["pages"]
    ),
    "preview": Program(
        "From a saved word of prose to the preview's page, the longest article",
        ["preview"],
        ["preview", "--rounds", "3"],
        r"^prose of the longest article, .*: ([0-9.]+ s)",
    ),
    "start-up": Program("`fanlight --help`", ["startup"], [], r"^fanlight --help +([0-9.]+ s)"),
}


def run_program(
    program: Program, quick: bool, threads: int, log: IO[str], tell: Callable[[str], None]
) -> dict[str, Any]:
    """Run it and return what it printed, and its result. Raises `RuntimeError` where it fails."""
    module, *options = (program.quick if quick else ()) or program.call
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
    return {"text": done.stdout.rstrip(), "result": result(program, done.stdout)}


def result(program: Program, text: str) -> str:
    """Return what a program's text tells the most by, or nothing."""
    found = re.findall(program.result, text, re.MULTILINE) if program.result else []
    return " ".join(found[-1].split()) if found else ""
