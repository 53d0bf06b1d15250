"""Benchmarks: ways of computing the same numbers, interleaved in one run. They print ratios and assert nothing."""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.engine.device import SPINS

if TYPE_CHECKING:
    from builder.model import Model

os.environ.setdefault("GOMP_SPINCOUNT", SPINS)  # before torch: its threads wait as in a build


def load() -> Model:
    """Return the real smollm2."""
    from builder.model import Model
    from builder.site import find_site
    from builder.sources import fetch

    site = find_site(Path(__file__).parent)
    return Model.load(fetch(site.models["smollm2"], site.root))


def part(kind: str, name: str) -> Any:
    """Return a module of a built-in kind."""
    import importlib

    from builder.folders import built_in
    from builder.kind import load_kinds

    package = load_kinds([built_in("figures")])[kind].analysis.__name__.rpartition(".")[0]  # type: ignore[attr-defined]
    return importlib.import_module(f"{package}.{name}")


def compare(ways: dict[str, Callable[[], Any]], error: Callable[[Any, Any], float], rounds: int) -> None:
    """Run all ways in turn, `rounds` times, and print CPU and wall seconds, how often the first way's time, and errors.

    CPU seconds are the steadier measure on a machine that others use. `error` compares a way's answer with the first's.
    """
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    wall: dict[str, list[float]] = {name: [] for name in ways}
    answers: dict[str, Any] = {}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.process_time(), time.perf_counter()
            answers[name] = way()
            cpu[name].append(time.process_time() - start[0])
            wall[name].append(time.perf_counter() - start[1])
    first = next(iter(ways))
    say(f"{'':44}{'CPU s':>9}{'wall s':>9}{'ratio':>7}{'error':>9}")
    for name in ways:
        middle = statistics.median(cpu[name])
        ratio = statistics.median(cpu[first]) / middle
        seconds = f"{middle:9.3f}{statistics.median(wall[name]):9.3f}"
        say(f"{name:44}{seconds}{ratio:7.2f}{error(answers[name], answers[first]):9.0e}")
    say(f"peak memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def say(text: str) -> None:
    """Print a line."""
    print(text, flush=True)  # noqa: T201 (the table is what a benchmark is for)
