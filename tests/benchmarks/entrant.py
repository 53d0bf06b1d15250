"""Some ways in a process of their own: `python -m tests.benchmarks.entrant FUNCTION …`, spoken to over a pipe.

The first line that it is sent, a subject, has it set its ways up and, if they are to be warm, run each on a few
tokens; it answers what is wrong with which. Then each line names one of the ways with a subject, and is answered with
the seconds and with the megabytes above what the process held before the first, and with the numbers of the answer,
which goes to a file. Lines are JSON. What libraries print goes to standard error.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

from . import machine
from .subjects import Subject, Way


def main() -> None:
    """Serve until the pipe is closed."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as channel:
        os.dup2(2, 1)
        ways: dict[str, Way] = {}
        held = 0.0
        for line in sys.stdin:
            asked = json.loads(line)
            subject = Subject(asked["ids"], asked["n_input"], asked["options"])
            if "way" in asked:
                try:
                    answer = measure(ways[asked["way"]], subject, held, asked["save"])
                except Exception as error:
                    answer = {"problem": problem(error)}
            else:
                answer = make_ready(sys.argv[1:], subject.start() if asked["warm"] else None, ways)
                held = machine.resident()
            print(json.dumps(answer), file=channel, flush=True)


def make_ready(names: Sequence[str], few: Subject | None, ways: dict[str, Way]) -> dict[str, Any]:
    """Set up the ways of this process, so that nothing is imported or made later; return what is wrong with which."""
    problems = {}
    for name in names:
        module, _, function = name.partition(":")
        try:
            way = getattr(importlib.import_module(module, __package__), function)()
            result = way(few)() if few else None
            if callable(result):
                result()
            ways[name] = way
        except Exception as error:
            problems[name] = problem(error)
    tidy()
    import torch

    return {"problems": problems, "threads": torch.get_num_threads(), "versions": machine.versions()}


def measure(way: Way, subject: Subject, held: float, save: str | None) -> dict[str, Any]:
    """Run a way once and return what it took; the answer is saved, where it is one that can be compared."""
    import numpy as np

    work = way(subject)
    tidy()
    machine.forget_peak()
    start = time.perf_counter(), time.process_time()
    result = work()
    wall, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
    memory = max(0.0, machine.peak() - held)
    answer, numbers = result() if callable(result) else (result, {})
    if save and answer is not None:
        np.save(save, np.asarray(answer))
    return {"wall": wall, "cpu": cpu, "memory": memory, "numbers": dict(numbers)}


def tidy() -> None:
    """Give back what was freed, which glibc keeps."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def problem(error: Exception) -> str:
    """Return an error as a line."""
    return f"{type(error).__name__}: {error}".splitlines()[0][:300]


if __name__ == "__main__":
    main()
